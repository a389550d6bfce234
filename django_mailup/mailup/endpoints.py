"""MailUp's URLs."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from ..exceptions import Misconfigured

PRODUCTION: Final = "https://services.mailup.com"

# A query or fragment, another host or service, or a second line of the request; surrogates can't be sent at all.
_UNSAFE: Final = re.compile(r"[?#\\\x00-\x1f\x7f-\x9f\ud800-\udfff]|//|/\.{1,2}(?:/|$)")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """MailUp's URLs, below a base URL: MailUp's in production, or a sandbox's.

    Each URL raises Misconfigured if the base URL is plain http, which sends tokens unencrypted, unless the host is this
    machine or one of `insecure_hosts`.
    """

    base_url: str = PRODUCTION
    insecure_hosts: tuple[str, ...] = ()
    """Names of the hosts that may be called over plain http."""

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
            ValueError: the path begins with none of these, or has a part that would make it another URL: `..`, `//`,
                `?`, `#`, a backslash or a control character, as such or percent-encoded.
        """
        head = path.split("/", 2)[1].casefold() if path.startswith("/") else ""
        if head == "console":
            service = "ConsoleService"
        elif head in ("message", "recipient"):
            service = "MailStatisticsService"
        else:
            raise ValueError(f"path must begin with /Console/, /Message/ or /Recipient/, not {path!r}.")
        # Decoded twice, since what stands before a server may decode the path, too.
        if _UNSAFE.search(unquote(unquote(path)) if "%" in path else path):
            raise ValueError(f"path must have no '..', '//', '?', '#', backslash or control character, not {path!r}.")
        return self._below(f"/API/v1.1/Rest/{service}.svc{path}")

    def public(self, path: str) -> str:
        """Return the URL of a path of the public service, which takes the client id and secret instead of a token."""
        return self._below(f"/API/v1.1/Rest/PublicService.svc{path}")

    def _below(self, path: str) -> str:
        if not self.base_url.startswith("https://"):
            self._require_permission()
        return self.base_url.rstrip("/") + path

    def _require_permission(self) -> None:
        """Raise Misconfigured unless the base URL's host may be called over plain http."""
        url = urlsplit(self.base_url)
        if url.scheme != "https" and not may_be_insecure(url.hostname or "", self.insecure_hosts):
            raise Misconfigured("MailUp's base URL is plain http to another machine: use https, or set INSECURE_HOSTS.")


def may_be_insecure(host: str, insecure_hosts: tuple[str, ...]) -> bool:
    """Return whether a host may be called over plain http: it is this machine, or one of `insecure_hosts`.

    Args:
        host: a name or an address, in lower case.
    """
    return is_loopback(host) or host in map(str.lower, insecure_hosts)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: the name localhost, or an address such as 127.0.0.1 or ::1."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
