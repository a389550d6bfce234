"""Measure how much of MailUp's limit of calls several processes use, and how often MailUp answers 429.

- `share`: the calls made through Redis, divided by those that the limit allows. All processes are up before they begin
  together, and what they do before all have begun isn't counted.
- `round_trips`: the commands that Redis gets for a call while nobody else calls its operation, as Redis' MONITOR shows.
- `caches`: for each cache the same, and `busy_round_trips`: those of a call while all compete. On other caches than
  Redis a round trip is an operation of the cache.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import stage

CACHES = {
    "redis": os.environ.get("BENCH_CACHE_REDIS", "rediscache://127.0.0.1:6379/12"),
    "database": "dbcache://bench_cache",
    "locmem": "locmemcache://",
}
LIMIT = 5  # calls a second, the package's default
ALONE = LIMIT
"""How many calls a process makes while nobody else calls their operation. None of them waits for its turn."""
AFTER = 2.0
"""For how many seconds workers go on after the time that is measured, since they don't begin in the same instant."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2, help="in each process")
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--caches", nargs="*", choices=[*CACHES], default=[*CACHES])
    parser.add_argument("--worker", choices=["alone", "together"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.threads, options.seconds, alone=options.worker == "alone")
        return
    rows = []
    for cache in options.caches:
        # Only the threads of one process share locmem, so that one process gets all the threads.
        processes = 1 if cache == "locmem" else options.processes
        threads = options.threads * options.processes // processes
        rows.append(measure(cache, processes, threads, options.seconds))
    caches = {row["cache"]: {key: value for key, value in row.items() if key != "cache"} for row in rows}
    on_redis = {key: caches["redis"][key] for key in ("share", "round_trips")} if "redis" in caches else {}
    tell_settings()
    stage.report(
        f"Calls of one operation for {options.seconds:.0f} s, {LIMIT} a second allowed",
        rows,
        {**on_redis, "caches": caches},
    )


def measure(cache: str, processes: int, threads: int, seconds: float) -> dict[str, Any]:
    """Let processes call one operation as fast as the limit lets them. Return the line of the table."""
    # A key prefix of its own, so that no cache that others use must be cleared.
    prefix = uuid.uuid4().hex
    os.environ["BENCH_CACHE_URL"], os.environ["BENCH_CACHE_PREFIX"] = CACHES[cache], prefix
    os.environ["BENCH_RATE_LIMIT"] = str(LIMIT)
    command = ["-m", "benchmarks.throttle", "--threads", str(threads), "--seconds", str(seconds), "--worker"]
    with stage.sandbox(rate_limit=LIMIT) as url, stage.database("postgres"):
        # In a child, because Django can be configured only once in a process.
        stage.run("-c", "from benchmarks import throttle; throttle.prepare()")
        [alone], alone_commands = crowd(1, [*command, "alone"], cache, prefix, 60)
        told, commands = crowd(processes, [*command, "together"], cache, prefix, seconds + 60)
        state = stage.door(url)
    begin = max(each["began"] for each in told)
    calls = sum(begin <= moment < begin + seconds for each in told for moment in each["done"])
    assert begin + seconds <= min(each["ended"] for each in told), "a worker began too late"
    return {
        "cache": cache,
        "processes": processes,
        "threads": threads,
        "calls": calls,
        "share": round(calls / (LIMIT * seconds), 3),
        "too_many_requests": state["counters"]["too_many_requests"],
        "round_trips": round(alone_commands / len(alone["done"]), 2),
        "busy_round_trips": round(commands / sum(len(each["done"]) for each in told), 2),
    }


def crowd(
    processes: int, command: list[str], cache: str, prefix: str, timeout: float
) -> tuple[list[dict[str, Any]], float]:
    """Start workers, and let them begin together when all are up.

    Returns what they tell, and how many commands Redis, or operations the other cache, got from them after they began.
    """
    with stage.workers(processes, *command) as workers:
        for worker in workers:
            worker.wait_for_line()
        with commands_of(prefix) if cache == "redis" else no_commands() as count:
            for worker in workers:
                worker.send_line()
            told = [worker.result(timeout) for worker in workers]
    return told, count() if cache == "redis" else sum(each["operations"] for each in told)


@contextmanager
def commands_of(prefix: str) -> Iterator[Callable[[], int]]:
    """Count the commands with keys of this prefix that Redis gets during the block, without those of its scripts."""
    from redis import Redis

    found: list[str] = []
    end = f"end of {uuid.uuid4().hex}"
    url = CACHES["redis"].replace("rediscache://", "redis://")
    with Redis.from_url(url, socket_timeout=None) as client, client.monitor() as monitor:

        def listen() -> None:
            while end not in (said := monitor.next_command())["command"]:
                if prefix in said["command"] and said["client_type"] != "lua":
                    found.append(said["command"])

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield lambda: len(found)
        finally:
            client.echo(end)
            listener.join(60)


@contextmanager
def no_commands() -> Iterator[Callable[[], int]]:
    yield lambda: 0


def tell_settings() -> None:
    """Load Django's settings in this process, so that the report names those that aren't the package's defaults."""
    from django.conf import settings

    assert settings.MAILUP


def prepare() -> None:
    """Create the tables, the cache's table and the site's connection."""
    stage.set_up_django()
    from django.core.management import call_command

    from django_mailup.sandbox import Sandbox
    from django_mailup.services import connect_with_password, register

    call_command("createcachetable")
    register(name="B", client_id=Sandbox.client_id, client_secret=Sandbox.client_secret)
    connect_with_password(username="m12345", password="sandbox")


def work(threads: int, seconds: float, *, alone: bool) -> None:
    """Make calls once a line comes in. Before, say that the process is up; at the end, print what it did as JSON.

    That is: when it began and ended and when each call was done, by the system's monotonic clock, and how many cache
    operations its calls took.

    Args:
        threads: how many threads call.
        seconds: for how long they call, without AFTER.
        alone: whether to make only a few calls in one thread.
    """
    import django

    django.setup()
    from django.db import connections

    from django_mailup.services import client_for_site

    operations = count_cache_operations()
    client_for_site().request("GET", "/Console/Authentication/Details")  # connects, by an operation of its own
    print("up", flush=True)
    sys.stdin.readline()
    operations.clear()
    began = time.monotonic()
    end = began + seconds + AFTER
    done: list[float] = []

    def call() -> None:
        own = client_for_site(patience=1000)
        while len(done) < ALONE if alone else time.monotonic() < end:
            own.request("GET", "/Console/Authentication/Info")
            done.append(time.monotonic())
        connections.close_all()

    callers = [threading.Thread(target=call) for _ in range(1 if alone else threads)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    print(json.dumps({"began": began, "ended": end, "done": done, "operations": operations.total()}))


def count_cache_operations() -> Counter[str]:
    """Count the operations of all caches that are made from now on."""
    from django.core.cache import caches

    operations: Counter[str] = Counter()
    real = caches.create_connection

    def counting(alias: str) -> Any:
        cache = real(alias)
        for name in ("add", "get_many"):
            method = getattr(cache, name)

            def counted(*args: Any, name: str = name, method: Any = method, **kwargs: Any) -> Any:
                operations[name] += 1
                return method(*args, **kwargs)

            setattr(cache, name, counted)
        return cache

    caches.create_connection = counting  # type: ignore[method-assign]
    return operations


if __name__ == "__main__":
    main()
