"""The grants that MailUp's token endpoint accepts, as frozen values. `OAuthClient` exchanges them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from ..exceptions import CodeRefused, LoginRefused, MailUpError, ReauthorizationRequired


class Grant(Protocol):
    """A grant: it is exchanged for a TokenSet at the token endpoint."""

    refused: ClassVar[type[MailUpError]]
    """The exception for MailUp's answer `invalid_grant`."""

    def form(self) -> dict[str, str]:
        """Return the form fields of the token request, without the client id and secret."""


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """The authorization code from MailUp's redirect (RFC 6749 section 4.1.3).

    `code_verifier` is the secret of PKCE (RFC 7636); it is empty if the authorization has none.
    """

    refused: ClassVar[type[MailUpError]] = CodeRefused

    code: str = field(repr=False)
    redirect_uri: str = field(repr=False)
    code_verifier: str = field(default="", repr=False)

    def form(self) -> dict[str, str]:
        fields = {"grant_type": "authorization_code", "code": self.code, "redirect_uri": self.redirect_uri}
        return {**fields, "code_verifier": self.code_verifier} if self.code_verifier else fields


@dataclass(frozen=True, slots=True)
class Password:
    """The name and password of a MailUp user (RFC 6749 section 4.3.2), such as a service account."""

    refused: ClassVar[type[MailUpError]] = LoginRefused

    username: str
    password: str = field(repr=False)

    def form(self) -> dict[str, str]:
        return {"grant_type": "password", "username": self.username, "password": self.password}


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """The refresh token of a TokenSet (RFC 6749 section 6). MailUp replaces it at every use, so use it only once."""

    refused: ClassVar[type[MailUpError]] = ReauthorizationRequired

    refresh_token: str = field(repr=False)

    def form(self) -> dict[str, str]:
        return {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
