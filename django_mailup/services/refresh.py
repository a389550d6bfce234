"""Renewing a pair so that no connection is ever lost: claim, call, save. The only module that sends refresh tokens.

However many threads, processes and hosts find a token expired, one of them gets the claim (a conditional UPDATE on the
row) and makes one POST; the others wait and see its outcome. The claim outlives the call, and the new pair is saved
before anything else happens.
"""

from __future__ import annotations

import copy
import random
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import InterfaceError, OperationalError, connections, transaction
from django.db.models import Case, F, Q, Value, When
from django.dispatch import Signal
from django.utils import timezone

from .. import signals
from ..conf import mailup_settings
from ..database_clock import DatabaseNow
from ..events import Event
from ..exceptions import (
    ClientRejected,
    MailUpError,
    MailUpUnavailable,
    RateLimited,
    ReauthorizationRequired,
    RegistrationUnavailable,
    TransactionOpen,
    UnexpectedResponse,
)
from ..mailup.grants import RefreshToken
from ..mailup.tokens import AccessToken
from ..models import Token
from . import isolation, registrations, rows, schedule
from .flights import Flights
from .rows import Clock, Live

LOCK_WAIT: Final = 1
"""Seconds that a claim made beside the caller's own transaction waits for a row lock: it may be the caller's."""


# -------------------------------------------------------------------------------- what others call


def access(
    pk: int,
    *,
    refused: int | None = None,
    at_once: bool = False,
    known: Token | None = None,
    clock: Clock = timezone.now,
) -> Live:
    """Return a usable access token of a row, renewing it first when it is about to run out.

    Args:
        pk: the row.
        refused: a generation whose access token MailUp refuses; renew unless somebody did meanwhile.
        at_once: try also if the last try failed just now.
        known: the row as it was read a moment ago, with its registration, when it is known to need a renewal: that
            saves a query. If it has changed since, the claim fails, and it is read again.

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
                flight.outcome = _lead(pk, refused, at_once, known, clock)
            except MailUpError as error:
                flight.outcome = _Outcome(error=error)
            finally:
                _flights.leave(key, flight)
            return _announced(flight.outcome, pk)
        if not flight.done.wait(2 * claim_life()):
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


def claim_life() -> float:
    """Return how many seconds a claim lasts: nothing is sent in its second half, so it outlives the call."""
    return 2 * mailup_settings.TOKEN_DEADLINE + 10


@dataclass
class _Outcome:
    """How a flight ended: a live token, or an error; and the signal that tells of it, if this process made it so."""

    live: Live | None = None
    error: MailUpError | None = None
    signal: Signal | None = None


_flights: Flights[tuple[str, int], _Outcome] = Flights()


# ------------------------------------------------------------------- one flight among all processes


def _lead(pk: int, refused: int | None, at_once: bool, known: Token | None, clock: Clock) -> _Outcome:
    """Fly for this process: apart from the caller's transaction, except in a test case, whose rows only it can see."""
    token = known
    if token is None:
        token = rows.read(pk)
        live = rows.usable(token, refused, clock(), at_once=at_once)
        if live is not None:
            return _Outcome(live=live)
        assert token is not None
    using = rows.database()
    if isolation.inside_test_case(using) or isolation.is_apart():
        return _settle(token, refused, at_once, False, clock)
    beside = isolation.inside_block(using)
    if beside and connections[using].vendor == "sqlite":
        raise TransactionOpen  # a block that has read already locks every other connection out
    return isolation.run_apart(using, lambda: _settle(token, refused, at_once, beside, clock))


def _settle(token: Token, refused: int | None, at_once: bool, beside: bool, clock: Clock) -> _Outcome:
    """Claim and renew, or wait for whoever has the claim, until there is an outcome."""
    pk, seen_failures, using = token.pk, token.failure_count, rows.database()
    give_up_at = time.monotonic() + 2 * claim_life()
    pause = 0.05
    while time.monotonic() < give_up_at:
        owner = str(uuid.uuid4())
        claimed_at = time.monotonic()
        try:
            claimed = _claim(token, owner, beside)
        except (OperationalError, InterfaceError):
            if beside:
                raise TransactionOpen from None
            claimed = (
                False  # another one got it first, or the connection broke; if the database is gone, the read says so
            )
            if not connections[using].in_atomic_block:
                connections[using].close_if_unusable_or_obsolete()
            time.sleep(pause * random.random())
        if claimed:
            token.interrupted = token.interrupted or token.claim_owner != ""  # as the claim has just written
            outcome = _renew(token, owner, claimed_at, clock)
            if outcome is not None:
                return outcome
        while True:
            fresh = rows.read(pk)
            if fresh is None and beside:
                raise TransactionOpen  # the caller's transaction made the row
            if fresh is not None and fresh.generation == token.generation and fresh.failure_count != seen_failures:
                return _Outcome(error=rows.recorded(fresh))
            live = rows.usable(fresh, refused, clock(), at_once=at_once, just_received=token.generation)
            if live is not None:
                return _Outcome(live=live)
            assert fresh is not None
            token = fresh
            if not fresh.claim_is_live:  # type: ignore[attr-defined]
                break
            if time.monotonic() > give_up_at:
                break
            time.sleep(pause * (0.5 + random.random()))
            pause = min(pause * 1.4, 0.5)
    raise MailUpUnavailable("Another renewal of this token takes too long: try again later.")


def _claim(token: Token, owner: str, beside: bool) -> bool:
    """Take the claim on a row, if nobody has it and the row is as it was read. One UPDATE, committed at once."""
    using = rows.database()
    free = Q(claim_owner="") | Q(claimed_until__lte=DatabaseNow())
    unclaimed = Token.objects.using(using).filter(
        free, pk=token.pk, generation=token.generation, status=Token.Status.ACTIVE
    )
    values: dict[str, Any] = {
        # Whoever had the claim and let it run out may have spent the refresh token.
        "interrupted": Case(When(~Q(claim_owner=""), then=Value(True)), default=F("interrupted")),
        "claim_owner": owner,
        "claimed_until": DatabaseNow(claim_life()),
    }
    if not beside:
        return unclaimed.update(**values) == 1
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}s'")
        elif connection.vendor == "mysql":
            cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {LOCK_WAIT}")
        return unclaimed.update(**values) == 1


def _renew(token: Token, owner: str, claimed_at: float, clock: Clock) -> _Outcome | None:
    """Make the call and save what comes of it. None: the row was changed under the claim, so look again."""
    registration = token.registration
    try:
        registrations.may_try(registration, now=clock())
        grant = RefreshToken(token.refresh_token.reveal())
        left = claim_life() / 2 - (time.monotonic() - claimed_at)
        if left <= 0:
            raise MailUpUnavailable("This process was held up too long to renew the token.", may_have_arrived=False)
        pair = registrations.exchange(registration, grant, deadline=left, clock=clock)
    except MailUpError as error:
        return _failed(token, owner, error, clock())
    columns = schedule.columns(pair)
    columns["refreshed_at"] = pair.received_at
    columns["generation"] = token.generation + 1
    if not _save(token, owner, columns, until=claimed_at + claim_life()):
        return None
    registrations.accepted(registration)
    Event.TOKEN_REFRESHED.log(token=token.pk, generation=token.generation + 1)
    live = Live(AccessToken(pair.access_token), token.generation + 1, pair.expires_at)
    return _Outcome(live=live, signal=signals.token_refreshed)


def _failed(token: Token, owner: str, error: MailUpError, moment: datetime) -> _Outcome | None:
    """Write a failure on the row, and give the claim back. Only MailUp's own refusal of the grant ends a connection."""
    columns: dict[str, Any] = {"claim_owner": "", "claimed_until": None}
    signal = signals.token_refresh_failed
    failures = token.failure_count + 1
    if not isinstance(error, (ClientRejected, RegistrationUnavailable)):  # those stand on the registration
        sentence = str(error)
        if isinstance(error, ReauthorizationRequired) and token.interrupted:
            sentence += " An earlier renewal was interrupted before its answer could be stored."
            error = type(error)(sentence)
        columns |= {"failed_at": moment, "failure_count": failures, "last_error": f"{error.code}: {sentence}"[:300]}
        if isinstance(error, ReauthorizationRequired):
            columns["status"] = Token.Status.REAUTHORIZATION_REQUIRED
            signal = signals.reauthorization_required
        else:
            wait = schedule.backoff(failures, fraction=random.random())
            if isinstance(error, RateLimited):
                wait = max(wait, timedelta(seconds=error.retry_after))
            columns["refresh_at"] = moment + wait
            if _may_be_spent(error):
                columns["interrupted"] = True
    if not _save(token, owner, columns, until=time.monotonic() + claim_life() / 2):
        return None
    Event.TOKEN_REFRESH_FAILED.log(token=token.pk, error=error.code, failures=failures)
    return _Outcome(error=error, signal=signal)


def _may_be_spent(error: MailUpError) -> bool:
    """Say whether MailUp may have renewed the pair although the new one didn't get here: no answer, or an odd 200."""
    if isinstance(error, UnexpectedResponse):
        return error.status in (0, 200)
    return isinstance(error, MailUpUnavailable) and error.may_have_arrived


def _save(token: Token, owner: str, columns: dict[str, Any], *, until: float) -> bool:
    """Write an outcome, if claim and generation are still ours. A lost database is tried again until the deadline."""
    using = rows.database()
    pause = 0.1
    while True:
        try:
            ours = Token.objects.using(using).filter(pk=token.pk, claim_owner=owner, generation=token.generation)
            return ours.update(**columns) == 1
        except (OperationalError, InterfaceError):
            if time.monotonic() + pause > until or connections[using].in_atomic_block:
                raise
            connections[using].close()
            time.sleep(pause)
            pause = min(pause * 2, 1.0)


def _announced(outcome: _Outcome, pk: int) -> Live:
    """Send the signal of an outcome, in the caller's thread and after the save; then return or raise."""
    if outcome.signal is not None and outcome.signal.has_listeners(Token):
        token = Token.objects.using(rows.database()).select_related("registration", "user").filter(pk=pk).first()
        if token is not None:
            announce(outcome.signal, token, error=outcome.error)
    if outcome.error is not None:
        raise outcome.error
    assert outcome.live is not None
    return outcome.live


def announce(signal: Signal, token: Token, **details: Any) -> None:
    """Send a signal about a token to every receiver; one that fails is logged, by Django, and stops nothing."""
    arguments = {"request": None, "created": None, "error": None, **details}
    signal.send_robust(sender=Token, token=token, user=token.user, registration=token.registration, **arguments)
