"""Count failed calls and lost connections while processes that share a short-lived token are killed at random."""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from . import stage

LIFETIME = 32  # seconds; a call renews a token with less than 30 left, so a token is renewed every 2 seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument(
        "--kill", action="store_true", help="send SIGKILL to a process about every half second, and start another"
    )
    parser.add_argument("--database", choices=["sqlite", "postgres", "mariadb"], default="sqlite")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.threads)
        return
    rows = []
    for server, reuse in (("lenient", "grace"), ("strict", "revokes")):
        switches = {"rate_limit": 0, "access_lifetime": LIFETIME, "token_latency": 0.2, "refresh_reuse": reuse}
        with stage.sandbox(**switches) as url, stage.database(options.database):
            os.environ["BENCH_TOKEN_DEADLINE"] = "1"
            # A child for each server: their settings differ, and Django can be configured only once in a process.
            child = stage.start("-c", PART, json.dumps({**vars(options), "server": server, "url": url}),
                                stdout=subprocess.PIPE, text=True)  # fmt: skip
            said, _ = child.communicate(timeout=options.seconds + 120)
            rows.append(json.loads(said.strip().splitlines()[-1]))
    title = f"{options.processes} processes of {options.threads} threads calling for {options.seconds:.0f} s"
    stage.report(title, rows, {row["server"]: {k: v for k, v in row.items() if k != "server"} for row in rows})


PART = "import sys, json; from benchmarks import churn; churn.part(json.loads(sys.argv[1]))"


def part(given: dict[str, Any]) -> None:
    """Measure one server: start workers that call through one connection, kill some, and print the result as JSON.

    On the strict server the kills end once the connection is lost, since nothing more can be lost.
    """
    stage.set_up_django()
    from django_mailup.sandbox import Sandbox
    from django_mailup.services import connect_with_password, register

    register(name="B", client_id=Sandbox.client_id, client_secret=Sandbox.client_secret)
    token = connect_with_password(username="m12345", password="sandbox")
    command = ["-m", "benchmarks.churn", "--worker", "--threads", str(given["threads"])]

    def launch() -> subprocess.Popen[str]:
        return stage.start(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    running = [launch() for _ in range(given["processes"])]
    said: list[str] = []
    kills = 0
    ends_at = time.monotonic() + given["seconds"]
    while time.monotonic() < ends_at:
        time.sleep(random.uniform(0.2, 0.8))
        if (given["kill"] and given["server"] == "lenient") or (given["kill"] and _alive(token)):
            prey = running.pop(random.randrange(len(running)))
            prey.send_signal(signal.SIGKILL)
            said.append(prey.communicate()[0])
            kills += 1
            running.append(launch())
    said.extend(worker.communicate()[0] for worker in running)  # this closes their standard input, which ends them
    lines = [json.loads(line) for each in said for line in each.splitlines() if line.endswith("}")]
    token.refresh_from_db()
    lost = not token.is_active
    failures = sorted({name for line in lines for name in line["failed"]})
    after_loss = failures == ["ReauthorizationRequired"]
    counters = stage.door(given["url"])["counters"]
    result = {
        "server": given["server"],
        "calls": sum(line["calls"] for line in lines),
        "failed": 0 if lost and after_loss else sum(len(line["failed"]) for line in lines),
        "failures": " ".join(failures),
        "longest_s": round(max((line["longest"] for line in lines), default=0.0), 2),
        "kills": kills,
        "refreshes": counters["refreshes"],
        "lost": int(lost),
        "lost_silently": int(lost and "interrupted" not in str(token.last_error)),
    }
    print(json.dumps(result))


def _alive(token: Any) -> bool:
    token.refresh_from_db()
    return bool(token.is_active)


def work(threads: int) -> None:
    """Call as often as possible until standard input closes or the connection is lost.

    Prints the counts since the last line as JSON, about every 50 ms, so that little is forgotten when it is killed.
    """
    stage.set_up_django()
    from django.db import connections

    from django_mailup.exceptions import ReauthorizationRequired
    from django_mailup.services import client_for_site

    over = threading.Event()
    lock = threading.Lock()
    tally: dict[str, Any] = {"calls": 0, "failed": [], "longest": 0.0}

    def run() -> None:
        client = None
        while not over.is_set():
            started = time.perf_counter()
            error = ""
            try:
                client = client or client_for_site()
                client.account.info()
            except ReauthorizationRequired as refusal:
                error = type(refusal).__name__
                over.set()
            except Exception as failure:
                error = type(failure).__name__
            with lock:
                tally["calls"] += 1
                tally["longest"] = max(tally["longest"], time.perf_counter() - started)
                tally["failed"] += [error] if error else []
        connections.close_all()

    pool = [threading.Thread(target=run, daemon=True) for _ in range(threads)]
    for thread in pool:
        thread.start()
    waiter = threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True)
    waiter.start()
    while any(thread.is_alive() for thread in pool):
        time.sleep(0.05)
        with lock:
            print(json.dumps(tally), flush=True)
            tally.update(calls=0, failed=[], longest=0.0)
    with lock:
        print(json.dumps(tally), flush=True)


if __name__ == "__main__":
    main()
