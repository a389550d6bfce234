"""The limit of calls: exact by a clock that only the test moves, shared through a cache, absent without the cache."""

from __future__ import annotations

import threading
import uuid
from typing import Any, ClassVar

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from django_mailup.exceptions import RateLimited
from django_mailup.throttle import SLACK, CacheThrottle


class Time:
    """A clock that only sleeping moves."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class SharedTime(Time):
    """A clock for several threads. When all of them sleep, it moves on to the moment when the first one wakes up."""

    def __init__(self, threads: int) -> None:
        super().__init__()
        self._awake = threads
        self._wakes: list[float] = []
        self._moved = threading.Condition()

    def sleep(self, seconds: float) -> None:
        with self._moved:
            at = self.now + seconds
            self._wakes.append(at)
            self._fall_asleep()
            self._moved.wait_for(lambda: self.now >= at)

    def end(self) -> None:
        """Say that a thread sleeps no more."""
        with self._moved:
            self._fall_asleep()

    def _fall_asleep(self) -> None:
        self._awake -= 1
        if self._awake or not self._wakes:
            return
        self.now = min(self._wakes)
        self._awake = self._wakes.count(self.now)
        self._wakes = [at for at in self._wakes if at > self.now]
        self._moved.notify_all()


class ReadTogether(LocMemCache):
    """A cache in memory. The first reads, by six threads, end together, so that all six see the same."""

    first = threading.Semaphore(6)
    together = threading.Barrier(6)

    def get_many(self, *args: Any, **options: Any) -> Any:
        found = super().get_many(*args, **options)
        if self.first.acquire(blocking=False):
            self.together.wait()
        return found


def empty_cache(backend: type[LocMemCache] = LocMemCache) -> dict[str, dict[str, str]]:
    """Return CACHES with a cache in memory that nothing has used yet."""
    return {"default": {"BACKEND": f"{backend.__module__}.{backend.__name__}", "LOCATION": uuid.uuid4().hex}}


@pytest.fixture
def cache(settings: Any) -> Any:
    settings.CACHES = empty_cache()
    settings.MAILUP = {**settings.MAILUP, "RATE_LIMIT": 5}
    return caches["default"]


def most_in_a_second(moments: list[float]) -> int:
    return max(sum(start <= other < start + 1 for other in moments) for start in moments)


def test_five_go_at_once_and_the_others_are_spread_over_the_seconds_after(cache: Any) -> None:
    time = Time()
    throttle = CacheThrottle("1", clock=time, monotonic=time, sleep=time.sleep)
    begin, moments = time.now, []
    for _ in range(11):
        throttle.wait("GET /Console/List", patience=30)
        moments.append(round(time.now - begin, 3))

    period, gap = 1 + SLACK, (1 + SLACK) / 10
    expected = [0] * 5 + [period + number * gap for number in range(5)] + [2 * period]
    assert moments == pytest.approx(expected, abs=0.001)


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.floats(0, 1.5), min_size=1, max_size=60), st.floats(0, 10**9), st.integers(1, 9))
def test_however_calls_come_no_second_holds_more_than_the_limit(
    cache: Any, settings: Any, gaps: list[float], begin: float, rate: int
) -> None:
    settings.MAILUP = {**settings.MAILUP, "RATE_LIMIT": rate}
    settings.CACHES = empty_cache()
    time, moments = Time(begin), []
    throttles = [CacheThrottle("1", clock=time, monotonic=time, sleep=time.sleep) for _ in range(3)]
    for number, gap in enumerate(gaps):
        time.now += gap
        throttles[number % 3].wait("GET /Console/List", patience=1000)
        moments.append(time.now)

    assert most_in_a_second(moments) <= rate


def test_reservations_ahead_are_kept_in_order(cache: Any) -> None:
    """Many callers take their turn before any of them has waited: the queue is no longer than it must be."""
    time, slept = Time(), []
    throttle = CacheThrottle("1", clock=time, monotonic=time, sleep=slept.append)
    throttle._clock = lambda: time.now  # nobody is late on a clock that stands still
    for _ in range(100):
        throttle.wait("GET /Console/List", patience=1000)

    moments = [0.0] * 5 + slept
    assert sorted(moments) == moments
    assert most_in_a_second(moments) == 5
    assert moments[-1] == pytest.approx(19 * (1 + SLACK) + 4 * (1 + SLACK) / 10)


class Noting(LocMemCache):
    """A cache in memory. Notes the value of each key that is added, and after how many seconds it goes."""

    added: ClassVar[list[tuple[float, float]]] = []

    def add(self, key: str, value: Any, timeout: Any = None, version: Any = None) -> bool:
        self.added.append((value, timeout))
        return super().add(key, value, timeout, version)


def test_a_reservation_is_kept_for_as_long_as_others_must_know_of_it(settings: Any) -> None:
    settings.CACHES = empty_cache(Noting)
    settings.MAILUP = {**settings.MAILUP, "RATE_LIMIT": 5}
    Noting.added.clear()
    time = Time()
    throttle = CacheThrottle("1", clock=lambda: time.now, sleep=lambda _: None)
    for _ in range(20):
        throttle.wait("GET /Console/List", patience=1000)

    assert max(at for at, _ in Noting.added) > time.now + 3
    assert all(timeout >= at - time.now + 2 * (1 + SLACK) for at, timeout in Noting.added)


def test_the_limit_is_kept_in_the_cache_that_a_setting_names(settings: Any) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
        "limits": empty_cache()["default"],
    }
    settings.MAILUP = {**settings.MAILUP, "RATE_LIMIT": 1, "CACHE_ALIAS": "limits"}
    throttle = CacheThrottle("1", clock=Time())
    throttle.wait("GET /Console/List", patience=0)

    with pytest.raises(RateLimited):
        throttle.wait("GET /Console/List", patience=0)


def test_operations_and_connections_count_for_themselves(cache: Any) -> None:
    time = Time()
    for connection in ("1", "2"):
        for operation in ("GET /Console/List", "POST /Console/List"):
            throttle = CacheThrottle(connection, clock=time, monotonic=time, sleep=time.sleep)
            for _ in range(5):
                throttle.wait(operation, patience=0)
            with pytest.raises(RateLimited):
                throttle.wait(operation, patience=0)


def test_without_patience_it_says_when(cache: Any) -> None:
    time = Time()
    throttle = CacheThrottle("1", clock=time, monotonic=time, sleep=time.sleep)
    for _ in range(5):
        throttle.wait("GET /Console/List", patience=0)
    time.now += 0.4
    with pytest.raises(RateLimited) as caught:
        throttle.wait("GET /Console/List", patience=0)

    assert caught.value.retry_after == pytest.approx(1 + SLACK - 0.4)
    time.now += caught.value.retry_after
    throttle.wait("GET /Console/List", patience=0)


def test_whoever_wakes_late_takes_another_turn(cache: Any) -> None:
    time, slept = Time(), []

    def oversleep(seconds: float) -> None:
        slept.append(seconds)
        time.now += seconds + (0.1 if len(slept) == 1 else 0)

    throttle = CacheThrottle("1", clock=time, monotonic=time, sleep=oversleep)
    for _ in range(6):
        throttle.wait("GET /Console/List", patience=30)
    # It woke at 1.135 s, too late for its turn at 1.035 s. The next turn is 0.1 s after that one.
    assert len(slept) == 2
    assert time.now - 1_700_000_000 == pytest.approx((1 + SLACK) * 1.1)


def test_no_limit_asks_no_cache(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "nowhere.at.All"}}
    CacheThrottle("1").wait("GET /Console/List", patience=0)


def test_two_cache_operations_a_call(cache: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for name in ("add", "get_many", "get", "set", "incr"):
        real = getattr(cache, name)

        def spy(*args: Any, name: str = name, real: Any = real, **kwargs: Any) -> Any:
            asked.append(name)
            return real(*args, **kwargs)

        monkeypatch.setattr(cache, name, spy)
    CacheThrottle("1").wait("GET /Console/List", patience=0)

    assert asked[:1] == ["get_many"]
    assert [name for name in asked if name in ("get_many", "add")] == ["get_many", "add"]


@pytest.mark.parametrize(
    "backend",
    [
        {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"},
    ],
    ids=["dummy", "away"],
)
def test_a_cache_that_fails_stops_nobody(settings: Any, backend: dict[str, str]) -> None:
    pytest.importorskip("redis")
    settings.CACHES = {"default": backend}
    settings.MAILUP = {**settings.MAILUP, "RATE_LIMIT": 5}
    throttle = CacheThrottle("1")
    for _ in range(20):
        throttle.wait("GET /Console/List", patience=0)


def test_threads_share_the_limit(cache: Any, settings: Any) -> None:
    settings.CACHES = empty_cache(ReadTogether)
    time, moments = SharedTime(6), []

    def call() -> None:
        throttle = CacheThrottle("1", clock=time, monotonic=time, sleep=time.sleep)
        for _ in range(3):
            throttle.wait("GET /Console/List", patience=30)
            moments.append(time.now)
        time.end()

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(moments) == 18
    assert most_in_a_second(moments) <= 5
    assert max(moments) - min(moments) < 3 * (1 + SLACK) + 0.5
