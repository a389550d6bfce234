"""`app_settings`: the values of `settings.MAILUP`, typed, read at every access. `settings_table` describes each key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings

from .settings_table import MailUpSettings

if TYPE_CHECKING:
    from .mailup.endpoints import Endpoints


class AppSettings(MailUpSettings):
    """This site's settings. `override_settings(MAILUP=...)` works, since nothing is kept."""

    def __init__(self) -> None:
        super().__init__(lambda: getattr(settings, "MAILUP", {}))

    def endpoints(self) -> Endpoints:
        """Return MailUp's URLs."""
        from .mailup.endpoints import Endpoints  # it imports requests, which django.setup() does without

        return Endpoints(self.BASE_URL, self.INSECURE_HOSTS)


app_settings: Final = AppSettings()
