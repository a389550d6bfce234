"""Give one caller a usable access token: use the stored one, renew it, or wait for whoever renews it.

However many threads, processes and hosts find a token expired, only one of them claims it (a conditional UPDATE on its
row) and sends one request; the others wait and get the same outcome. The claim lasts longer than the request may take,
and the new pair is stored before anything else happens.
"""

from __future__ import annotations

import copy
import random
import time
from typing import Final
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from ..exceptions import MailUpError, MailUpUnavailable, Misconfigured, NotConnected, TransactionOpen
from ..models import Token
from . import claims, notify, own_connection, stored_token, unseen
from .attempt import Outcome, Renewal
from .own_connection import Caller
from .single_flight import SingleFlight
from .stored_token import Clock, Need, UsableToken

_renewals: Final[SingleFlight[tuple[str, bool, UUID, Need], Outcome]] = SingleFlight()


def usable_token(
    key: UUID,
    *,
    refused: int | None = None,
    asked_for: bool = False,
    clock: Clock = timezone.now,
) -> UsableToken:
    """Return a usable access token of a connection. If it is about to expire, renew it first.

    Args:
        key: key of the Token.
        refused: a generation whose access token MailUp refuses: renew, unless a newer one is stored already.
        asked_for: whether a person asks for it: try again even if the last renewal failed less than half a minute ago.
        clock: returns the current time, aware.

    Raises:
        NotConnected: there is no such row, or it is another tenant's.
        ReauthorizationRequired: MailUp refused the refresh token.
        Unauthorized: a 401 has caused a renewal in the last five minutes, and MailUp refuses the renewed token as well.
        TransactionOpen: a new pair couldn't be stored safely inside the caller's transaction; nothing was sent.
        Misconfigured: PREPARE_CONNECTION doesn't let the renewal's own connection see the row; nothing was sent.
        ClientRejected: MailUp refuses the client registration.
        RegistrationUnavailable: the client registration is disabled.
        DecryptionFailed: the stored token can't be read with the configured keys.
        MailUpUnavailable: MailUp can't be reached, or another process takes too long to renew this token.
        UnexpectedResponse: MailUp's token endpoint answered in no documented form.
    """
    using, need = stored_token.database(), Need(refused, asked_for)
    is_plain = own_connection.is_plain(using)
    shared = (using, is_plain, key, need)
    for _ in range(3):
        leads, call = _renewals.join(shared)
        if leads:
            try:
                call.outcome = _use_or_renew(key, need, clock)
            except MailUpError as error:
                call.outcome = Outcome(error=error)
            finally:
                _renewals.leave(shared, call)
            return _announce(call.outcome, key)
        if not call.done.wait(2 * claims.lifetime()):
            break
        outcome = call.outcome
        if outcome is None or isinstance(outcome.error, (Misconfigured, NotConnected, TransactionOpen)):
            continue  # the leading thread failed for a reason of its own: an interruption, a transaction, its tenant
        if not is_plain and not Token.objects.using(using).filter(key=key).exists():
            raise NotConnected  # the leading thread acts for another tenant
        if outcome.error is not None:
            raise copy.copy(outcome.error)
        assert outcome.token is not None
        return outcome.token
    raise _takes_too_long()


def refresh(token: Token, *, clock: Clock = timezone.now) -> None:
    """Renew a token now, although it may still be valid. Raise what `usable_token` raises."""
    usable_token(token.key, refused=token.generation, asked_for=True, clock=clock)


def _use_or_renew(key: UUID, need: Need, clock: Clock) -> Outcome:
    """Use what is stored, or renew it apart from the caller's transaction. Runs in one thread of this process."""
    stored = stored_token.read(key)
    usable = stored_token.usable_as_is(stored, need, clock())
    if usable is not None:
        return Outcome(token=usable)
    assert stored is not None
    try:
        return own_connection.run(stored_token.database(), lambda caller: _claim_or_wait(stored, need, caller, clock))
    except NotConnected:  # its connection doesn't see the row, or not any more
        raise unseen.reason([key]) from None


def _claim_or_wait(stored: Token, need: Need, caller: Caller, clock: Clock) -> Outcome:
    """Claim the token and renew it, or wait for the process that has claimed it, until there is an outcome.

    The claim's UPDATE finds the row only if this connection sees it, so nothing is sent for a row that it doesn't see.
    """
    seen_failures, using = stored.failure_count, stored_token.database()
    give_up_at = time.monotonic() + 2 * claims.lifetime()
    pause = 0.05
    while time.monotonic() < give_up_at:
        try:
            claim = claims.take(stored, caller=caller)
        except (OperationalError, InterfaceError):
            if caller is Caller.IN_TRANSACTION:
                raise TransactionOpen from None
            claim = None  # another process won, or the connection broke; if the database is down, the read below fails
            if not connections[using].in_atomic_block:
                connections[using].close_if_unusable_or_obsolete()
            time.sleep(pause * random.random())
        if claim is not None:
            renewal = Renewal.begin(claim, clock, after_401=need.is_after_401(claim.token, clock()))
            outcome = renewal.outcome()
            if claims.write(claim, outcome.columns):
                renewal.confirm(outcome)
                return outcome
            # The row was changed although it was claimed, so read it again.
        while True:
            latest = stored_token.read(stored.key)
            if latest is not None and latest.generation == stored.generation and latest.failure_count != seen_failures:
                return Outcome(error=stored_token.stored_error(latest, clock()))
            usable = stored_token.usable_as_is(latest, need, clock(), just_received=stored.generation)
            if usable is not None:
                return Outcome(token=usable)
            assert latest is not None
            stored = latest
            if not latest.claim_is_live:  # type: ignore[attr-defined]
                break
            if time.monotonic() > give_up_at:
                break
            time.sleep(pause * (0.5 + random.random()))
            pause = min(pause * 1.4, 0.5)
    raise _takes_too_long()


def _announce(outcome: Outcome, key: UUID) -> UsableToken:
    """Send the outcome's signal, in the caller's thread and after the save. Return its token, or raise its error."""
    if outcome.signal is not None:
        notify.send_stored(outcome.signal, key, error=outcome.error)
    if outcome.error is not None:
        raise outcome.error
    assert outcome.token is not None
    return outcome.token


def _takes_too_long() -> MailUpUnavailable:
    return MailUpUnavailable(reason="busy", may_have_arrived=False)
