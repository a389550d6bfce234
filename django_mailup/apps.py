"""The app's configuration. Its `ready` registers the system checks and keeps a library from logging secrets."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DjangoMailUpConfig(AppConfig):
    name = "django_mailup"
    verbose_name = _("MailUp")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, library_logs

        checks.register_all()
        library_logs.silence_library_secrets()
