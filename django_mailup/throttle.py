"""Keep all threads, processes and hosts together under MailUp's limit of calls a second, through Django's cache.

The calls of one connection and operation reserve numbered slots. A caller reads the times of the last slots, computes
the earliest time for its own, and reserves the next slot with that time by the cache's atomic `add`. If another caller
has reserved that slot, it tries the next. So a single call goes at once, up to five go together, and from the sixth on
they are spread evenly. Each takes two cache operations if no other caller competes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Final

from django.core.cache import caches

from .conf import app_settings
from .events import Event
from .exceptions import RateLimited

SLACK: Final = 0.035
"""Seconds added to MailUp's one-second window, since calls take varying time to arrive. Leaves 96.6 % of the limit."""

LATE: Final = 0.02
"""If a caller wakes up more than this many seconds late, it reserves a new slot, so that it doesn't collide with later
callers."""


class CacheThrottle:
    """The limit for one connection. Implements `mailup.client.Throttle`.

    Args:
        connection: names what MailUp counts calls of in cache keys, for all tenants and processes; no secret.
        clock, sleep: as in `time`; hosts that share a cache should agree about the time.
    """

    def __init__(
        self,
        connection: str,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._sleep = sleep

    def wait(self, operation: str, *, patience: float) -> None:
        """Wait until an operation may be called.

        If the cache fails or stores nothing, return at once: then MailUp's own 429 is the limit.

        Args:
            operation: what MailUp counts for itself, such as `GET /Console/List/{}/Groups`.
            patience: how many seconds the call may wait for its turn.

        Raises:
            RateLimited: its turn comes later than that; no turn was taken, and `retry_after` says in how many seconds.
        """
        rate = app_settings.RATE_LIMIT
        if not rate:
            return
        name = hashlib.sha256(f"{self._connection} {operation}".encode()).hexdigest()[:24]
        for _ in range(5):
            try:
                at = self._take(f"django_mailup.turn.{name}", rate, patience)
            except RateLimited:
                raise
            except Exception as error:  # whatever a cache backend raises when its server is away
                Event.CACHE_UNAVAILABLE.log(error=type(error).__name__)
                return
            delay = at - self._clock()
            if delay > 0:
                self._sleep(delay)
            if self._clock() - at <= LATE:
                return

    def _take(self, prefix: str, rate: int, patience: float) -> float:
        """Take the next turn and return its moment. Raises RateLimited if that is more than `patience` seconds away."""
        cache = caches[app_settings.CACHE_ALIAS]
        period = 1 + SLACK
        number = int(self._clock() * rate / period)  # turns are numbered by the clock, so that no counter is needed
        read_to = number + 2 * rate
        moments: dict[str, float] = cache.get_many(_keys(prefix, number - rate - 1, read_to))
        for _ in range(1000):
            while f"{prefix}.{number}" in moments:
                number += 1
                if number == read_to:
                    read_to += 4 * rate
                    moments |= cache.get_many(_keys(prefix, number, read_to))
            now = self._clock()
            latest = sorted(moments.values())[-rate:]
            at = now
            if len(latest) == rate and latest[0] + 2 * period > now:
                # In a busy second calls are spread: those that go together hold each other up, and arrive late.
                at = max(now, latest[0] + period, latest[-1] + period / rate / 2)
            if at - now > patience:
                raise RateLimited(reason="own_limit", retry_after=at - now)
            if cache.add(f"{prefix}.{number}", at, timeout=int(at - now) + 5):
                return at
            moments |= cache.get_many(_keys(prefix, number, read_to))
            if f"{prefix}.{number}" not in moments:
                raise ConnectionError("the cache neither stores the key nor finds it")
        raise ConnectionError("others were faster a thousand times")


def _keys(prefix: str, first: int, end: int) -> list[str]:
    return [f"{prefix}.{number}" for number in range(first, end)]
