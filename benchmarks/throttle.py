"""Measure how much of MailUp's limit of calls several processes use, and how often MailUp answers 429."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import threading
import time
import uuid
from collections import Counter
from typing import Any

from . import stage

CACHES = {
    "redis": os.environ.get("BENCH_CACHE_REDIS", "rediscache://127.0.0.1:6379/12"),
    "database": "dbcache://bench_cache",
    "locmem": "locmemcache://",
}
LIMIT = 5  # calls a second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2, help="in each process")
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--caches", nargs="*", choices=[*CACHES], default=[*CACHES])
    parser.add_argument("--worker", type=float, nargs=2, metavar=("BEGIN", "END"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(work(options.threads, *options.worker)))
        return
    rows = []
    for cache in options.caches:
        # Only the threads of one process share locmem, so that one process gets all the threads.
        processes = 1 if cache == "locmem" else options.processes
        threads = options.threads * options.processes // processes
        rows.append(measure(cache, processes, threads, options.seconds))
    stage.report(
        f"Calls of one operation for {options.seconds:.0f} s, {LIMIT} a second allowed",
        rows,
        {row["cache"]: {key: value for key, value in row.items() if key != "cache"} for row in rows},
    )


def measure(cache: str, processes: int, threads: int, seconds: float) -> dict[str, Any]:
    """Let processes call one operation as fast as the limit lets them. Return the line of the table."""
    # A key prefix of its own, so that no cache that others use must be cleared.
    os.environ["BENCH_CACHE_URL"] = f"{CACHES[cache]}?key_prefix={uuid.uuid4().hex}"
    os.environ["BENCH_RATE_LIMIT"] = str(LIMIT)
    with stage.sandbox(rate_limit=LIMIT) as url, stage.database("postgres"):
        # In a child, because Django can be configured only once in a process.
        prepare = "from benchmarks import throttle; throttle.prepare()"
        stage.start("-c", prepare).wait(60)
        begin = time.time() + 2
        workers = [
            stage.start(
                "-m", "benchmarks.throttle", "--threads", str(threads), "--worker", str(begin), str(begin + seconds),
                stdout=subprocess.PIPE, text=True,
            )
            for _ in range(processes)
        ]  # fmt: skip
        told = [json.loads(worker.communicate(timeout=seconds + 60)[0].splitlines()[-1]) for worker in workers]
        state = stage.door(url)
    calls, operations = sum(each["calls"] for each in told), sum(each["operations"] for each in told)
    return {
        "cache": cache,
        "processes": processes,
        "threads": threads,
        "calls": calls,
        "share": round(calls / (LIMIT * seconds), 3),
        "too_many_requests": state["counters"]["too_many_requests"],
        "cache_operations": round(operations / calls, 2),
        "uncontended": min(each["uncontended"] for each in told),  # the least, as their first calls may coincide
    }


def prepare() -> None:
    """Create the tables, the cache's table and the site's connection."""
    stage.set_up_django()
    from django.core.management import call_command

    from django_mailup.sandbox import Sandbox
    from django_mailup.services import connect_with_password, register

    call_command("createcachetable")
    register(name="B", client_id=Sandbox.client_id, client_secret=Sandbox.client_secret)
    connect_with_password(username="m12345", password="sandbox")


def work(threads: int, begin: float, end: float) -> dict[str, Any]:
    """Call from several threads, from `begin` to `end` (seconds since the epoch).

    Returns how many calls were made in that time, how many cache operations all calls took, and how many a call takes
    while nobody else calls its operation.
    """
    import django

    django.setup()
    from django.core.cache import caches
    from django.db import connections

    from django_mailup.services import client_for_site

    operations: Counter[str] = Counter()
    real = caches.create_connection

    def counting(alias: str) -> Any:
        cache = real(alias)
        for name in ("add", "get_many"):
            method = getattr(cache, name)

            def counted(*args: Any, method: Any = method, **kwargs: Any) -> Any:
                operations["all"] += 1
                return method(*args, **kwargs)

            setattr(cache, name, counted)
        return cache

    caches.create_connection = counting  # type: ignore[method-assign]
    client = client_for_site(patience=1000)
    client.request("GET", "/Console/Authentication/Details")  # an operation that nobody else calls
    uncontended = operations["all"]
    operations.clear()
    done: list[float] = []

    def call() -> None:
        own = client_for_site(patience=1000)
        time.sleep(max(begin - time.time(), 0))
        while time.time() < end:
            own.request("GET", "/Console/Authentication/Info")
            done.append(time.time())
        connections.close_all()

    crowd = [threading.Thread(target=call) for _ in range(threads)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    return {
        "calls": sum(begin <= moment < end for moment in done),
        "operations": operations["all"],
        "uncontended": uncontended,
    }


if __name__ == "__main__":
    main()
