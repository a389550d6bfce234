"""The periodic renewal: which tokens are due, and renewing many of them. Tasks and the command call in here."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from .. import state
from ..conf import mailup_settings
from ..exceptions import ClientRejected
from ..models import Token
from . import claims, isolation, rows, schedule, waves
from .rows import Clock
from .signalling import announce_row


@dataclass
class Tally:
    """What became of some tokens."""

    refreshed: int = 0
    skipped: int = 0
    failed: int = 0


def many(pks: Iterable[int], *, clock: Clock = timezone.now) -> Tally:
    """Renew those of these tokens that are still due. A failure stays on its row and stops no other.

    The first is renewed alone, so that a client that MailUp refuses is asked once; then REFRESH_CONCURRENCY at a time.

    Raises:
        TransactionOpen: on SQLite, inside a transaction of the caller's; nothing was sent.
    """
    # One thread and connection for all, not for each. What the caller's own transaction has locked is left alone.
    return isolation.run_apart(rows.database(), lambda _: _many(pks, clock))


def _many(pks: Iterable[int], clock: Clock) -> Tally:
    wanted = list(pks)
    waiting = deque(dict.fromkeys(wanted))
    tally = Tally(skipped=len(wanted) - len(waiting))
    rejected: set[int] = set()
    at_once = 1
    while waiting:
        wave = [waiting.popleft() for _ in range(min(at_once, len(waiting)))]
        held = claims.take_many(wave)
        due = [claim for claim in held if _is_due(claim.token, clock) and claim.token.registration_id not in rejected]
        claims.give_back([claim for claim in held if claim not in due])
        results = waves.renew(due, clock)
        tally.skipped += len(wave) - len(results)
        for claim, outcome in results:
            if outcome is not None and outcome.signal is not None:
                announce_row(outcome.signal, claim.token.pk, error=outcome.error)
            if outcome is not None and isinstance(outcome.error, ClientRejected):
                rejected.add(claim.token.registration_id)  # said once, on the registration; the others come due again
            if outcome is not None and outcome.error is None:
                tally.refreshed += 1
            else:
                tally.failed += 1  # said on the row, in the log and by signal
        at_once = mailup_settings.REFRESH_CONCURRENCY if claims.can_take_many() else 1
    return tally


def _is_due(token: Token, clock: Clock) -> bool:
    return schedule.due_at(token.received_at, token.expires_at) <= clock()


@dataclass(frozen=True, slots=True)
class Batch:
    """Primary keys to renew, and after how many seconds."""

    pks: list[int]
    countdown: float


def take_due(*, clock: Clock = timezone.now) -> Iterator[Batch]:
    """Yield batches of primary keys that are due, each pushed forward by two periods as it is handed out.

    So a backlog isn't handed out twice, and what is lost on the way comes due again by itself. No more is handed out
    than REFRESH_RATE allows in a period, evenly spread over it; the rest stays due for the next run.
    """
    moment, tokens = clock(), Token.objects.using(rows.database())
    rate, period = mailup_settings.REFRESH_RATE, mailup_settings.REFRESH_PERIOD
    size = max(1, min(mailup_settings.REFRESH_BATCH_SIZE, int(rate)))  # no more than a second's worth at a time
    countdown = 0.0
    while countdown < period.total_seconds():
        pks = list(tokens.due(now=moment).values_list("pk", flat=True)[:size])
        if not pks:
            return
        # A moment of our own, so that of two runs at once each can tell which rows it took.
        pushed_to = moment + 2 * period + timedelta(microseconds=random.randrange(1_000_000))
        taken = tokens.filter(pk__in=pks, refresh_at__lte=moment).update(refresh_at=pushed_to)
        if taken < len(pks):
            pks = list(tokens.filter(pk__in=pks, refresh_at=pushed_to).values_list("pk", flat=True))
        if pks:
            yield Batch(pks, countdown)
        countdown += len(pks) / rate


def clear_expired_requests(*, clock: Clock = timezone.now) -> int:
    """Delete authorization requests that nobody can redeem any more. Returns how many."""
    return state.clear_expired(now=clock())
