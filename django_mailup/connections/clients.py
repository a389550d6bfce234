"""Find the connection of a user or of the site itself, and make the MailUp client that acts through it."""

from __future__ import annotations

import hashlib
import threading
from functools import partial

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import router, transaction
from django.utils import timezone

from .. import network
from ..conf import app_settings
from ..events import Event
from ..exceptions import MultipleConnections, NotConnected, Unauthorized, code_of
from ..mailup.client import MailUpClient
from ..mailup.resources.account import AccountInfo
from ..mailup.tokens import AccessToken
from ..mailup.transport import Transport
from ..models import DEFAULT_REGISTRATION, Token
from ..renewal import on_demand, own_connection, stored_token
from ..renewal.stored_token import Clock, UsableToken
from ..throttle import CacheThrottle
from . import identity

Owner = AbstractBaseUser | AnonymousUser
"""What `request.user` may be. An anonymous user is accepted, owns no connection and gets NotConnected."""


def client_for(
    owner: Owner,
    *,
    account: Token | str | None = None,
    registration: str = DEFAULT_REGISTRATION,
    patience: float | None = None,
    clock: Clock = timezone.now,
) -> MailUpClient:
    """Return a MailUp client that acts for a user. Makes one database query and no request.

    The client renews its access token by itself. Keep it for one request or one job, and get a new one for the next.

    Args:
        owner: the user whose connection is used, such as `request.user`; `client_for_site` uses the site's own.
        account: which MailUp account, if the user has several: a Token or an account UID.
        registration: slug of the client registration.
        patience: how many seconds a call may wait, for its turn under MailUp's limit of calls or after a 429;
            `RATE_PATIENCE` by default. With 0 a call raises RateLimited instead of waiting, so that a Celery task can
            wait outside the worker: `raise self.retry(countdown=error.retry_after)`.
        clock: returns the current time, aware.

    Raises:
        NotConnected: the user has no such connection, or is anonymous.
        MultipleConnections: the user has several connections, and `account` names none.
        ReauthorizationRequired: MailUp has ended the connection.
        DecryptionFailed: the stored token can't be read with the configured keys.
        TypeError: `owner` is not a user.
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

    Makes one database query and no request.

    Args:
        account, registration, patience, clock: see `client_for`.

    Raises:
        NotConnected: the site has no such connection.
        MultipleConnections: the site has several connections, and `account` names none.
        ReauthorizationRequired: MailUp has ended the connection.
        DecryptionFailed: the stored token can't be read with the configured keys.
    """
    token = connection_of_site(account=account, registration=registration)
    return client_of(token, patience=patience, clock=clock)


def connection_of(
    owner: Owner, *, account: Token | str | None = None, registration: str = DEFAULT_REGISTRATION
) -> Token:
    """Return the connection that `client_for` would use, whether MailUp has ended it or not.

    Args:
        owner, account, registration: see `client_for`.

    Raises:
        NotConnected: the user has no such connection, or is anonymous.
        MultipleConnections: the user has several connections, and `account` names none.
        TypeError: `owner` is not a user.
    """
    # `request.user` is a SimpleLazyObject, whose __class__ is that of the user in it: isinstance() goes by that.
    if isinstance(owner, AnonymousUser):
        raise NotConnected
    if not isinstance(owner, get_user_model()):
        raise TypeError(
            f"A connection belongs to a user, not to {type(owner).__name__}; client_for_site() is the site's."
        )
    return _only_connection(owner, account, registration)


def connection_of_site(*, account: Token | str | None = None, registration: str = DEFAULT_REGISTRATION) -> Token:
    """Return the connection that `client_for_site` would use, whether MailUp has ended it or not.

    Args:
        account, registration: see `client_for`.

    Raises:
        NotConnected: the site has no such connection.
        MultipleConnections: the site has several connections, and `account` names none.
    """
    return _only_connection(None, account, registration)


def client_of(
    token: Token,
    *,
    patience: float | None = None,
    clock: Clock = timezone.now,
    identify: bool = True,
    renew: bool = True,
) -> MailUpClient:
    """Return a MailUp client that acts through one connection. Makes no database query and no request.

    Args:
        token: the connection, read with its registration.
        patience, clock: see `client_for`.
        identify: whether to ask MailUp whose account this is after the first successful call, if that isn't known yet.
        renew: whether to renew the access token when needed. If not, calls raise Unauthorized instead.

    Raises:
        ReauthorizationRequired: MailUp has ended the connection.
        DecryptionFailed: the stored token can't be read with the configured keys.
    """
    source = (_StoredTokenSource if renew else _UnrenewedTokenSource)(token, clock)
    adapter = network.replacement()
    return MailUpClient(
        source,
        endpoints=app_settings.endpoints(),
        transport=Transport(
            timeout=(app_settings.TIMEOUT, app_settings.TIMEOUT),
            deadline=app_settings.API_DEADLINE,
            answer_limit=app_settings.ANSWER_LIMIT,
            pool_size=app_settings.POOL_SIZE,
            adapter=adapter,
        ),
        # The limit is the real MailUp's; a sandbox has its own.
        throttle=CacheThrottle(_counted_as(token)) if adapter is None else None,
        patience=app_settings.RATE_PATIENCE if patience is None else patience,
        on_success=source.identify if identify and not token.account_uid else None,
    )


def _counted_as(token: Token) -> str:
    """Return a name for what MailUp counts calls of: an account at a client; while it is unknown, the connection."""
    counted = (app_settings.BASE_URL, token.registration.client_id, token.account_uid or str(token.key))
    return hashlib.sha256("\n".join(counted).encode()).hexdigest()


def _only_connection(owner: AbstractBaseUser | None, account: Token | str | None, registration: str) -> Token:
    tokens = Token.objects.of(user=owner, registration=registration).filter(registration__enabled=True)
    if isinstance(account, Token):
        tokens = tokens.filter(key=account.key)
    elif account is not None:
        tokens = tokens.filter(account_uid=account)
    found = list(tokens[:2])
    if not found:
        raise NotConnected
    if len(found) > 1:
        raise MultipleConnections
    return found[0]


class _StoredTokenSource:
    """A TokenSource that reads the access token of a stored connection once, and renews it when needed.

    Several threads may use it: one of them renews while the others wait.
    """

    def __init__(self, token: Token, clock: Clock) -> None:
        stored_token.require_active(token)
        self._key = token.key
        self._clock = clock
        self._lock = threading.Lock()
        self._token = UsableToken(AccessToken(token.access_token.reveal()), token.generation, token.expires_at)

    def get(self) -> AccessToken:
        with self._lock:
            if not self._token.is_fresh(self._clock()):
                # What comes back is used without a look at the clock, which may be wrong: MailUp has just issued it.
                self._token = on_demand.usable_token(self._key, clock=self._clock)
            return self._token.access_token

    def renew(self, refused: AccessToken) -> AccessToken:
        with self._lock:
            if self._token.access_token == refused:
                self._token = on_demand.usable_token(self._key, refused=self._token.generation, clock=self._clock)
            return self._token.access_token

    def identify(self, client: MailUpClient) -> None:
        """Ask MailUp whose account this is, and store the answer. Only log failures: the next client tries again.

        In a transaction of the caller's the answer is stored when that is committed: a failure could break it.
        """
        using = router.db_for_write(Token)
        try:
            info = client.account.info()
            if own_connection.inside_transaction(using):
                transaction.on_commit(partial(self._store_identity, info), using=using)
            else:
                self._store_identity(info)
        except Exception as error:
            Event.ACCOUNT_UNKNOWN.log(token=self._key, error=code_of(error))

    def _store_identity(self, info: AccountInfo) -> None:
        try:
            self._key = identity.store_identity(self._key, info).key
        except Exception as error:
            Event.ACCOUNT_UNKNOWN.log(token=self._key, error=code_of(error))


class _UnrenewedTokenSource(_StoredTokenSource):
    """A TokenSource that uses the access token as it is stored, and spends no refresh token."""

    def get(self) -> AccessToken:
        if not self._token.is_fresh(self._clock()):
            raise Unauthorized(reason="expired")
        return self._token.access_token

    def renew(self, refused: AccessToken) -> AccessToken:
        raise Unauthorized(reason="expired")
