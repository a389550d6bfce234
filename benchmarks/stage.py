"""Starts what a benchmark needs (a database, a server in the place of MailUp, processes) and removes it afterwards."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
SERVERS = {
    "postgres": os.environ.get("BENCH_POSTGRES", "postgres://postgres@127.0.0.1:5432"),
    "mariadb": os.environ.get("BENCH_MARIADB", "mysql://root@127.0.0.1:3306"),
}


@contextmanager
def database(kind: str) -> Iterator[str]:
    """Create an empty database, make the settings use it, and drop it at the end. Yields its URL."""
    name = f"mailup_bench_{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.sqlite3" if kind == "sqlite" else f"{SERVERS[kind]}/{name}"
        if kind != "sqlite":
            _administer(kind, f"CREATE DATABASE {name}")
        try:
            os.environ["BENCH_DATABASE_URL"] = url
            os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
            yield url
        finally:
            if kind != "sqlite":
                from django.db import connections

                connections.close_all()
                _administer(kind, f"DROP DATABASE {name}" + (" WITH (FORCE)" if kind == "postgres" else ""))


def _administer(kind: str, statement: str) -> None:
    import environ

    config = environ.Env.db_url_config(SERVERS[kind] + ("/postgres" if kind == "postgres" else "/mysql"))
    if kind == "postgres":
        import psycopg

        with psycopg.connect(
            host=config["HOST"], port=config["PORT"], user=config["USER"], password=config["PASSWORD"] or None,
            dbname="postgres", autocommit=True,
        ) as connection:  # fmt: skip
            connection.execute(statement)
        return
    import MySQLdb

    connection = MySQLdb.connect(
        host=config["HOST"], port=config["PORT"], user=config["USER"], password=config["PASSWORD"]
    )
    try:
        connection.cursor().execute(statement)
    finally:
        connection.close()


@contextmanager
def sandbox(**options: Any) -> Iterator[str]:
    """Run the sandbox with these options in a process of its own. Yields its base URL."""
    port = free_port()
    arguments = ["mailup_sandbox", "--host", "127.0.0.1", "--port", str(port)]
    arguments += [part for name, value in options.items() for part in ("--option", f"{name}={value}")]
    with _serving("-m", "django", *arguments, port=port) as url:
        yield url


@contextmanager
def fast_server(latency: float = 0.0) -> Iterator[str]:
    """Run `benchmarks.server` in a process of its own; `latency` is in seconds. Yields its base URL."""
    port = free_port()
    with _serving("-m", "benchmarks.server", str(port), str(latency), port=port) as url:
        yield url


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def _serving(*arguments: str, port: int) -> Iterator[str]:
    with process(*arguments, stdout=subprocess.DEVNULL):
        url = f"http://127.0.0.1:{port}"
        give_up_at = time.monotonic() + 20
        while True:
            try:
                requests.get(f"{url}/_sandbox/state", timeout=5)
                break
            except requests.ConnectionError:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.05)
        os.environ["BENCH_MAILUP_URL"] = url
        yield url


@contextmanager
def process(*arguments: str, **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Run a Python process during the block. It is terminated at the end, or killed if it takes more than 10 s."""
    child = start(*arguments, **options)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def start(*arguments: str, **options: Any) -> subprocess.Popen[Any]:
    """Start a Python process that uses the benchmarks' settings."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "benchmarks.settings", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, *arguments], env=env, cwd=ROOT, **options)


def set_up_django() -> None:
    """Configure Django for the database and the server in use, and create the tables."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def sealed(row: Any, access_token: str, refresh_token: str) -> dict[str, Any]:
    """Return a pair as columns of a row, encrypted for it."""
    pair = {"access_token": access_token, "refresh_token": refresh_token}
    return {name: row._meta.get_field(name).seal(secret, row.key) for name, secret in pair.items()}


class Statements:
    """Counts the SQL statements that Django sends, except BEGIN and COMMIT. Used as one of `execute_wrappers`."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def watch(self, connection: Any, **kwargs: Any) -> None:
        """Count the statements of a new connection. A receiver of `connection_created`."""
        connection.execute_wrappers.append(self)

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        with self._lock:
            self.count += 1
        return execute(sql, params, many, context)


def door(url: str, action: str = "", **values: Any) -> dict[str, Any]:
    """Return the sandbox's state or, with an action, call that control endpoint and return its answer."""
    if not action:
        return dict(requests.get(f"{url}/_sandbox/state", timeout=30).json())
    answer = requests.post(f"{url}/_sandbox/{action}", json=values, timeout=30)
    answer.raise_for_status()
    return dict(answer.json())


def report(title: str, rows: Sequence[dict[str, Any]], result: dict[str, Any]) -> None:
    """Print a table, and the result as one JSON object on the last line."""
    print(f"\n{title} ({os.cpu_count()} cores, Python {sys.version.split()[0]})\n")
    columns = list(rows[0])
    cells = [columns, *[[_cell(row.get(column, "")) for column in columns] for row in rows]]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    print()
    print(json.dumps(result))


def _cell(value: Any) -> str:
    return (
        f"{value:.3g}"
        if isinstance(value, float) and abs(value) < 1000
        else f"{value:.0f}"
        if isinstance(value, float)
        else str(value)
    )
