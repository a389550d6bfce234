"""Keep all threads, processes and hosts together under MailUp's limit of calls a second, through Django's cache.

On Redis a turn is taken by one script, see `throttle_redis`. What follows is for every other cache.

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
from django.core.cache.backends.base import BaseCache

from . import throttle_redis
from .conf import app_settings
from .events import Event
from .exceptions import RateLimited

SLACK: Final = 0.035
"""Seconds added to MailUp's one-second window, since calls take varying time to arrive. Leaves 96.6 % of the limit."""

PERIOD: Final = 1 + SLACK

LATE: Final = 0.02
"""If a caller wakes up more than this many seconds late, it reserves a new slot, so that it doesn't collide with later
callers."""


class CacheThrottle:
    """The limit for one connection. Implements `mailup.client.Throttle`.

    Args:
        connection: names what MailUp counts calls of in cache keys, for all tenants and processes; no secret.
        clock: as `time.time`; hosts that share a cache without scripts should agree about the time.
        monotonic, sleep: as in `time`.
    """

    def __init__(
        self,
        connection: str,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._monotonic = monotonic
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
        for _ in range(5):
            moment = self.reserve(operation, patience=patience)
            delay = moment - self._monotonic()
            if delay > 0:
                self._sleep(delay)
            if self._monotonic() - moment <= LATE:
                return

    def reserve(self, operation: str, *, patience: float) -> float:
        """Take the next turn of an operation without waiting for it. Return its moment, by `time.monotonic`.

        The call may be sent from then on, at most LATE seconds later. If there is no limit, or the cache fails or
        stores nothing, the moment is now.

        Args:
            operation, patience: see `wait`. With 0 only a turn that is free now is taken.

        Raises:
            RateLimited: see `wait`.
        """
        rate = app_settings.RATE_LIMIT
        delay = 0.0
        if rate:
            try:
                delay = self._take(operation, rate, patience)
            except RateLimited:
                raise
            except Exception as error:  # whatever a cache backend raises when its server is away
                Event.CACHE_UNAVAILABLE.log(error=type(error).__name__)
        return self._monotonic() + delay

    def _take(self, operation: str, rate: int, patience: float) -> float:
        """Take the next turn and return in how many seconds it is, negative if its moment has passed meanwhile."""
        name = hashlib.sha256(f"{self._connection} {operation}".encode()).hexdigest()[:24]
        alias = app_settings.CACHE_ALIAS
        cache = caches[alias]
        asked_at = self._monotonic()
        delay = throttle_redis.seconds_until_turn(
            cache, alias, f"django_mailup.turns.{name}", rate=rate, period=PERIOD, patience=patience
        )
        if delay is None:
            return self._take_slot(cache, f"django_mailup.turn.{name}", rate, patience) - self._clock()
        answer_took = self._monotonic() - asked_at
        # The delay counts from some moment of that time. If this is too uncertain, the turn counts as missed.
        return delay if answer_took <= SLACK else -answer_took

    def _take_slot(self, cache: BaseCache, prefix: str, rate: int, patience: float) -> float:
        """Reserve the next slot and return its time. Raise RateLimited if that is more than `patience` seconds away."""
        number = int(self._clock() * rate / PERIOD)  # turns are numbered by the clock, so that no counter is needed
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
            if len(latest) == rate and latest[0] + 2 * PERIOD > now:
                # In a busy second calls are spread: those that go together hold each other up, and arrive late.
                at = max(now, latest[0] + PERIOD, latest[-1] + PERIOD / rate / 2)
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
