"""One typed object over `settings.MAILUP`, read at every access. Anything on the Django side may import it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, Literal, cast

from django.conf import settings

from .beat import DEFAULT_PERIOD
from .mailup.endpoints import PRODUCTION as PRODUCTION
from .mailup.endpoints import Endpoints


class MailUpSettings:
    """Each property is a key of the dict `MAILUP`; all are optional. Times are numbers of seconds."""

    def _get(self, key: str, default: Any) -> Any:
        return getattr(settings, "MAILUP", {}).get(key, default)

    @property
    def BASE_URL(self) -> str:
        """Where MailUp is. Never a column: whoever may edit rows must not be able to send tokens elsewhere."""
        return str(self._get("BASE_URL", PRODUCTION))

    @property
    def ENCRYPTION_KEYS(self) -> tuple[str, ...]:
        """Fernet keys for stored secrets, newest first. Without any, a key derived from SECRET_KEY is used."""
        return tuple(self._get("ENCRYPTION_KEYS", ()))

    @property
    def CLIENT_AUTHENTICATION(self) -> Literal["body", "basic"]:
        """How client credentials travel to the token endpoint: in the form `body`, or as HTTP `basic`."""
        return cast(Literal["body", "basic"], self._get("CLIENT_AUTHENTICATION", "body"))

    @property
    def TIMEOUT(self) -> float:
        """For an API call: how long to wait for a connection, and for each piece of an answer."""
        return float(self._get("TIMEOUT", 30))

    @property
    def TOKEN_DEADLINE(self) -> float:
        """For a whole call of the token endpoint, name resolution and trickled answers included."""
        return float(self._get("TOKEN_DEADLINE", 15))

    @property
    def REFRESH_MARGIN(self) -> timedelta:
        """How long before expiry the periodic task renews a token. Must exceed two REFRESH_PERIODs."""
        return timedelta(seconds=self._get("REFRESH_MARGIN", 900))

    @property
    def REFRESH_PERIOD(self) -> timedelta:
        """How often the periodic task runs: what `mailup_beat_schedule(MAILUP)` schedules."""
        return timedelta(seconds=self._get("REFRESH_PERIOD", DEFAULT_PERIOD))

    @property
    def REFRESH_BATCH_SIZE(self) -> int:
        """How many tokens the periodic task gives to one job."""
        return int(self._get("REFRESH_BATCH_SIZE", 50))

    @property
    def REFRESH_CONCURRENCY(self) -> int:
        """How many tokens of its batch a job of the periodic task renews at once."""
        return max(1, int(self._get("REFRESH_CONCURRENCY", 10)))

    @property
    def REFRESH_RATE(self) -> float:
        """How many tokens a second the periodic task may hand out: what MailUp sees when an outage ends."""
        return float(self._get("REFRESH_RATE", 50))

    @property
    def RATE_LIMIT(self) -> int:
        """How many calls a second of one operation a connection may make: MailUp's 5. 0: no limit is kept."""
        return int(self._get("RATE_LIMIT", 5))

    @property
    def RATE_PATIENCE(self) -> float:
        """How many seconds a call waits for its turn, or after a 429, before it raises RateLimited."""
        return float(self._get("RATE_PATIENCE", 30))

    @property
    def CACHE_ALIAS(self) -> str:
        """Which of Django's CACHES all processes share, to keep RATE_LIMIT together."""
        return str(self._get("CACHE_ALIAS", "default"))

    @property
    def STATE_IN(self) -> Literal["path", "query"]:
        """Where OAuth's `state` travels: in the `path` of the redirect URI and the query, or in the `query` alone."""
        return cast(Literal["path", "query"], self._get("STATE_IN", "path"))

    @property
    def STATE_LIFETIME(self) -> timedelta:
        """How long a user may take on MailUp's pages."""
        return timedelta(seconds=self._get("STATE_LIFETIME", 600))

    @property
    def CONNECTED_URL(self) -> str:
        """Where a user lands after connecting when no `next` was given: a URL or a URL name."""
        return str(self._get("CONNECTED_URL", "django_mailup:connections"))

    def endpoints(self) -> Endpoints:
        """Return MailUp's URLs."""
        return Endpoints(self.BASE_URL)


app_settings: Final = MailUpSettings()

KEYS: Final = tuple(name for name, value in vars(MailUpSettings).items() if isinstance(value, property))
