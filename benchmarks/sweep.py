"""Measure the periodic renewal by Celery workers, beside a sequential loop like those of other packages."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import tempfile
import time
from datetime import timedelta
from typing import Any

from . import stage

LATENCY = 0.05  # seconds, of the token endpoint
LOOP = 100  # tokens that the sequential loop renews
BROKER = os.environ.get("BENCH_REDIS", "redis://127.0.0.1:6379/11")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=10000)
    parser.add_argument("--database", choices=["postgres", "mariadb", "sqlite"], default="postgres")
    parser.add_argument("--processes", type=int, default=3, help="worker processes")
    parser.add_argument("--threads", type=int, default=2, help="batches that each worker process renews at once")
    parser.add_argument(
        "--at-once", type=int, default=25, help="tokens of a batch renewed at once (REFRESH_CONCURRENCY)"
    )
    parser.add_argument(
        "--fan-out", type=int, nargs="*", default=[1000, 10000, 100000], metavar="TOKENS",
        help="numbers of due tokens for which to measure the memory of handing out",
    )  # fmt: skip
    options = parser.parse_args()
    os.environ["BENCH_BROKER_URL"] = BROKER
    os.environ["BENCH_REFRESH_CONCURRENCY"] = str(options.at_once)
    with (
        stage.fast_server(LATENCY) as url,
        stage.database(options.database),
    ):
        stage.set_up_django()
        populate(max(options.tokens, LOOP))
        loop = sequential(LOOP)
        rate, queries = swept(url, options.tokens, options.processes, options.threads)
        peaks = {count: fan_out(count) for count in options.fan_out}
    rows: list[dict[str, Any]] = [
        {"way": "sequential loop", "tokens": LOOP, "tokens/s": loop, "times the loop": 1.0, "queries a token": ""},
        {
            "way": f"{options.processes} workers of {options.threads} threads, {options.at_once} tokens each",
            "tokens": options.tokens,
            "tokens/s": rate,
            "times the loop": rate / loop,
            "queries a token": queries,
        },
    ]
    rows += [{"way": "only handing out, peak MiB", "tokens": count, "tokens/s": peak} for count, peak in peaks.items()]
    result = {
        "tokens": options.tokens,
        "tokens_per_second": round(rate, 1),
        "speedup": round(rate / loop, 1),
        "queries_per_token": round(queries, 2),
        "peak_mb": max(peaks.values(), default=0.0),
        "peaks_mb": peaks,
    }
    stage.report(f"Due tokens, {LATENCY * 1000:.0f} ms at the token endpoint", rows, result)


def populate(count: int) -> None:
    """Create connections. All have the pair of one login, which the fast server accepts."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from django_mailup.models import Token
    from django_mailup.sandbox import Sandbox
    from django_mailup.services import connect_with_password, register

    registration, _ = register(name="B", client_id=Sandbox.client_id, client_secret=Sandbox.client_secret)
    with_login = connect_with_password(username="m12345", password="sandbox")
    access_token, refresh_token = with_login.access_token.reveal(), with_login.refresh_token.reveal()
    past = timezone.now() - timedelta(hours=1)
    User.objects.bulk_create(User(username=f"u{number}") for number in range(count))
    Token.objects.bulk_create(
        (
            Token(
                registration=registration, user=user, account_uid="4321", account_username="m12345",
                access_token=access_token, refresh_token=refresh_token,
                connected_at=past, expires_at=past, refresh_at=past,
            )
            for user in User.objects.all()
        ),
        batch_size=1000,
    )  # fmt: skip
    with_login.delete()


def make_due() -> None:
    from django.utils import timezone

    from django_mailup.models import Token

    past = timezone.now() - timedelta(hours=1)
    Token.objects.update(connected_at=past, refreshed_at=None, expires_at=past, refresh_at=past)


def sequential(count: int) -> float:
    """Renew one after the other with requests-oauthlib, as other packages do. Return tokens a second."""
    from datetime import UTC, datetime

    from django.conf import settings
    from requests_oauthlib import OAuth2Session

    from django_mailup.models import Token
    from django_mailup.sandbox import Sandbox

    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # that library refuses plain http
    endpoint = f"{settings.MAILUP['BASE_URL']}/Authorization/OAuth/Token"
    credentials = {"client_id": Sandbox.client_id, "client_secret": Sandbox.client_secret}
    started = time.perf_counter()
    for token in Token.objects.all()[:count]:
        pair = OAuth2Session(Sandbox.client_id).refresh_token(endpoint, token.refresh_token.reveal(), **credentials)
        Token.objects.filter(pk=token.pk).update(
            **stage.sealed(token, pair["access_token"], pair["refresh_token"]),
            expires_at=datetime.fromtimestamp(pair["expires_at"], UTC),
        )
    return count / (time.perf_counter() - started)


def swept(url: str, count: int, processes: int, threads: int) -> tuple[float, float]:
    """Let workers renew all due tokens.

    Returns tokens a second, from the start of the periodic task to the last save, and queries a token.
    """
    from django.db import connection

    from benchmarks.celery_app import app
    from django_mailup.models import Token
    from django_mailup.tasks import refresh_expiring_tokens

    make_due()
    app.control.purge()
    handing_out = stage.Statements()
    with tempfile.NamedTemporaryFile("r") as told:
        os.environ["BENCH_STATEMENTS"] = told.name
        with contextlib.ExitStack() as stack:
            for number in range(processes):
                arguments = ["-P", "threads", "-c", str(threads), "-n", f"w{number}@bench", "-l", "ERROR"]
                quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
                worker = ["-m", "celery", "-A", "benchmarks.celery_app", "worker", *arguments, *quiet]
                stack.enter_context(stage.process(*worker, stdout=subprocess.DEVNULL))
            while len(app.control.ping(timeout=1) or []) < processes:
                time.sleep(0.2)
            before, started = stage.door(url)["counters"]["refreshes"], time.perf_counter()
            with connection.execute_wrapper(handing_out):
                refresh_expiring_tokens()
            while stage.door(url)["counters"]["refreshes"] - before < count:
                time.sleep(0.1)
            while Token.objects.filter(generation=1).exists():
                time.sleep(0.02)
            seconds = time.perf_counter() - started
        sent = handing_out.count + sum(map(int, told))
    return count / seconds, sent / count


def fan_out(count: int) -> float:
    """Hand out `count` due tokens in a process of its own. Return its peak memory in MiB."""
    from django.utils import timezone

    from django_mailup.models import Token

    have = Token.objects.count()
    if have < count:
        from django.contrib.auth.models import User

        first = Token.objects.select_related("registration").first()
        assert first is not None
        users = User.objects.bulk_create(User(username=f"more{have}-{number}") for number in range(count - have))
        Token.objects.bulk_create(
            (
                Token(
                    registration=first.registration, user=user, account_uid="4321",
                    access_token=first.access_token.reveal(), refresh_token=first.refresh_token.reveal(),
                    connected_at=first.connected_at, expires_at=first.expires_at, refresh_at=first.refresh_at,
                )
                for user in users
            ),
            batch_size=1000,
        )  # fmt: skip
    make_due()
    beyond = list(Token.objects.order_by("pk").values_list("pk", flat=True)[count : count + 1])
    if beyond:
        Token.objects.filter(pk__gte=beyond[0]).update(refresh_at=timezone.now() + timedelta(days=1))
    code = (
        "import django; django.setup()\n"
        "import re, pathlib\n"
        "from django_mailup.renewal import periodic\n"
        "handed = sum(len(batch.keys) for batch in periodic.hand_out_due())\n"
        # Not getrusage: its figure begins at the peak of the process that forked this one.
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(handed, int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) / 1024)"
    )
    child = stage.start("-c", code, stdout=subprocess.PIPE, text=True)
    handed, peak = child.communicate(timeout=300)[0].split()
    assert int(handed) == count, f"{handed} of {count} were handed out"
    return round(float(peak), 1)


if __name__ == "__main__":
    main()
