"""MailUpRequest: the type of a request under `mailup_connection_required`. Imports neither models nor requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from django.contrib.auth.models import _User  # the site's user model, if mypy runs with the plugin of django-stubs

    from .mailup.client import MailUpClient


class MailUpRequest(HttpRequest):
    """A request of a logged-in user with a MailUp connection. For annotations only: it has no instances."""

    user: _User
    mailup: MailUpClient
    """A client that acts for `user`."""
