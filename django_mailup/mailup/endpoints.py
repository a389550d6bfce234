"""MailUp's URLs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PRODUCTION: Final = "https://services.mailup.com"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """MailUp's URLs, below a base URL: MailUp's in production, or a sandbox's."""

    base_url: str = PRODUCTION

    @property
    def authorization(self) -> str:
        """The authorization endpoint (RFC 6749 section 3.1), a login and consent page. MailUp's samples use LogOn."""
        return self._below("/Authorization/OAuth/LogOn")

    @property
    def token(self) -> str:
        """The token endpoint (RFC 6749 section 3.2)."""
        return self._below("/Authorization/OAuth/Token")

    def service(self, path: str) -> str:
        """Return the URL of a REST path of API v1.1.

        Args:
            path: begins with `/Console/` (lists, recipients, messages), `/Message/` or `/Recipient/` (statistics).

        Raises:
            ValueError: the path begins with none of these.
        """
        head = path.split("/", 2)[1].casefold() if path.startswith("/") else ""
        if head == "console":
            service = "ConsoleService"
        elif head in ("message", "recipient"):
            service = "MailStatisticsService"
        else:
            raise ValueError(f"path must begin with /Console/, /Message/ or /Recipient/, not {path!r}.")
        return self._below(f"/API/v1.1/Rest/{service}.svc{path}")

    def public(self, path: str) -> str:
        """Return the URL of a path of the public service, which takes the client id and secret instead of a token."""
        return self._below(f"/API/v1.1/Rest/PublicService.svc{path}")

    def _below(self, path: str) -> str:
        return self.base_url.rstrip("/") + path
