"""Authorization codes and token pairs, as the OAuth 2 server has issued them."""

from __future__ import annotations

from dataclasses import dataclass, field

from .accounts import User


@dataclass
class AuthorizationCode:
    """An authorization code (RFC 6749 section 4.1.2). Times are seconds, by the sandbox's clock."""

    user: User
    client_id: str
    redirect_uri: str
    expires_at: float
    code_challenge: str = ""
    used: bool = False


@dataclass
class Pair:
    """An access token and a refresh token. Times are seconds, by the sandbox's clock.

    Attributes:
        family: a number that all pairs share which come from one login.
        used_at: when the refresh token was used, or None.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    user: User
    client_id: str
    family: int
    access_expires_at: float
    refresh_expires_at: float
    used_at: float | None = None
    revoked: bool = False
