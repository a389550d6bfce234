"""Authenticated MailUp clients: for a user, for one of their accounts, or for the site itself."""

from __future__ import annotations

import threading

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from .. import network
from ..conf import app_settings
from ..exceptions import MailUpError, MultipleConnections, NotConnected
from ..mailup.client import MailUpClient
from ..mailup.tokens import AccessToken
from ..mailup.transport import Transport
from ..models import DEFAULT_REGISTRATION, Token
from ..renewal import on_demand, stored_token
from ..renewal.stored_token import Clock, UsableToken
from ..throttle import CacheThrottle
from . import identity

Owner = AbstractBaseUser | AnonymousUser
"""What `request.user` may be. An anonymous user owns nothing, which is NotConnected and not a TypeError."""


def client_for(
    owner: Owner,
    *,
    account: Token | str | None = None,
    registration: str = DEFAULT_REGISTRATION,
    patience: float | None = None,
    clock: Clock = timezone.now,
) -> MailUpClient:
    """Return a MailUp client that acts for a user. Costs one query.

    The client keeps its access token current by itself. Keep it for a request or a job, not for longer.

    Args:
        owner: the user whose connection is used. `client_for_site` is for the site's own.
        account: which MailUp account, if the user has several: a Token or an account uid.
        registration: slug of the client registration.
        patience: seconds that a call may wait for its turn under MailUp's limit of calls; `RATE_PATIENCE` by default.
            With 0 a call never waits, but raises RateLimited: for `self.retry(countdown=error.retry_after)`.
        clock: returns the current time, aware.

    Raises:
        NotConnected: there is no such connection, or the user is anonymous.
        MultipleConnections: there are several, and `account` names none.
        ReauthorizationRequired: MailUp has ended the connection.
        DecryptionFailed: the stored token can't be read with the configured keys.
        TypeError: `owner` is no user.
    """
    return client_of(connection_of(owner, account=account, registration=registration), patience=patience, clock=clock)


def client_for_site(
    *,
    account: Token | str | None = None,
    registration: str = DEFAULT_REGISTRATION,
    patience: float | None = None,
    clock: Clock = timezone.now,
) -> MailUpClient:
    """Return a MailUp client that acts through the site's own connection, such as for a public sign-up form.

    Arguments and errors are those of `client_for`.
    """
    token = connection_of_site(account=account, registration=registration)
    return client_of(token, patience=patience, clock=clock)


def connection_of(
    owner: Owner, *, account: Token | str | None = None, registration: str = DEFAULT_REGISTRATION
) -> Token:
    """Return the connection that `client_for` would use. Raise NotConnected, MultipleConnections or TypeError."""
    # isinstance() also sees the user inside request.user, which is a lazy object.
    if isinstance(owner, AnonymousUser):
        raise NotConnected
    if not isinstance(owner, get_user_model()):
        raise TypeError(
            f"A connection belongs to a user, not to {type(owner).__name__}; client_for_site() is the site's."
        )
    return _only_connection(owner, account, registration)


def connection_of_site(*, account: Token | str | None = None, registration: str = DEFAULT_REGISTRATION) -> Token:
    """Return the connection that `client_for_site` would use. Raise NotConnected or MultipleConnections."""
    return _only_connection(None, account, registration)


def client_of(
    token: Token, *, patience: float | None = None, clock: Clock = timezone.now, identify: bool = True
) -> MailUpClient:
    """Return a MailUp client that acts through one connection.

    Args:
        token: the connection.
        patience, clock: see `client_for`.
        identify: whether the first successful call also asks MailUp whose account this is, if that isn't known yet.

    Raises:
        ReauthorizationRequired: MailUp has ended the connection.
        DecryptionFailed: the stored token can't be read with the configured keys.
    """
    source = _StoredTokenSource(token, clock)
    adapter = network.replacement()
    throttle = CacheThrottle(f"{token.registration_id} {token.account_uid or token.pk}")
    return MailUpClient(
        source,
        endpoints=app_settings.endpoints(),
        transport=Transport(timeout=(app_settings.TIMEOUT, app_settings.TIMEOUT), adapter=adapter),
        throttle=throttle if adapter is None else None,  # the limit is the real MailUp's; a sandbox has its own
        patience=app_settings.RATE_PATIENCE if patience is None else patience,
        on_success=source.identify if identify and not token.account_uid else None,
    )


def _only_connection(owner: AbstractBaseUser | None, account: Token | str | None, registration: str) -> Token:
    tokens = Token.objects.of(user=owner, registration=registration).filter(registration__enabled=True)
    if isinstance(account, Token):
        tokens = tokens.filter(pk=account.pk)
    elif account is not None:
        tokens = tokens.filter(account_uid=account)
    found = list(tokens[:2])
    if not found:
        raise NotConnected
    if len(found) > 1:
        raise MultipleConnections
    return found[0]


class _StoredTokenSource:
    """Gives the access token of a stored connection, and keeps it in memory while it is valid."""

    def __init__(self, token: Token, clock: Clock) -> None:
        stored_token.require_active(token)
        self._pk = token.pk
        self._clock = clock
        self._lock = threading.Lock()
        self._token = UsableToken(AccessToken(token.access_token.reveal()), token.generation, token.expires_at)

    def get(self) -> AccessToken:
        with self._lock:
            if not self._token.is_fresh(self._clock()):
                # The result is used once whatever the clock says: a pair just received is good.
                self._token = on_demand.usable_token(self._pk, clock=self._clock)
            return self._token.access_token

    def renew(self, refused: AccessToken) -> AccessToken:
        with self._lock:
            if self._token.access_token == refused:
                self._token = on_demand.usable_token(self._pk, refused=self._token.generation, clock=self._clock)
            return self._token.access_token

    def identify(self, client: MailUpClient) -> None:
        """Store whose account this is, after the first call that succeeded. Its errors don't reach the caller."""
        try:
            self._pk = identity.store_identity(self._pk, client.account.info()).pk
        except (MailUpError, Token.DoesNotExist):
            return
