"""Export all subscribers of a large list, and compare the time with the least that MailUp's limit of calls allows."""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from pathlib import Path
from typing import Any

from . import stage

LIMIT = 5  # calls a second
CACHE = os.environ.get("BENCH_CACHE_REDIS", "rediscache://127.0.0.1:6379/12")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=100000)
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--peer-seconds", type=float, default=20, help="seconds for which mailupy runs")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(work(options.recipients)))
        return
    rows: list[dict[str, Any]] = []
    os.environ["BENCH_CACHE_URL"], os.environ["BENCH_RATE_LIMIT"] = CACHE, str(LIMIT)
    with stage.sandbox(rate_limit=LIMIT) as url, stage.database("sqlite"):
        stage.door(url, "recipients", username="m12345", list_id=1, count=options.recipients)
        stage.run("-c", "from benchmarks import throttle; throttle.prepare()")
        rows += [export(url, processes, options.recipients) for processes in options.processes]
        rows.append(peer(url, options.recipients, options.peer_seconds))
    result = {
        "recipients": options.recipients,
        **{key: rows[0][key] for key in ("calls", "too_many_requests", "ratio", "peak_mb")},
        "by_processes": {str(row["processes"]): row for row in rows[:-1]},
    }
    stage.report(f"{options.recipients} subscribers, {LIMIT} calls a second allowed", rows, result)


def export(url: str, processes: int, recipients: int) -> dict[str, Any]:
    """Let several processes export the whole list at the same time. Return the line of the table."""
    before = stage.door(url)["counters"]
    command = ["-m", "benchmarks.export", "--worker", "--recipients", str(recipients)]
    with stage.workers(processes, *command) as workers:
        told = [worker.result(timeout=600) for worker in workers]
    after = stage.door(url)["counters"]
    calls = after["api_calls"] - before["api_calls"]
    seconds = max(each["end"] for each in told) - min(each["begin"] for each in told)
    assert all(each["recipients"] == recipients for each in told), "a process did not get every recipient"
    return {
        "way": "django_mailup", "processes": processes, "calls": calls,
        "too_many_requests": after["too_many_requests"] - before["too_many_requests"],
        "seconds": round(seconds, 1), "least": round(least(calls), 1), "ratio": round(seconds / least(calls), 3),
        "peak_mb": max(each["peak_mb"] for each in told),
    }  # fmt: skip


def least(calls: int) -> float:
    """Return how many seconds this number of calls takes at the limit."""
    return calls / LIMIT


def work(recipients: int) -> dict[str, Any]:
    """Read every subscriber, and keep none.

    Returns their number, the times of begin and end (seconds since the epoch), and the peak of memory in MiB.
    """
    import django

    django.setup()
    from django_mailup.services import client_for_site

    client = client_for_site(patience=1000)
    begin = time.time()
    count = sum(1 for _ in client.recipients.subscribed(list_id=1))
    end = time.time()
    status = Path("/proc/self/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+)", status)
    assert peak is not None
    return {"recipients": count, "begin": begin, "end": end, "peak_mb": round(int(peak[1]) / 1024, 1)}


def peer(url: str, recipients: int, seconds: float) -> dict[str, Any]:
    """Run mailupy on the same list for some seconds. Return the line of the table, with its time extrapolated.

    It asks for pages of 20, MailUp's default. `least` is the time of pages of this package's size.
    """
    import mailupy

    from django_mailup.mailup.paging import PAGE_SIZE
    from django_mailup.sandbox import Sandbox

    mailupy.Mailupy.AUTH_URL = f"{url}/Authorization/OAuth/Token"
    mailupy.Mailupy.BASE_URL = f"{url}/API/v1.1/Rest/ConsoleService.svc/Console"
    client = mailupy.Mailupy("m12345", "sandbox", Sandbox.client_id, Sandbox.client_secret)
    before = stage.door(url)["counters"]
    begin, count = time.monotonic(), 0
    failure = ""
    try:
        for _ in client.get_subscribed_recipients_from_list(1):
            count += 1
            if time.monotonic() - begin > seconds:
                break
    except Exception as error:
        failure = type(error).__name__
    spent = time.monotonic() - begin
    after = stage.door(url)["counters"]
    return {
        "way": f"mailupy, after {spent:.0f} s {failure}".strip(), "processes": 1,
        "calls": after["api_calls"] - before["api_calls"],
        "too_many_requests": after["too_many_requests"] - before["too_many_requests"],
        "seconds": round(spent * recipients / max(count, 1)), "least": round(least(recipients // PAGE_SIZE), 1),
        "ratio": round(spent * recipients / max(count, 1) / least(recipients // PAGE_SIZE), 1),
    }  # fmt: skip


if __name__ == "__main__":
    main()
