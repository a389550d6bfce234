"""Connecting and disconnecting accounts: begin, complete, with_password, disconnect."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, router, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from .. import signals, state
from ..conf import mailup_settings
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
)
from ..mailup.grants import AuthorizationCode, Password
from ..mailup.tokens import TokenSet
from ..models import DEFAULT_REGISTRATION, AuthorizationRequest, ClientRegistration, Token
from . import clients, isolation, labels, registrations, schedule
from .rows import Clock
from .signalling import announce


@dataclass(frozen=True, slots=True)
class Completed:
    """What came of an authorization: the connection, whether its row is new, and where the user wanted to go."""

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
    """Start an authorization and return the URL of MailUp's page to send the browser to.

    Args:
        user: who presses *Connect*. Permission to connect the site is the caller's to check.
        session: what only this browser session knows and keeps; the answer must come back in the same one.
        callback_url: absolute URL of our callback, unless the registration has a redirect URI of its own.
        registration: slug of the client registration.
        next_url: where to go afterwards; its safety is the caller's to check.
        reconnect: the connection that is meant; its registration and owner count then.
        for_site: whether the connection is to be the site's own.

    Raises:
        RegistrationUnavailable: no such registration.
        TransactionOpen: called inside a transaction.
        Misconfigured: the base URL is plain http.
    """
    _refuse_transaction(AuthorizationRequest)
    if reconnect is not None:
        registration, for_site = reconnect.registration.slug, reconnect.user_id is None
    row = registrations.find(registration)
    base = row.redirect_uri or callback_url
    request = AuthorizationRequest(
        user=user,
        registration=row,
        for_site=for_site,
        token_pk=reconnect.pk if reconnect is not None else None,
        redirect_uri=base,
        next_url=next_url,
        expires_at=clock() + mailup_settings.STATE_LIFETIME,
    )
    issued = state.issue(request, session=session)
    client = registrations.oauth_client(row, clock=clock)
    return client.authorization_url(redirect_uri=_redirect_uri(base, issued), state=issued)


@sensitive_variables("code", "pair")
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
    """Take MailUp's answer: redeem the state, exchange the code at once, store the pair, learn whose account it is.

    Args:
        user, session: as in `begin`.
        received_state: OAuth's `state`, from the path or the query.
        code, error: what MailUp's redirect brought (RFC 6749 section 4.1.2); one of the two.
        request: passed on to the signal.

    Raises:
        TransactionOpen: called inside a transaction; nothing was spent.
        StateMismatch: forged, repeated, expired, another session's or user's.
        AuthorizationDenied: the user said no.
        CodeRefused: MailUp refused the code.
        AccountMismatch: another account than the one to be reconnected; that one is as it was.
        MailUpUnavailable, ClientRejected, UnexpectedResponse, DecryptionFailed: as they say; nothing was stored.
    """
    _refuse_transaction(Token)
    if not (code or error):
        raise StateMismatch
    waiting = state.redeem(received_state, session=session, user_pk=user.pk, now=clock())
    if error:
        raise _denied(error)
    registration = waiting.registration
    if not registration.enabled:
        raise RegistrationUnavailable
    redirect_uri = _redirect_uri(waiting.redirect_uri, received_state)
    pair = registrations.exchange(registration, AuthorizationCode(code, redirect_uri), clock=clock)
    owner = None if waiting.for_site else user
    token, created = _connect(pair, registration, owner, meant=waiting.token_pk, request=request, clock=clock)
    return Completed(token, created, waiting.next_url)


@sensitive_variables("password", "pair")
def with_password(
    *,
    username: str,
    password: str,
    user: Any = None,
    registration: str = DEFAULT_REGISTRATION,
    clock: Clock = timezone.now,
) -> Token:
    """Connect by MailUp user name and password, for service accounts. The password is sent once and never stored.

    Args:
        user: the owner; None makes it the site's own connection.

    Raises:
        LoginRefused: wrong user name or password.
        TransactionOpen, RegistrationUnavailable, MailUpUnavailable, ClientRejected: as they say; nothing was stored.
    """
    _refuse_transaction(Token)
    row = registrations.find(registration)
    pair = registrations.exchange(row, Password(username, password), clock=clock)
    return _connect(pair, row, user, meant=None, request=None, clock=clock)[0]


def disconnect(token: Token, *, request: HttpRequest | None = None) -> None:
    """Delete a connection. A renewal under way finds no row and drops its pair.

    MailUp has no call to withdraw consent: the user can do that in MailUp's console.
    """
    gone = copy.copy(token)
    gone.access_token = gone.refresh_token = ""
    using = router.db_for_write(Token)
    deleted, _ = Token.objects.using(using).filter(pk=token.pk).delete()
    if not deleted:
        return

    def tell() -> None:
        Event.ACCOUNT_DISCONNECTED.log(token=token.pk)
        announce(signals.account_disconnected, gone, request=request)

    if isolation.inside_block(using):
        transaction.on_commit(tell, using=using)
    else:
        tell()


@sensitive_variables("pair")
def _connect(
    pair: TokenSet,
    registration: ClientRegistration,
    user: Any,
    *,
    meant: int | None,
    request: HttpRequest | None,
    clock: Clock,
) -> tuple[Token, bool]:
    """Save a pair that MailUp has just given, as a row without a name, before anything else happens; then name it.

    Returns the connection, and whether its row is new. Raises StateMismatch (the owner is gone) and AccountMismatch.
    """
    try:
        token = Token.objects.using(router.db_for_write(Token)).create(
            registration=registration, user=user, connected_at=pair.received_at, **schedule.columns(pair)
        )
    except IntegrityError:
        raise StateMismatch("The user or the client registration was deleted meanwhile.") from None
    registrations.accepted(registration)
    token, created = _identify(token, meant=meant, clock=clock)
    Event.ACCOUNT_CONNECTED.log(token=token.pk, created=created)
    announce(signals.account_connected, token, request=request, created=created)
    return token, created


def _identify(token: Token, *, meant: int | None, clock: Clock) -> tuple[Token, bool]:
    """Ask MailUp whose account this is. Returns the row that holds the pair now, and whether it is a new one.

    When MailUp doesn't say, the row stays without a name until a call succeeds.

    Raises:
        AccountMismatch: it isn't the account of the row that was meant.
    """
    try:
        info = clients.client_of(token, clock=clock, labels_row=False).account.info()
    except MailUpError as error:
        Event.ACCOUNT_UNKNOWN.log(token=token.pk, error=error.code)
        return token, True
    intended = Token.objects.using(router.db_for_write(Token)).filter(pk=meant).first() if meant is not None else None
    if intended is not None and intended.account_uid not in (None, info.uid):
        if labels.twin(token, info.uid) is None:
            token.delete()  # nobody asked for a connection to this account
        else:
            labels.label(token.pk, info)  # it has one, and MailUp may have ended that one's pair with this login
        raise AccountMismatch(
            f"You logged in to MailUp as {info.username}, but the connection is that of {intended}."
            " Log out of MailUp and try again."
        )
    kept = labels.label(token.pk, info)
    return kept, kept.pk == token.pk


def _redirect_uri(base: str, issued: str) -> str:
    """Return the redirect URI of one authorization. MailUp may not echo `state`, so it travels in the path too."""
    return base if mailup_settings.STATE_IN == "query" else f"{base.rstrip('/')}/{issued}/"


def _denied(error: str) -> MailUpError:
    """Return what an error in MailUp's redirect means (RFC 6749 section 4.1.2.1). Its text could be anybody's."""
    if error == "access_denied":
        return AuthorizationDenied()
    if error in ("server_error", "temporarily_unavailable"):
        return MailUpUnavailable()
    return UnexpectedResponse("MailUp's login page answered with an error.")


def _refuse_transaction(model: type[Token] | type[AuthorizationRequest]) -> None:
    if isolation.inside_block(router.db_for_write(model)):
        raise TransactionOpen
