"""Measure the periodic renewal by Celery workers, beside a sequential loop like those of other packages."""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import ssl
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

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
    parser.add_argument("--plain", action="store_true", help="plain http instead of TLS")
    parser.add_argument(
        "--fan-out", type=int, nargs="*", default=[1000, 10000, 100000], metavar="TOKENS",
        help="numbers of due tokens for which to measure the memory of handing out",
    )  # fmt: skip
    options = parser.parse_args()
    os.environ["BENCH_BROKER_URL"] = BROKER
    os.environ["BENCH_REFRESH_CONCURRENCY"] = str(options.at_once)
    with (
        stage.fast_server(LATENCY, plain=options.plain) as url,
        stage.database(options.database),
    ):
        stage.set_up_django()
        populate(max(options.tokens, LOOP))
        loop = sequential(LOOP)
        limit = raw_cpu(LOOP)
        done = swept(url, options.tokens, options.processes, options.threads)
        peaks = {count: fan_out(count) for count in options.fan_out}
    rows: list[dict[str, Any]] = [
        {"way": "sequential loop", "tokens": LOOP, "tokens/s": loop, "times the loop": 1.0},
        {"way": "sequential raw loop", "tokens": LOOP, "CPU ms a token": limit * 1000},
        {
            "way": f"{options.processes} workers of {options.threads} threads, {options.at_once} tokens each",
            "tokens": options.tokens,
            "tokens/s": done.rate,
            "times the loop": done.rate / loop,
            "CPU ms a token": done.cpu * 1000,
            "queries a token": done.queries,
        },
    ]
    columns = {column: "" for row in rows for column in row}
    rows = [columns | row for row in rows]
    rows += [{"way": "only handing out, peak MiB", "tokens": count, "tokens/s": peak} for count, peak in peaks.items()]
    result = {
        "tokens": options.tokens,
        "tls": not options.plain,
        "tokens_per_second": round(done.rate, 1),
        "speedup": round(done.rate / loop, 1),
        "of_limit": round(done.cpu / limit, 2),
        "cpu_ms": round(done.cpu * 1000, 2),
        "limit_cpu_ms": round(limit * 1000, 2),
        "queries_per_token": round(done.queries, 2),
        "peak_mb": max(peaks.values(), default=0.0),
        "peaks_mb": peaks,
    }
    over = "plain http" if options.plain else "TLS"
    stage.report(f"Due tokens over {over}, {LATENCY * 1000:.0f} ms at the token endpoint", rows, result)


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


def raw_cpu(count: int) -> float:
    """Renew one after the other with http.client, one TLS context and the database's driver.

    It does only what any renewal must: it decrypts, sends, parses, encrypts and writes. Return CPU seconds a token.
    """
    from django.db import connection

    from django_mailup.models import Token
    from django_mailup.sandbox import Sandbox

    parts = urlsplit(os.environ["BENCH_MAILUP_URL"])
    context = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"]) if parts.scheme == "https" else None
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    columns = {name: Token._meta.get_field(name) for name in ("access_token", "refresh_token", "expires_at")}
    mark = "?" if connection.vendor == "sqlite" else "%s"
    update = (
        f"UPDATE {Token._meta.db_table} SET {', '.join(f'{name} = {mark}' for name in columns)}"  # noqa: S608
        f" WHERE id = {mark} AND generation = {mark}"
    )
    connection.ensure_connection()
    started = time.process_time()
    for token in Token.objects.all()[:count]:
        form = {
            "grant_type": "refresh_token", "refresh_token": token.refresh_token.reveal(),
            "client_id": Sandbox.client_id, "client_secret": Sandbox.client_secret,
        }  # fmt: skip
        server = (
            http.client.HTTPConnection(parts.netloc, timeout=15)
            if context is None
            else http.client.HTTPSConnection(parts.netloc, timeout=15, context=context)
        )
        server.request("POST", "/Authorization/OAuth/Token", urlencode(form), headers)
        pair = json.loads(server.getresponse().read())
        server.close()
        changed = stage.sealed(token, pair["access_token"], pair["refresh_token"])
        changed["expires_at"] = datetime.now(UTC) + timedelta(seconds=pair["expires_in"])
        values = [column.get_db_prep_save(changed[name], connection) for name, column in columns.items()]
        cursor = connection.connection.cursor()
        cursor.execute(update, [*values, token.pk, token.generation])
        assert cursor.rowcount == 1
        cursor.close()
    return (time.process_time() - started) / count


@dataclass
class Swept:
    """How the workers renewed all due tokens.

    Attributes:
        rate: tokens a second, from the start of the periodic task to the last save.
        cpu: CPU seconds a token, of the workers and of handing out.
        queries: SQL statements a token.
    """

    rate: float
    cpu: float
    queries: float


def swept(url: str, count: int, processes: int, threads: int) -> Swept:
    """Let workers renew all due tokens."""
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
            workers = []
            for number in range(processes):
                arguments = ["-P", "threads", "-c", str(threads), "-n", f"w{number}@bench", "-l", "ERROR"]
                quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
                worker = ["-m", "celery", "-A", "benchmarks.celery_app", "worker", *arguments, *quiet]
                workers.append(stack.enter_context(stage.process(*worker, stdout=subprocess.DEVNULL)))
            while len(app.control.ping(timeout=1) or []) < processes:
                stage.check_running(workers)
                time.sleep(0.2)
            cpu_before = sum(stage.cpu_seconds(worker.pid) for worker in workers)
            before, started = stage.door(url)["counters"]["refreshes"], time.perf_counter()
            cpu_started = time.process_time()
            with connection.execute_wrapper(handing_out):
                refresh_expiring_tokens()
            cpu = time.process_time() - cpu_started
            while stage.door(url)["counters"]["refreshes"] - before < count:
                stage.check_running(workers)
                time.sleep(0.1)
            while Token.objects.filter(generation=1).exists():
                stage.check_running(workers)
                time.sleep(0.02)
            seconds = time.perf_counter() - started
            cpu += sum(stage.cpu_seconds(worker.pid) for worker in workers) - cpu_before
        sent = handing_out.count + sum(map(int, told))
    return Swept(rate=count / seconds, cpu=cpu / count, queries=sent / count)


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
