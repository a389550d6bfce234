"""Count refreshes, failed calls and lost connections when many threads and processes use one expired token at once."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from typing import Any

from . import stage

HANGS_AFTER = 60  # seconds
MODES = ("django_mailup", "auto-refresh", "select_for_update")
INFO = "/API/v1.1/Rest/ConsoleService.svc/Console/Authentication/Info"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres", "mariadb"], default="sqlite")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=50)
    parser.add_argument("--worker", nargs=2, metavar=("MODE", "KEY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker[0], options.worker[1], options.threads)
        return
    switches = {"token_latency": 0.3, "refresh_reuse": "revokes", "rate_limit": 0}
    with stage.sandbox(**switches) as url, stage.database(options.database):
        stage.set_up_django()
        rows = [measure(mode, url, options.processes, options.threads) for mode in MODES]
    title = f"One expired token, {options.processes} processes of {options.threads} threads on {options.database}"
    figures = {key: value for key, value in rows[0].items() if key != "way"}
    stage.report(title, rows, {"database": options.database, **figures})


def measure(mode: str, url: str, processes: int, threads: int) -> dict[str, Any]:
    """Let workers use one expired token in this way. Return the line of the table."""
    from django.utils import timezone

    from django_mailup.models import ClientRegistration, Token
    from django_mailup.renewal import on_demand
    from django_mailup.sandbox import Sandbox
    from django_mailup.services import client_of, connect_with_password, register

    Token.objects.all().delete()
    ClientRegistration.objects.all().delete()
    register(name="B", client_id=Sandbox.client_id, client_secret=Sandbox.client_secret)
    token = connect_with_password(username="m12345", password="sandbox")
    past = timezone.now() - timedelta(hours=1)
    Token.objects.update(connected_at=past, expires_at=past, refresh_at=past)
    stage.door(url, "expire", username="m12345")
    before = stage.door(url)["counters"]["refreshes"]
    command = ["-m", "benchmarks.single_flight", "--threads", str(threads), "--worker", mode, str(token.key)]
    with stage.workers(processes, *command) as workers:
        for worker in workers:
            worker.wait_for_line()
        for worker in workers:
            worker.send_line()
        found = [outcome(worker, threads) for worker in workers]
        said = "\n".join(filter(None, (worker.errors() for worker in workers)))
    if said:
        print(f"{mode}: its workers wrote to standard error:\n{said}", file=sys.stderr)
    latencies = sorted(each for one in found for each in one["latencies"])
    refreshes = stage.door(url)["counters"]["refreshes"] - before
    token.refresh_from_db()
    lost = 0
    try:
        on_demand.refresh(token)
        client_of(Token.objects.get(key=token.key)).account.info()
    except Exception:
        lost = 1
    return {
        "way": mode,
        "refreshes": refreshes,
        "failed": sum(sum(one["failed"].values()) for one in found),
        "failures": dict(sum((Counter(one["failed"]) for one in found), Counter())),
        "lost": lost,
        "queries": sum(one["queries"] for one in found),
        "p50_ms": round(statistics.median(latencies) * 1000),
        "max_ms": round(latencies[-1] * 1000),
    }


def outcome(worker: stage.Worker, threads: int) -> dict[str, Any]:
    """Return the result that a worker prints. If it hangs, kill it and count all of its calls as failed."""
    try:
        return worker.result(HANGS_AFTER)
    except subprocess.TimeoutExpired:
        worker.process.kill()
        worker.process.communicate()
        return {"latencies": [float(HANGS_AFTER)] * threads, "failed": {"hangs": threads}, "queries": 0}


# ------------------------------------------------------------------------------ in the worker process


def work(mode: str, key: str, threads: int) -> None:
    """Print "ready", wait for a line on standard input, make one call in each thread, and print the result as JSON."""
    stage.set_up_django()
    from django.db import connections
    from django.db.backends.signals import connection_created

    from django_mailup.models import Token

    token = Token.objects.select_related("registration").get(key=key)
    statements = stage.Statements()
    connection_created.connect(statements.watch)
    connections.close_all()
    call = {"django_mailup": ours, "auto-refresh": auto_refresh, "select_for_update": locked}[mode](token)
    barrier = threading.Barrier(threads + 1)
    latencies: list[float] = []
    failed: list[str] = []

    def run() -> None:
        barrier.wait()
        started = time.perf_counter()
        try:
            call()
        except Exception as error:
            failed.append(type(error).__name__)
        finally:
            latencies.append(time.perf_counter() - started)
            connections.close_all()

    pool = [threading.Thread(target=run) for _ in range(threads)]
    for thread in pool:
        thread.start()
    print("ready", flush=True)
    sys.stdin.readline()
    barrier.wait()
    for thread in pool:
        thread.join()
    print(json.dumps({"latencies": latencies, "failed": Counter(failed), "queries": statements.count}))


def ours(token: Any) -> Any:
    """Return a function that makes one call with `client_of`."""
    from django_mailup.services import client_of

    return lambda: client_of(token).account.info()


def auto_refresh(token: Any) -> Any:
    """Return a function that makes one call with requests-oauthlib's auto-refresh and saves the new token.

    Like ours it begins with the row that was read before, so that no thread needs the database unless it renews.
    """
    from django.conf import settings
    from requests_oauthlib import OAuth2Session

    from django_mailup.models import Token

    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # that library refuses plain http
    base = settings.MAILUP["BASE_URL"]
    client_id, secret = token.registration.client_id, token.registration.client_secret.reveal()

    def call() -> None:
        pair = {
            "access_token": token.access_token.reveal(),
            "refresh_token": token.refresh_token.reveal(),
            "token_type": "Bearer",
            "expires_at": token.expires_at.timestamp(),
        }

        def save(new: dict[str, Any]) -> None:
            from datetime import UTC, datetime

            expires_at = datetime.fromtimestamp(new["expires_at"], UTC)
            Token.objects.filter(pk=token.pk).update(
                **stage.sealed(token, new["access_token"], new["refresh_token"]), expires_at=expires_at
            )

        session = OAuth2Session(
            client_id,
            token=pair,
            auto_refresh_url=f"{base}/Authorization/OAuth/Token",
            auto_refresh_kwargs={"client_id": client_id, "client_secret": secret},
            token_updater=save,
        )
        session.get(base + INFO, timeout=60).raise_for_status()

    return call


def locked(token: Any) -> Any:
    """Return a function that makes one call and renews under a row lock, as is often advised."""
    import requests
    from django.conf import settings
    from django.db import transaction
    from django.utils import timezone

    from django_mailup.mailup import Endpoints, OAuthClient, RefreshToken
    from django_mailup.models import Token

    base = settings.MAILUP["BASE_URL"]
    oauth = OAuthClient(
        token.registration.client_id, token.registration.client_secret.reveal(), endpoints=Endpoints(base), deadline=60
    )

    def call() -> None:
        with transaction.atomic():
            row = Token.objects.select_for_update().get(pk=token.pk)
            if row.expires_at < timezone.now():
                pair = oauth.exchange(RefreshToken(row.refresh_token.reveal()))
                Token.objects.filter(pk=token.pk).update(
                    **stage.sealed(row, pair.access_token, pair.refresh_token), expires_at=pair.expires_at
                )
                row.refresh_from_db()
        headers = {"Authorization": f"Bearer {row.access_token.reveal()}"}
        requests.get(base + INFO, headers=headers, timeout=60).raise_for_status()

    return call


if __name__ == "__main__":
    main()
