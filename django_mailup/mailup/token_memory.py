"""TokenMemory: a source of access tokens without a database. It renews them, and keeps them in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from ..exceptions import ReauthorizationRequired
from .grants import Password, RefreshToken
from .oauth import OAuthClient
from .tokens import AccessToken, TokenSet

MARGIN: Final = timedelta(minutes=1)
"""So long before it expires an access token is renewed."""


class TokenMemory:
    """Gives a client its access token, and renews it. Threads may share it: one renews, and the others wait.

    Implements `TokenSource`.

    Args:
        oauth: exchanges grants for tokens.
        tokens: the pair to begin with; None to log in first.
        password: name and password, to log in with if there is no pair, or MailUp refuses its refresh token.
        on_renewal: called with each new pair, so that it can be stored: MailUp's refresh tokens work only once. What it
            raises, the call raises; the pair is kept here nevertheless.
        clock: returns the current time, aware.

    Both methods may raise what `OAuthClient.exchange` raises.
    """

    def __init__(
        self,
        oauth: OAuthClient,
        *,
        tokens: TokenSet | None = None,
        password: Password | None = None,
        on_renewal: Callable[[TokenSet], object] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._oauth = oauth
        self._tokens = tokens
        self._password = password
        self._on_renewal = on_renewal
        self._clock = clock
        self._lock = threading.Lock()

    def get(self) -> AccessToken:
        """Return a valid access token. Renew it first if it is about to expire."""
        with self._lock:
            tokens = self._tokens
            if tokens is None or tokens.expires_at - MARGIN <= self._clock():
                tokens = self._renew(tokens)
            return AccessToken(tokens.access_token)

    def renew(self, refused: AccessToken) -> AccessToken:
        """Return another access token than the refused one. Renew it unless that has been done meanwhile."""
        with self._lock:
            tokens = self._tokens
            if tokens is None or tokens.access_token == refused.value:
                tokens = self._renew(tokens)
            return AccessToken(tokens.access_token)

    def _renew(self, tokens: TokenSet | None) -> TokenSet:
        self._tokens = renewed = self._exchange(tokens)
        if self._on_renewal is not None:
            self._on_renewal(renewed)
        return renewed

    def _exchange(self, tokens: TokenSet | None) -> TokenSet:
        if tokens is not None:
            try:
                return self._oauth.exchange(RefreshToken(tokens.refresh_token))
            except ReauthorizationRequired:
                if self._password is None:
                    raise
        assert self._password is not None
        return self._oauth.exchange(self._password)
