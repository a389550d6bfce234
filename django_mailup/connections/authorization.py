"""Store the pair of a newly connected account, connect by password, disconnect."""

from __future__ import annotations

import copy
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, router, transaction
from django.http import HttpRequest
from django.utils import timezone

from .. import signals
from ..events import Event
from ..exceptions import AccountMismatch, StateMismatch, TransactionOpen, code_of
from ..frames import forgets_locals
from ..mailup.grants import Password
from ..mailup.tokens import TokenSet
from ..models import DEFAULT_REGISTRATION, ClientRegistration, Token
from ..registrations import circuit_breaker, oauth, store
from ..renewal import notify, own_connection, schedule
from ..renewal.stored_token import Clock
from . import clients, identity


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
    refuse_transaction()
    found = store.find(registration)
    pair = oauth.exchange(found, Password(username, password), clock=clock)
    return store_pair(pair, found, user, intended=None, request=None, clock=clock)[0]


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
    deleted, _ = Token.objects.using(using).filter(key=token.key).delete()
    if not deleted:
        return

    def announce() -> None:
        Event.ACCOUNT_DISCONNECTED.log(token=token.key)
        notify.send(signals.account_disconnected, gone, request=request)

    if own_connection.inside_transaction(using):
        transaction.on_commit(announce, using=using)
    else:
        announce()


def store_pair(
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
    key = uuid4()
    try:
        token = Token.objects.using(router.db_for_write(Token)).create(
            key=key, registration=registration, user=owner, connected_at=pair.received_at,
            **schedule.columns(pair, key),
        )  # fmt: skip
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
        Event.ACCOUNT_UNKNOWN.log(token=token.key, error=code_of(error))
    Event.ACCOUNT_CONNECTED.log(token=token.key, created=created)
    notify.send(signals.account_connected, token, request=request, created=created)
    return token, created


def refuse_transaction() -> None:
    """Raise TransactionOpen inside a transaction, whose rollback would forget a pair."""
    if own_connection.inside_transaction(router.db_for_write(Token)):
        raise TransactionOpen
