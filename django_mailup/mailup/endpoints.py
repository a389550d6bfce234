"""The URLs that MailUp answers on. Pure Python; anything in `mailup` may import it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PRODUCTION: Final = "https://services.mailup.com"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """MailUp's addresses below one base URL (https, without a path, as a rule; the sandbox has its own)."""

    base_url: str = PRODUCTION

    @property
    def authorization(self) -> str:
        """The page where a user logs in and consents (RFC 6749 section 3.1): LogOn, as in all of MailUp's samples."""
        return self._below("/Authorization/OAuth/LogOn")

    @property
    def token(self) -> str:
        """The token endpoint (RFC 6749 section 3.2) of every grant."""
        return self._below("/Authorization/OAuth/Token")

    def service(self, path: str) -> str:
        """Return the URL of a REST path of API v1.1.

        Args:
            path: begins with `/Console/` (lists, recipients, messages), `/Message/` or `/Recipient/` (statistics).

        Raises:
            ValueError: the path belongs to no service that takes a bearer token.
        """
        head = path.split("/", 2)[1].casefold() if path.startswith("/") else ""
        if head == "console":
            service = "ConsoleService"
        elif head in ("message", "recipient"):
            service = "MailStatisticsService"
        else:
            raise ValueError(f"A path begins with /Console/, /Message/ or /Recipient/, unlike {path!r}.")
        return self._below(f"/API/v1.1/Rest/{service}.svc{path}")

    def public(self, path: str) -> str:
        """Return the URL of a path of the public service, which takes the client's credentials instead of a token."""
        return self._below(f"/API/v1.1/Rest/PublicService.svc{path}")

    def _below(self, path: str) -> str:
        return self.base_url.rstrip("/") + path
