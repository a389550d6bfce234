"""Connect and disconnect MailUp accounts."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, router, transaction
from django.http import HttpRequest
from django.utils import timezone

from .. import signals
from ..conf import app_settings
from ..events import Event
from ..exceptions import (
    AccountMismatch,
    AuthorizationDenied,
    MailUpError,
    MailUpUnavailable,
    RegistrationUnavailable,
    StateMismatch,
    TransactionOpen,
    UnexpectedResponse,
    code_of,
)
from ..frames import forgets_locals
from ..mailup.grants import AuthorizationCode, Password
from ..mailup.tokens import TokenSet
from ..models import DEFAULT_REGISTRATION, AuthorizationRequest, ClientRegistration, Token
from ..registrations import circuit_breaker, oauth, store
from ..renewal import notify, own_connection, schedule
from ..renewal.stored_token import Clock
from . import clients, identity, state


@dataclass(frozen=True, slots=True)
class Completed:
    """A completed authorization: the connection, whether its row is new, and where the user wanted to go."""

    token: Token
    created: bool
    next_url: str


def begin(
    *,
    user: Any,
    session: str,
    callback_url: str,
    registration: str = DEFAULT_REGISTRATION,
    next_url: str = "",
    reconnect: Token | None = None,
    for_site: bool = False,
    clock: Clock = timezone.now,
) -> str:
    """Start an authorization, and return the URL of MailUp's page to send the browser to (RFC 6749 section 4.1.1).

    Args:
        user: who pressed *Connect*. The caller checks the permission to connect the site.
        session: a secret of this browser session; `complete` must be called with the same one.
        callback_url: absolute URL of the callback view.
        registration: slug of the client registration.
        next_url: where to go afterwards. The caller checks that it is safe.
        reconnect: the connection to authorize again; then its registration and owner count.
        for_site: whether the connection is to be the site's own.
        clock: returns the current time, aware.

    Raises:
        RegistrationUnavailable: there is no enabled registration of this slug.
        TransactionOpen: called inside a transaction.
        Misconfigured: MailUp's base URL is plain http.
        DecryptionFailed: the client secret can't be read with the configured keys.
    """
    _refuse_transaction(AuthorizationRequest)
    if reconnect is not None:
        registration, for_site = reconnect.registration.slug, reconnect.user_id is None
    found = store.find(registration)
    pending = AuthorizationRequest(
        user=user,
        registration=found,
        for_site=for_site,
        token_key=reconnect.key if reconnect is not None else None,
        redirect_uri=callback_url,
        next_url=next_url,
        expires_at=clock() + app_settings.STATE_LIFETIME,
    )
    issued = state.issue(pending, session=session)
    client = oauth.oauth_client(found, clock=clock)
    return client.authorization_url(redirect_uri=_with_state(callback_url, issued), state=issued)


@forgets_locals
def complete(
    *,
    user: Any,
    session: str,
    received_state: str,
    code: str = "",
    error: str = "",
    request: HttpRequest | None = None,
    clock: Clock = timezone.now,
) -> Completed:
    """Complete an authorization: redeem the state, exchange the code, store the pair, ask whose account it is.

    Args:
        user, session: the same as for `begin`.
        received_state: OAuth's `state`, from the path or the query of the callback.
        code, error: from the query of the callback (RFC 6749 section 4.1.2); one of the two.
        request: passed on to the signal.
        clock: returns the current time, aware.

    Raises:
        TransactionOpen: called inside a transaction; nothing was spent.
        StateMismatch: the state is forged, used, expired, or of another session or user.
        AuthorizationDenied: the user did not consent.
        RegistrationUnavailable: the registration was disabled meanwhile.
        CodeRefused: MailUp refused the code.
        AccountMismatch: the user logged in to another account than the one to reconnect, which is unchanged.
        MailUpUnavailable: MailUp can't be reached; nothing was stored.
        ClientRejected: MailUp refuses the client registration; nothing was stored.
        UnexpectedResponse: MailUp answered in no documented form; nothing was stored.
        DecryptionFailed: the client secret can't be read with the configured keys.
    """
    _refuse_transaction(Token)
    if not (code or error):
        raise StateMismatch
    pending = state.redeem(received_state, session=session, user_pk=user.pk, now=clock())
    if error:
        raise _denied(error)
    registration = pending.registration
    if not registration.enabled:
        raise RegistrationUnavailable
    redirect_uri = _with_state(pending.redirect_uri, received_state)
    pair = oauth.exchange(registration, AuthorizationCode(code, redirect_uri), clock=clock)
    owner = None if pending.for_site else user
    token, created = _store(pair, registration, owner, intended=pending.token_key, request=request, clock=clock)
    return Completed(token, created, pending.next_url)


@forgets_locals
def connect_with_password(
    *,
    username: str,
    password: str,
    user: Any = None,
    registration: str = DEFAULT_REGISTRATION,
    clock: Clock = timezone.now,
) -> Token:
    """Connect by MailUp user name and password (RFC 6749 section 4.3), for service accounts, and return the connection.

    The password is sent once and never stored.

    Args:
        username, password: of the MailUp user.
        user: the owner; None makes it the site's own connection.
        registration: slug of the client registration.
        clock: returns the current time, aware.

    Raises:
        LoginRefused: MailUp refused the user name or password.
        TransactionOpen: called inside a transaction; nothing was sent.
        RegistrationUnavailable: there is no enabled registration of this slug.
        MailUpUnavailable: MailUp can't be reached; nothing was stored.
        ClientRejected: MailUp refuses the client registration; nothing was stored.
        UnexpectedResponse: MailUp answered in no documented form; nothing was stored.
        DecryptionFailed: the client secret can't be read with the configured keys.
    """
    _refuse_transaction(Token)
    found = store.find(registration)
    pair = oauth.exchange(found, Password(username, password), clock=clock)
    return _store(pair, found, user, intended=None, request=None, clock=clock)[0]


def disconnect(token: Token, *, request: HttpRequest | None = None) -> None:
    """Delete a connection. A renewal that is under way finds no row, and drops its pair.

    MailUp has no call that withdraws consent: the user can do that in MailUp's console.

    Args:
        token: the connection.
        request: passed on to the signal, which is sent after the caller's transaction commits.
    """
    gone = copy.copy(token)
    gone.access_token = gone.refresh_token = ""
    using = router.db_for_write(Token)
    deleted, _ = Token.objects.using(using).filter(pk=token.pk).delete()
    if not deleted:
        return

    def announce() -> None:
        Event.ACCOUNT_DISCONNECTED.log(token=token.pk)
        notify.send(signals.account_disconnected, gone, request=request)

    if own_connection.inside_transaction(using):
        transaction.on_commit(announce, using=using)
    else:
        announce()


def _store(
    pair: TokenSet,
    registration: ClientRegistration,
    owner: Any,
    *,
    intended: UUID | None,
    request: HttpRequest | None,
    clock: Clock,
) -> tuple[Token, bool]:
    """Store a pair that MailUp has just issued, before anything else happens; then ask MailUp whose account it is.

    Args:
        intended: key of the connection to reconnect.

    Returns:
        The connection, and whether its row is new.

    Raises:
        StateMismatch: the owner or the registration was deleted meanwhile.
        AccountMismatch: it isn't the account of the intended connection.
    """
    try:
        token = Token.objects.using(router.db_for_write(Token)).create(
            registration=registration, user=owner, connected_at=pair.received_at, **schedule.columns(pair)
        )
    except IntegrityError:
        raise StateMismatch("The user or the client registration was deleted meanwhile.") from None
    circuit_breaker.mark_accepted(registration)
    created = True
    try:
        info = clients.client_of(token, clock=clock, identify=False).account.info()
        token, created = identity.identify(token, info, intended=intended)
    except AccountMismatch:
        raise
    except Exception as error:
        # The account stays unknown until a call succeeds.
        Event.ACCOUNT_UNKNOWN.log(token=token.pk, error=code_of(error))
    Event.ACCOUNT_CONNECTED.log(token=token.pk, created=created)
    notify.send(signals.account_connected, token, request=request, created=created)
    return token, created


def _with_state(redirect_uri: str, issued: str) -> str:
    """Return the redirect URI of one authorization. MailUp may not echo `state`, so the path carries it as well."""
    return redirect_uri if app_settings.STATE_IN == "query" else f"{redirect_uri.rstrip('/')}/{issued}/"


def _denied(error: str) -> MailUpError:
    """Return the exception for an error in the callback (RFC 6749 section 4.1.2.1). Its description is not repeated."""
    if error == "access_denied":
        return AuthorizationDenied()
    if error in ("server_error", "temporarily_unavailable"):
        return MailUpUnavailable()
    return UnexpectedResponse(reason="login_page")


def _refuse_transaction(model: type[Token] | type[AuthorizationRequest]) -> None:
    if own_connection.inside_transaction(router.db_for_write(model)):
        raise TransactionOpen
