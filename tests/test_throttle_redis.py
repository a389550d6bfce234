"""The limit of calls on Redis: one script and one key, Redis' clock, and the way of other caches if it refuses.

No call waits for its turn here: turns are reserved far ahead, so that no outcome depends on the machine's speed.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pytest
from django.core.cache import caches

from django_mailup import throttle_redis
from django_mailup.exceptions import RateLimited
from django_mailup.throttle import PERIOD, CacheThrottle

from . import servers
from .processes import BROKERS, ROOT
from .turns import most_in_a_second, turns

pytestmark = pytest.mark.brokers

URL = BROKERS["redis"]
BACKENDS = {"django": "django.core.cache.backends.redis.RedisCache", "django-redis": "django_redis.cache.RedisCache"}
OPERATION = "GET /Console/List"


@pytest.fixture(autouse=True)
def prefix(monkeypatch: Any) -> Iterator[str]:
    """Yield a key prefix of the test's own. Delete its keys at the end. No cache has refused scripts yet."""
    reason = servers.missing(URL)
    if reason:
        (pytest.fail if servers.REQUIRED else pytest.skip)(reason)
    monkeypatch.setattr(throttle_redis, "_refusing", set())
    own = f"mailup-tests-{uuid.uuid4().hex}"
    yield own
    with connected() as client:
        for key in client.scan_iter(f"*{own}*"):
            client.delete(key)


@contextmanager
def connected(url: str = URL, **options: Any) -> Iterator[Any]:
    from redis import Redis

    with closing(Redis.from_url(url, socket_timeout=None, **options)) as client:
        yield client


def redis_cache(
    settings: Any, prefix: str, *, backend: str = "django", url: str | list[str] = URL, rate: int = 5, **more: Any
) -> Any:
    """Make a cache on Redis the default. Return it."""
    if backend == "django-redis":
        pytest.importorskip("django_redis")
    settings.CACHES = {"default": {"BACKEND": BACKENDS[backend], "LOCATION": url, "KEY_PREFIX": prefix, **more}}
    settings.MAILUP = {**settings.MAILUP, "RATE_LIMIT": rate}
    return caches["default"]


@pytest.fixture(params=BACKENDS)
def cache(request: Any, settings: Any, prefix: str) -> Any:
    return redis_cache(settings, prefix, backend=request.param)


def keys_of(prefix: str, url: str = URL) -> list[str]:
    with connected(url, decode_responses=True) as client:
        return sorted(client.scan_iter(f"*{prefix}*"))


def moments(prefix: str) -> list[int]:
    """Return what the one key of the limit holds: when the last turn was taken, and the last turns, in microseconds."""
    (key,) = keys_of(prefix)
    with connected() as client:
        return [int(number) for number in client.get(key).split()]


def take(throttle: CacheThrottle, prefix: str) -> float:
    """Take a turn. Return its moment as Redis has it, in seconds, which doesn't depend on how long the answer took."""
    throttle.reserve(OPERATION, patience=1_000_000)
    return moments(prefix)[-1] / 1e6


def move_redis_clock(prefix: str, seconds: float) -> None:
    """Do to the limit what a jump of Redis' clock would do: move what it remembers the other way."""
    moved = " ".join(str(number - int(seconds * 1e6)) for number in moments(prefix))
    (key,) = keys_of(prefix)
    with connected() as client:
        client.set(key, moved, keepttl=True)


@contextmanager
def own_server(*options: str) -> Iterator[str]:
    """Run a Redis of the test's own. Yields its URL."""
    program = shutil.which("redis-server")
    if program is None:
        (pytest.fail if servers.REQUIRED else pytest.skip)("redis-server is not installed")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [program, "--port", str(port), "--save", "", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ready to accept connections" in line:
                break
        else:
            pytest.fail("redis-server ended")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


# ------------------------------------------------------------------------------------------- the turns


def test_five_go_at_once_and_the_others_are_spread_over_the_seconds_after(cache: Any, prefix: str) -> None:
    throttle, taken, asked = CacheThrottle("1"), [], []
    for _ in range(16):
        turns(throttle, 1)
        now, *latest = moments(prefix)
        asked.append(now)
        taken.append(latest[-1])

    period, gap = int(PERIOD * 1e6), int(PERIOD * 1e5)
    assert taken[:5] == asked[:5]
    for number in range(5, 16):
        earliest = max(taken[number - 5] + period, taken[number - 1] + gap)
        # Only on a very slow machine is a turn free when it is asked for.
        assert earliest <= taken[number] <= max(earliest + 1, asked[number])
    assert len(moments(prefix)) == 1 + 5


def test_in_the_second_after_a_full_one_calls_are_spread(cache: Any, prefix: str) -> None:
    throttle = CacheThrottle("1")
    turns(throttle, 5)
    move_redis_clock(prefix, PERIOD + 0.5)
    first, second = take(throttle, prefix), take(throttle, prefix)

    assert second >= first + PERIOD / 10


def test_turns_are_in_the_order_in_which_they_were_asked_for(cache: Any, prefix: str) -> None:
    """Who takes many turns doesn't delay those who asked before. Whoever asks next comes next."""
    throttles = [CacheThrottle("1") for _ in range(4)]
    order = [random.Random(number).randrange(4) for number in range(60)]
    taken = [take(throttles[number], prefix) for number in order]

    assert taken == sorted(taken)
    assert most_in_a_second([(moment, moment) for moment in taken]) == 5


@pytest.mark.parametrize("rate", [1, 2, 5, 9, 40])
def test_no_second_holds_more_than_the_limit(settings: Any, prefix: str, rate: int) -> None:
    redis_cache(settings, prefix, rate=rate)
    taken = turns(CacheThrottle("1"), 4 * rate)

    assert most_in_a_second(taken) <= rate


def test_without_patience_no_turn_is_taken(cache: Any, prefix: str) -> None:
    throttle = CacheThrottle("1")
    turns(throttle, 5)
    before = moments(prefix)
    for patience in (0, 0.001):
        with pytest.raises(RateLimited) as caught:
            throttle.reserve(OPERATION, patience=patience)
        assert patience < caught.value.retry_after <= PERIOD

    assert moments(prefix) == before
    throttle.reserve(OPERATION, patience=PERIOD)
    assert moments(prefix)[-1] > before[-1]


def test_it_waits_by_a_clock_that_never_goes_back(cache: Any) -> None:
    """The clock of this machine may say what it likes, and need not agree with that of Redis."""

    def unread() -> float:
        raise AssertionError

    now, slept = 500.0, []

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    throttle = CacheThrottle("1", clock=unread, monotonic=lambda: now, sleep=sleep)
    for _ in range(7):
        throttle.wait(OPERATION, patience=1000)

    assert len(slept) == 2
    assert 0 < slept[0] <= PERIOD


@pytest.mark.parametrize(("answer_takes", "turns_taken"), [(0.03, 1), (0.04, 5)])
def test_a_turn_whose_answer_took_too_long_is_not_used(
    settings: Any, prefix: str, answer_takes: float, turns_taken: int
) -> None:
    """Redis' moment is anywhere in the time that the answer took, and MailUp counts calls by the second."""
    now = 500.0

    def slow_key(key: str, key_prefix: str, version: int) -> str:
        nonlocal now
        now += answer_takes
        return f"{key_prefix}:{key}"

    redis_cache(settings, prefix, KEY_FUNCTION=slow_key)
    CacheThrottle("1", monotonic=lambda: now, sleep=lambda seconds: None).wait(OPERATION, patience=1000)

    assert len(moments(prefix)) - 1 == turns_taken


def test_a_call_waits_for_its_turn(settings: Any, prefix: str) -> None:
    redis_cache(settings, prefix, rate=1)
    throttle = CacheThrottle("1")
    throttle.wait(OPERATION, patience=1000)
    begin = moments(prefix)[-1]
    throttle.wait(OPERATION, patience=1000)
    with connected() as client:
        seconds, microseconds = client.time()

    assert seconds * 1_000_000 + microseconds >= begin + int(PERIOD * 1e6)


def test_operations_and_connections_count_for_themselves(cache: Any, prefix: str) -> None:
    for connection in ("1", "2"):
        for operation in ("GET /Console/List", "POST /Console/List"):
            throttle = CacheThrottle(connection)
            for _ in range(5):
                throttle.reserve(operation, patience=0)
            with pytest.raises(RateLimited):
                throttle.reserve(operation, patience=0)
    assert len(keys_of(prefix)) == 4


def test_the_limit_may_change(settings: Any, prefix: str) -> None:
    """Turns never overtake those that were taken under another limit."""
    taken = []
    for rate in (2, 9, 3):
        redis_cache(settings, prefix, rate=rate)
        taken += [take(CacheThrottle("1"), prefix) for _ in range(10)]

    assert taken == sorted(taken)
    for begin, end, most in ((0, 10, 2), (0, 20, 9), (20, 30, 3)):
        assert most_in_a_second([(moment, moment) for moment in taken[begin:end]]) == most


# ---------------------------------------------------------------------------------- several processes


def test_processes_share_the_limit(settings: Any, prefix: str) -> None:
    rate, count = 10, 50
    redis_cache(settings, prefix, rate=rate)
    command = [sys.executable, "-m", "tests.turns"]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            )
            for _ in range(3)
        ]
        tell(processes, json.dumps({"caches": settings.CACHES, "rate": rate, "count": count}))
        assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * 3
        tell(processes, "go")
        taken = [tuple(each) for process in processes for each in json.loads(process.communicate()[0])]

    assert len(taken) == 3 * count
    assert most_in_a_second(taken) <= rate
    begin, end = min(each[0] for each in taken), max(each[1] for each in taken)
    assert end - begin < len(taken) / rate * PERIOD + PERIOD  # nothing is lost between them


def tell(processes: list[Any], line: str) -> None:
    for process in processes:
        process.stdin.write(line + "\n")
        process.stdin.flush()


# ------------------------------------------------------------------------------------ the key and the script


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_key_is_made_by_the_cache(settings: Any, prefix: str, backend: str) -> None:
    redis_cache(settings, prefix, backend=backend, VERSION=7)
    turns(CacheThrottle("1"), 1)
    assert [key.rpartition(".")[0] for key in keys_of(prefix)] == [f"{prefix}:7:django_mailup.turns"]

    own = {"KEY_FUNCTION": "tests.test_throttle_redis.key_of_a_tenant"}
    redis_cache(settings, prefix, backend=backend, **own)
    turns(CacheThrottle("1"), 1)
    assert any(key.startswith(f"tenant/{prefix}/") for key in keys_of(prefix))


def key_of_a_tenant(key: str, key_prefix: str, version: int) -> str:
    return f"tenant/{key_prefix}/{version}/{key}"


def test_the_key_expires_when_it_has_no_effect_any_more(cache: Any, prefix: str) -> None:
    turns(CacheThrottle("1"), 8)
    (key,) = keys_of(prefix)
    asked, *_, last = moments(prefix)
    with connected() as client:
        seconds, microseconds = client.time()
        left = client.pttl(key) / 1000
        expires_at = client.pexpiretime(key) / 1000 if hasattr(client, "pexpiretime") else None

    assert 0 < left <= (last - asked) / 1e6 + 2 * PERIOD + 0.001
    if expires_at is not None:
        assert expires_at == pytest.approx(last / 1e6 + 2 * PERIOD, abs=0.01)
    assert seconds * 1_000_000 + microseconds >= asked


def test_a_turn_is_one_command(cache: Any, prefix: str) -> None:
    throttle = CacheThrottle("1")
    turns(throttle, 1)  # the server may not know the script
    with connected(decode_responses=True) as client, client.monitor() as monitor:
        turns(throttle, 3)
        with connected() as other:
            other.echo(f"{prefix} end")
        seen = []
        while prefix not in (said := monitor.next_command())["command"] or " end" not in said["command"]:
            if prefix in said["command"] and said["client_type"] != "lua":
                seen.append(said["command"].split()[0])

    assert seen == ["EVALSHA"] * 3


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_server_that_does_not_know_the_script_is_told_it(settings: Any, prefix: str, backend: str) -> None:
    with own_server() as url:
        redis_cache(settings, prefix, backend=backend, url=url)
        throttle = CacheThrottle("1")
        turns(throttle, 3)
        with connected(url) as client:
            client.script_flush()
        turns(throttle, 2)
        with pytest.raises(RateLimited):
            throttle.reserve(OPERATION, patience=0)
        assert len(keys_of(prefix, url)) == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_turns_are_taken_from_the_server_that_is_written_to(settings: Any, prefix: str, backend: str) -> None:
    """Replicas know a turn too late, and take none."""
    with own_server() as replica:
        redis_cache(settings, prefix, backend=backend, url=[URL, replica])
        for _ in range(7):
            turns(CacheThrottle("1"), 1)
        assert len(keys_of(prefix)) == 1
        assert keys_of(prefix, replica) == []


# -------------------------------------------------------------------------------------- a clock that jumps


@pytest.mark.parametrize("back", [0.05, 3600])
def test_if_the_clock_of_redis_goes_back_nobody_waits_longer_or_goes_too_early(
    cache: Any, prefix: str, back: float
) -> None:
    throttle = CacheThrottle("1")
    before = turns(throttle, 12)
    move_redis_clock(prefix, -back)
    after = turns(throttle, 12)

    assert most_in_a_second(before + after) <= 5
    assert after[-1][1] - before[0][0] < 24 / 5 * PERIOD + PERIOD + back * (back < 1)


def test_if_the_clock_of_redis_jumps_forward_calls_go_on_under_the_limit(cache: Any, prefix: str) -> None:
    throttle = CacheThrottle("1")
    turns(throttle, 12)
    move_redis_clock(prefix, 3600)
    now = time.monotonic()
    after = turns(throttle, 12)

    assert after[0][0] <= now + 0.001 + after[0][1] - after[0][0]
    assert most_in_a_second(after) <= 5


# ------------------------------------------------------------------------------- servers that refuse the script


@contextmanager
def acl_user(*rules: str) -> Iterator[str]:
    """Create a Redis user. Yields the URL with its credentials."""
    name, password = f"mailup-tests-{uuid.uuid4().hex}", uuid.uuid4().hex
    with connected() as client:
        client.execute_command("ACL", "SETUSER", name, "on", f">{password}", "~*", "&*", *rules)
        try:
            yield URL.replace("redis://", f"redis://{name}:{password}@", 1)
        finally:
            client.acl_deluser(name)


def check_the_old_way(prefix: str, caplog: Any, error: str, url: str = URL) -> None:
    """Check that the limit is kept by slots, in all threads, and that the refusal is logged once."""
    results: list[Any] = []

    def reserve() -> None:
        try:
            CacheThrottle("1").reserve(OPERATION, patience=0)
            results.append("went")
        except RateLimited:
            results.append("limited")

    threads = [threading.Thread(target=reserve) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # On a very slow machine a second has passed.
    assert results.count("went") >= 5
    assert len(keys_of(prefix, url)) == results.count("went")
    assert all(".turn." in key for key in keys_of(prefix, url))
    assert [(record.event, record.mailup) for record in caplog.records if hasattr(record, "event")] == [
        ("mailup.cache_script_refused", {"cache": "default", "error": error})
    ]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("forbidden", "error"), [("-@scripting", "NoPermissionError"), ("-time", "ResponseError")])
def test_a_user_who_may_not_run_the_script(
    settings: Any, prefix: str, caplog: Any, backend: str, forbidden: str, error: str
) -> None:
    with acl_user("+@all", forbidden) as url, caplog.at_level(logging.WARNING, "django_mailup"):
        redis_cache(settings, prefix, backend=backend, url=url)
        check_the_old_way(prefix, caplog, error)


def test_a_server_without_the_command(settings: Any, prefix: str, caplog: Any) -> None:
    with own_server("--rename-command", "EVALSHA", "") as url, caplog.at_level(logging.WARNING, "django_mailup"):
        redis_cache(settings, prefix, url=url)
        check_the_old_way(prefix, caplog, "ResponseError", url)


def test_a_server_that_has_refused_is_not_asked_again(settings: Any, prefix: str) -> None:
    with acl_user("+@all", "-@scripting") as url:
        redis_cache(settings, prefix, url=url)
        turns(CacheThrottle("1"), 4)
        user = url.split("//")[1].split(":")[0]
        with connected() as client:
            refused = [entry for entry in client.acl_log() if entry["username"] == user]

    assert [(entry["object"], entry["count"]) for entry in refused] == [("evalsha", 1)]


def test_a_user_who_may_do_nothing_is_not_held_to_the_limit(settings: Any, prefix: str, caplog: Any) -> None:
    with acl_user("-@all", "+select") as url, caplog.at_level(logging.WARNING, "django_mailup"):
        redis_cache(settings, prefix, url=url)
        for _ in range(7):
            CacheThrottle("1").wait(OPERATION, patience=0)

    events = [record.event for record in caplog.records if hasattr(record, "event")]
    assert events[0] == "mailup.cache_script_refused"
    assert set(events[1:]) == {"mailup.cache_unavailable"}


@pytest.mark.parametrize(
    ("answer", "refuses"),
    [
        ("NOPERM this user has no permissions to run the 'evalsha' command", True),
        ("NOPERM User x has no permissions to run the 'time' command script: f_1, on @user_script:3.", True),
        ("ERR The user executing the script can't run this command or subcommand script: 1, on @user_script:3.", True),
        ("ERR unknown command 'EVALSHA', with args beginning with: ", True),
        ("CROSSSLOT Keys in request don't hash to the same slot", True),
        ("READONLY You can't write against a read only replica.", False),
        ("OOM command not allowed when used memory > 'maxmemory'.", False),
        ("LOADING Redis is loading the dataset in memory", False),
        ("CLUSTERDOWN The cluster is down", False),
        ("BUSY Redis is busy running a script.", False),
    ],
)
def test_only_what_a_server_always_answers_is_a_refusal(answer: str, refuses: bool) -> None:
    """Processes that keep the limit in different ways don't see each other's turns."""
    from redis.connection import DefaultParser

    assert throttle_redis._is_refusal(DefaultParser.parse_error(answer)) is refuses


# ------------------------------------------------------------------------------------------ other trouble


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_redis_that_is_away_stops_nobody(settings: Any, prefix: str, backend: str, caplog: Any) -> None:
    with own_server() as url:
        redis_cache(settings, prefix, backend=backend, url=url)
        turns(CacheThrottle("1"), 1)
    with caplog.at_level(logging.WARNING, "django_mailup"):
        for _ in range(7):
            CacheThrottle("1").wait(OPERATION, patience=0)

    events = {record.event for record in caplog.records if hasattr(record, "event")}
    assert events == {"mailup.cache_unavailable"}
    assert throttle_redis._refusing == set()


@pytest.mark.filterwarnings("ignore:.*on sharded client")  # django-redis warns of itself
def test_shards_of_django_redis_keep_the_limit_as_other_caches_do(settings: Any, prefix: str) -> None:
    options = {"OPTIONS": {"CLIENT_CLASS": "django_redis.client.ShardClient"}}
    redis_cache(settings, prefix, backend="django-redis", **options)
    throttle = CacheThrottle("1")
    taken = turns(throttle, 12)

    assert all(".turn." in key for key in keys_of(prefix))
    assert most_in_a_second(taken) <= 5
