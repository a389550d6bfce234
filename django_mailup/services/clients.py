"""client_for: an authenticated MailUp client for a user, one of their accounts, or the site itself."""

from __future__ import annotations

import threading
from typing import Any, Final

from django.utils import timezone

from ..conf import mailup_settings
from ..exceptions import MailUpError, MultipleConnections, NotConnected
from ..mailup.client import MailUpClient
from ..mailup.tokens import AccessToken
from ..mailup.transport import Transport
from ..models import DEFAULT_REGISTRATION, Token
from ..throttle import CacheThrottle
from . import labels, refresh, registrations, rows
from .rows import Clock, Live


class _Site:
    """Stands for the site itself. Not None: a missing user must not act through the site's own connection."""

    def __repr__(self) -> str:
        return "SITE"


SITE: Final = _Site()


def client_for(
    user: Any = SITE,
    *,
    account: Token | str | None = None,
    registration: str = DEFAULT_REGISTRATION,
    patience: float | None = None,
    clock: Clock = timezone.now,
) -> MailUpClient:
    """Return a MailUp client that acts for a user, or for the site when no user is given.

    It costs one query. The client keeps its token current by itself; keep it for a request or a job, not for longer.

    Args:
        user: whose connection; leave it out for the site's own.
        account: which one, where there are several: a Token, or an account uid.
        registration: slug of the client registration.
        patience: how many seconds its calls wait for their turn under MailUp's limit of calls; RATE_PATIENCE unless
            given. With 0 they never wait, but raise RateLimited: for `self.retry(countdown=error.retry_after)`.

    Raises:
        NotConnected: no such connection, or no such user.
        MultipleConnections: several, and no account named.
        ReauthorizationRequired: MailUp has ended the connection.
    """
    return client_of(connection_of(user, account=account, registration=registration), patience=patience, clock=clock)


def connection_of(
    user: Any = SITE, *, account: Token | str | None = None, registration: str = DEFAULT_REGISTRATION
) -> Token:
    """Return the connection that `client_for` would use. Raises NotConnected or MultipleConnections."""
    if user is not SITE and not getattr(user, "is_authenticated", False):
        raise NotConnected
    rows = Token.objects.of(user=None if user is SITE else user, registration=registration)
    rows = rows.filter(registration__enabled=True)
    if isinstance(account, Token):
        rows = rows.filter(pk=account.pk)
    elif account is not None:
        rows = rows.filter(account_uid=account)
    found = list(rows[:2])
    if not found:
        raise NotConnected
    if len(found) > 1:
        raise MultipleConnections
    return found[0]


def client_of(
    token: Token, *, patience: float | None = None, clock: Clock = timezone.now, labels_row: bool = True
) -> MailUpClient:
    """Return a MailUp client for a row. Raises ReauthorizationRequired at once when the row is dead.

    `labels_row`: whether its first successful call also finds out whose account this is, where the row doesn't say.
    """
    source = _RowTokenSource(token, clock)
    return MailUpClient(
        source,
        endpoints=mailup_settings.endpoints(),
        transport=Transport(
            timeout=(mailup_settings.TIMEOUT, mailup_settings.TIMEOUT), adapter=registrations.adapter()
        ),
        throttle=CacheThrottle(f"{token.registration_id} {token.account_uid or token.pk}"),
        patience=mailup_settings.RATE_PATIENCE if patience is None else patience,
        on_success=source.label if labels_row and not token.account_uid else None,
    )


class _RowTokenSource:
    """Gives the access token of a row, and keeps it in memory as long as it is good."""

    def __init__(self, token: Token, clock: Clock) -> None:
        self._pk = token.pk
        self._clock = clock
        self._lock = threading.Lock()
        self._live = _live_of(token)

    def get(self) -> AccessToken:
        with self._lock:
            if not self._live.is_fresh(self._clock()):
                # What comes back is used once whatever the clock says: a pair just received is good.
                self._live = refresh.access(self._pk, clock=self._clock)
            return self._live.access_token

    def renew(self, refused: AccessToken) -> AccessToken:
        with self._lock:
            if self._live.access_token == refused:
                self._live = refresh.access(self._pk, refused=self._live.generation, clock=self._clock)
            return self._live.access_token

    def label(self, client: MailUpClient) -> None:
        """Learn whose account this is, after the first call that succeeded. Never the caller's trouble."""
        try:
            self._pk = labels.label(self._pk, client.account.info()).pk
        except (MailUpError, Token.DoesNotExist):
            return


def _live_of(token: Token) -> Live:
    rows.require_active(token)
    return Live(AccessToken(token.access_token.reveal()), token.generation, token.expires_at)
