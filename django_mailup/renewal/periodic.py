"""The periodic renewal: which tokens are due, in batches, and renewing a batch."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from ..conf import app_settings
from ..events import Event
from ..exceptions import ClientRejected, Misconfigured
from ..models import Token
from . import batch, claims, notify, own_connection, schedule, stored_token, unseen
from .stored_token import Clock


@dataclass(frozen=True, slots=True)
class Batch:
    """Keys of tokens to renew, and in how many seconds from now."""

    keys: list[UUID]
    countdown: float


@dataclass
class Tally:
    """How many tokens were renewed, skipped (not due, not found, or claimed by another process) and failed."""

    refreshed: int = 0
    skipped: int = 0
    failed: int = 0


def hand_out_due(*, clock: Clock = timezone.now) -> Iterator[Batch]:
    """Yield batches of due tokens. Each one's `refresh_at` moves two refresh periods ahead as it is handed out.

    So a backlog isn't handed out twice, and a batch that is lost on the way comes due again by itself. At most
    REFRESH_RATE tokens a second are handed out, spread evenly over a period; the rest stays due for the next run.
    """
    now, tokens = clock(), Token.objects.using(stored_token.database())
    rate, period = app_settings.REFRESH_RATE, app_settings.REFRESH_PERIOD
    size = max(1, min(app_settings.REFRESH_BATCH_SIZE, int(rate)))  # at most one second's worth in a batch
    countdown = 0.0
    while countdown < period.total_seconds():
        keys = list(tokens.due(now=now).values_list("key", flat=True)[:size])
        if not keys:
            return
        # A value of this run's own, so that each of two runs at once can tell which rows it took.
        pushed_to = now + 2 * period + timedelta(microseconds=random.randrange(1_000_000))
        taken = tokens.filter(key__in=keys, refresh_at__lte=now).update(refresh_at=pushed_to)
        if taken < len(keys):
            keys = list(tokens.filter(key__in=keys, refresh_at=pushed_to).values_list("key", flat=True))
        if keys:
            yield Batch(keys, countdown)
        countdown += len(keys) / rate


def refresh_due(
    *,
    clock: Clock = timezone.now,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Tally:
    """Renew all tokens that are due, in this process, and return the totals. For sites without Celery.

    At most REFRESH_RATE tokens a second are renewed, as by the task, so a backlog takes up to REFRESH_PERIOD.

    Args:
        clock: returns the current time, aware.
        monotonic, sleep: as in `time`.
    """
    total, began_at = Tally(), monotonic()
    for handed_out in hand_out_due(clock=clock):
        wait = began_at + handed_out.countdown - monotonic()
        if wait > 0:
            sleep(wait)
        tally = refresh_many(handed_out.keys, clock=clock)
        total.refreshed += tally.refreshed
        total.skipped += tally.skipped
        total.failed += tally.failed
    return total


def refresh_many(keys: Iterable[UUID], *, clock: Clock = timezone.now) -> Tally:
    """Renew those of these tokens that are still due. A failure is stored on its row and stops no other.

    The first one is renewed alone, so that a client which MailUp refuses is tried once; then REFRESH_CONCURRENCY at a
    time. Keys that no row has are skipped and logged: connections that are gone by now, or another tenant's.

    Args:
        keys: keys of Tokens.
        clock: returns the current time, aware.

    Raises:
        TransactionOpen: on SQLite, inside a transaction of the caller's; nothing was sent.
        Misconfigured: PREPARE_CONNECTION doesn't let the own connection see rows that the caller sees. The others were
            renewed.
    """
    # One thread and connection for all of them. Rows that the caller's own transaction has locked are left alone.
    tally, not_found = own_connection.run(stored_token.database(), lambda _: _refresh_many(list(keys), clock))
    if not_found:
        Event.TOKENS_NOT_FOUND.log(count=len(not_found), token=min(not_found))
        reason = unseen.reason(not_found)
        if isinstance(reason, Misconfigured):
            raise reason
    return tally


def _refresh_many(wanted: list[UUID], clock: Clock) -> tuple[Tally, set[UUID]]:
    """Renew tokens on this connection. Return the totals, and the keys that no row has which it sees."""
    waiting = deque(dict.fromkeys(wanted))
    tally = Tally(skipped=len(wanted) - len(waiting))
    unclaimed: set[UUID] = set()
    rejected: set[int] = set()
    at_once = 1
    while waiting:
        group = [waiting.popleft() for _ in range(min(at_once, len(waiting)))]
        claimed = claims.take_many(group)
        unclaimed |= set(group) - {claim.token.key for claim in claimed}
        due = [
            claim for claim in claimed if _is_due(claim.token, clock) and claim.token.registration_id not in rejected
        ]
        claims.release([claim for claim in claimed if claim not in due])
        results = batch.renew(due, clock)
        tally.skipped += len(group) - len(results)
        for claim, outcome in results:
            if outcome is not None and outcome.signal is not None:
                notify.send_stored(outcome.signal, claim.token.key, error=outcome.error)
            if outcome is not None and isinstance(outcome.error, ClientRejected):
                rejected.add(claim.token.registration_id)  # stored on the registration; its other tokens stay due
            if outcome is not None and outcome.error is None:
                tally.refreshed += 1
            else:
                tally.failed += 1  # on the row, in the log and by signal
        at_once = app_settings.REFRESH_CONCURRENCY if claims.can_take_many() else 1
    return tally, claims.unseen(unclaimed) if unclaimed else set()


def _is_due(token: Token, clock: Clock) -> bool:
    now = clock()
    return not stored_token.is_blocked(token, now) and schedule.due_at(token.received_at, token.expires_at) <= now
