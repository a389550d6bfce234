"""The periodic renewal: which tokens are due, and renewing many of them. Tasks and the command call in here."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db import connections, router
from django.utils import timezone

from .. import state
from ..conf import mailup_settings
from ..events import Event
from ..exceptions import ClientRejected, MailUpError
from ..models import Token
from . import isolation, refresh, schedule
from .rows import Clock


@dataclass
class Tally:
    """What became of some tokens."""

    refreshed: int = 0
    skipped: int = 0
    failed: int = 0


def many(pks: Iterable[int], *, clock: Clock = timezone.now) -> Tally:
    """Renew those of these tokens that are still due, one by one. A failure stays on its row and stops no other."""
    using = router.db_for_write(Token)
    if isolation.inside_test_case(using) or isolation.inside_block(using):
        return _many(pks, clock)
    return isolation.run_apart(using, lambda: _many(pks, clock))  # one thread and connection for all, not for each


def _many(pks: Iterable[int], clock: Clock) -> Tally:
    tally = Tally()
    using = router.db_for_write(Token)
    wanted = list(pks)
    known = Token.objects.using(using).select_related("registration").in_bulk(wanted)
    rejected: set[int] = set()
    for pk in wanted:
        token = known.pop(pk, None)  # once: the same key again has been seen to
        if (
            token is None
            or not token.is_active
            or token.registration_id in rejected
            or schedule.due_at(token.received_at, token.expires_at) > clock()
        ):
            tally.skipped += 1
            continue
        try:
            # If somebody renewed it since it was read, the generation is another one, and nothing is sent.
            refresh.access(pk, refused=token.generation, known=token, clock=clock)
            tally.refreshed += 1
        except ClientRejected:
            rejected.add(token.registration_id)  # said once, on the registration; the others come due again
            tally.failed += 1
        except MailUpError:
            tally.failed += 1  # said on the row, in the log and by signal
        except Exception:
            Event.REFRESH_CRASHED.log(token=pk, traceback=True)
            tally.failed += 1
            connections[using].close_if_unusable_or_obsolete()  # or the next ones would fail with it
    return tally


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
    moment, rows = clock(), Token.objects.using(router.db_for_write(Token))
    rate, period = mailup_settings.REFRESH_RATE, mailup_settings.REFRESH_PERIOD
    size = max(1, min(mailup_settings.REFRESH_BATCH_SIZE, int(rate)))  # no more than a second's worth at a time
    countdown = 0.0
    while countdown < period.total_seconds():
        pks = list(rows.due(now=moment).values_list("pk", flat=True)[:size])
        if not pks:
            return
        # A moment of our own, so that of two runs at once each can tell which rows it took.
        pushed_to = moment + 2 * period + timedelta(microseconds=random.randrange(1_000_000))
        taken = rows.filter(pk__in=pks, refresh_at__lte=moment).update(refresh_at=pushed_to)
        if taken < len(pks):
            pks = list(rows.filter(pk__in=pks, refresh_at=pushed_to).values_list("pk", flat=True))
        if pks:
            yield Batch(pks, countdown)
        countdown += len(pks) / rate


def clear_expired_requests(*, clock: Clock = timezone.now) -> int:
    """Delete authorization requests that nobody can redeem any more. Returns how many."""
    return state.clear_expired(now=clock())
