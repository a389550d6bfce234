"""A usable access token of a row, renewed first when it is about to run out: claim, call, save.

However many threads, processes and hosts find a token expired, one of them gets the claim (a conditional UPDATE on the
row) and makes one POST; the others wait and see its outcome. The claim outlives the call, and the new pair is saved
before anything else happens.
"""

from __future__ import annotations

import copy
import random
import time

from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from ..exceptions import MailUpError, MailUpUnavailable, TransactionOpen
from ..models import Token
from . import claims, isolation, rows
from .flights import Flights
from .renewals import Outcome, Renewal
from .rows import Clock, Live
from .signalling import announce_row

# -------------------------------------------------------------------------------- what others call


def access(
    pk: int,
    *,
    refused: int | None = None,
    at_once: bool = False,
    clock: Clock = timezone.now,
) -> Live:
    """Return a usable access token of a row, renewing it first when it is about to run out.

    Args:
        pk: the row.
        refused: a generation whose access token MailUp refuses; renew unless somebody did meanwhile.
        at_once: try also if the last try failed just now.

    Raises:
        NotConnected: the row is gone.
        ReauthorizationRequired: MailUp refused the refresh token.
        TransactionOpen: the pair couldn't be stored safely inside the caller's transaction; nothing was sent.
        MailUpUnavailable, ClientRejected, DecryptionFailed, UnexpectedResponse: as they say.
    """
    key = (rows.database(), pk)
    for _ in range(3):
        leader, flight = _flights.join(key)
        if leader:
            try:
                flight.outcome = _lead(pk, refused, at_once, clock)
            except MailUpError as error:
                flight.outcome = Outcome(error=error)
            finally:
                _flights.leave(key, flight)
            return _told(flight.outcome, pk)
        if not flight.done.wait(2 * claims.life()):
            break
        outcome = flight.outcome
        if outcome is None or isinstance(outcome.error, TransactionOpen):
            continue  # the leader failed for a reason of its own: an interruption, a transaction
        if outcome.error is not None:
            raise copy.copy(outcome.error)
        if outcome.live is not None and outcome.live.generation != refused:
            return outcome.live
    raise MailUpUnavailable("Another renewal of this token takes too long: try again later.")


def now(token: Token, *, clock: Clock = timezone.now) -> Live:
    """Renew a token although it may still be good. Raises as `access` does."""
    return access(token.pk, refused=token.generation, at_once=True, clock=clock)


_flights: Flights[tuple[str, int], Outcome] = Flights()


# ------------------------------------------------------------------- one flight among all processes


def _lead(pk: int, refused: int | None, at_once: bool, clock: Clock) -> Outcome:
    """Fly for this process: use what is there, or renew it apart from the caller's transaction."""
    token = rows.read(pk)
    live = rows.usable(token, refused, clock(), at_once=at_once)
    if live is not None:
        return Outcome(live=live)
    assert token is not None
    return isolation.run_apart(rows.database(), lambda beside: _settle(token, refused, at_once, beside, clock))


def _settle(token: Token, refused: int | None, at_once: bool, beside: bool, clock: Clock) -> Outcome:
    """Claim and renew, or wait for whoever has the claim, until there is an outcome."""
    pk, seen_failures, using = token.pk, token.failure_count, rows.database()
    give_up_at = time.monotonic() + 2 * claims.life()
    pause = 0.05
    while time.monotonic() < give_up_at:
        try:
            claim = claims.take(token, beside=beside)
        except (OperationalError, InterfaceError):
            if beside:
                raise TransactionOpen from None
            claim = None  # another one got it first, or the connection broke; if the database is gone, the read says so
            if not connections[using].in_atomic_block:
                connections[using].close_if_unusable_or_obsolete()
            time.sleep(pause * random.random())
        if claim is not None:
            renewal = Renewal(claim, clock)
            outcome = renewal.outcome()
            if claims.write(claim, outcome.columns):
                renewal.written(outcome)
                return outcome
            # Not ours any more: the row was changed under the claim, so look again.
        while True:
            fresh = rows.read(pk)
            if fresh is None and beside:
                raise TransactionOpen  # the caller's transaction made the row
            if fresh is not None and fresh.generation == token.generation and fresh.failure_count != seen_failures:
                return Outcome(error=rows.recorded(fresh))
            live = rows.usable(fresh, refused, clock(), at_once=at_once, just_received=token.generation)
            if live is not None:
                return Outcome(live=live)
            assert fresh is not None
            token = fresh
            if not fresh.claim_is_live:  # type: ignore[attr-defined]
                break
            if time.monotonic() > give_up_at:
                break
            time.sleep(pause * (0.5 + random.random()))
            pause = min(pause * 1.4, 0.5)
    raise MailUpUnavailable("Another renewal of this token takes too long: try again later.")


def _told(outcome: Outcome, pk: int) -> Live:
    """Send the signal of an outcome, in the caller's thread and after the save; then return or raise."""
    if outcome.signal is not None:
        announce_row(outcome.signal, pk, error=outcome.error)
    if outcome.error is not None:
        raise outcome.error
    assert outcome.live is not None
    return outcome.live
