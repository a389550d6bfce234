"""The periodic renewal: which tokens are due, and renewing many of them. Tasks and the command call in here."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import router
from django.utils import timezone

from .. import state
from ..conf import mailup_settings
from ..exceptions import MailUpError
from ..models import Token
from . import isolation, refresh, schedule
from .refresh import Clock

logger = logging.getLogger("django_mailup")


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
    rows = Token.objects.using(router.db_for_write(Token))
    for pk in pks:
        try:
            token = rows.filter(pk=pk).first()
            if token is None or not token.is_active or schedule.due_at(token.received_at, token.expires_at) > clock():
                tally.skipped += 1
                continue
            refresh.access(pk, refused=token.generation, clock=clock)
            tally.refreshed += 1
        except MailUpError:
            tally.failed += 1  # said on the row, in the log and by signal
        except Exception:
            logger.exception("mailup.refresh_crashed token=%s", pk)
            tally.failed += 1
    return tally


def take_due(*, clock: Clock = timezone.now) -> Iterator[list[int]]:
    """Yield batches of primary keys that are due, each pushed forward by two periods as it is handed out.

    So a backlog isn't handed out twice, and what is lost on the way comes due again by itself.
    """
    moment = clock()
    rows = Token.objects.using(router.db_for_write(Token))
    while batch := list(rows.due(now=moment).values_list("pk", flat=True)[: mailup_settings.REFRESH_BATCH_SIZE]):
        rows.filter(pk__in=batch, refresh_at__lte=moment).update(refresh_at=moment + 2 * mailup_settings.REFRESH_PERIOD)
        yield batch


def clear_expired_requests(*, clock: Clock = timezone.now) -> int:
    """Delete authorization requests that nobody can redeem any more. Returns how many."""
    return state.clear_expired(now=clock())
