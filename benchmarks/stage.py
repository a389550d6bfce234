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
from typing import Any, NoReturn

import requests

LOAD_BEFORE = os.getloadavg()[0]
"""The load average as the benchmark began."""
QUIET = 0.5
"""The highest load average of a machine on which nothing else is running."""
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
def fast_server(latency: float = 0.0, *, plain: bool = True) -> Iterator[str]:
    """Run `benchmarks.server` in a process of its own. Yields its base URL.

    Args:
        latency: of the token endpoint, in seconds.
        plain: whether it speaks plain http instead of TLS.
    """
    port = free_port()
    command = ["-m", "benchmarks.server", str(port), str(latency)]
    if plain:
        with _serving(*command, port=port) as url:
            yield url
        return
    with certificate() as file, _serving(*command, str(file), port=port, scheme="https") as url:
        yield url


@contextmanager
def certificate() -> Iterator[Path]:
    """Yield a file with a certificate for 127.0.0.1 and its key, which this process and those it starts trust.

    They trust it by a bundle that has the certificates of certifi as well, so that reading it costs as much as usual.
    """
    from tests.certificates import Authority

    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        bundle = Path(folder) / "bundle.pem"
        bundle.write_text(Path(requests.certs.where()).read_text() + authority.bundle.read_text())
        os.environ["REQUESTS_CA_BUNDLE"] = str(bundle)
        try:
            yield authority.issue()
        finally:
            del os.environ["REQUESTS_CA_BUNDLE"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def _serving(*arguments: str, port: int, scheme: str = "http") -> Iterator[str]:
    with process(*arguments, stdout=subprocess.DEVNULL):
        url = f"{scheme}://127.0.0.1:{port}"
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


def check_running(processes: Sequence[subprocess.Popen[Any]]) -> None:
    """Raise WorkerFailed if one of these processes has ended. What it said of that is on standard error already."""
    for child in processes:
        if child.poll() is not None:
            raise WorkerFailed(f"A worker ended with status {child.returncode}: {_arguments(child)}")


def _arguments(child: subprocess.Popen[Any]) -> str:
    return " ".join(list(child.args)[1:])  # type: ignore[arg-type]


def start(*arguments: str, **options: Any) -> subprocess.Popen[Any]:
    """Start a Python process that uses the benchmarks' settings."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "benchmarks.settings", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, *arguments], env=env, cwd=ROOT, **options)


class WorkerFailed(SystemExit):
    """A worker process ended without a result. The message has what it wrote to standard error."""


class Worker:
    """A Python process that uses the benchmarks' settings, and whose last line of output is its result as JSON.

    Args:
        arguments: its command line, without the name of the program.
    """

    def __init__(self, *arguments: str) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 # it lasts as long as this object
        self.process = start(*arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True)

    def wait_for_line(self) -> None:
        """Wait for a line of its output. Raise WorkerFailed if it ends before."""
        assert self.process.stdout is not None
        if not self.process.stdout.readline():
            self._fail()

    def send_line(self) -> None:
        """Send a line to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def result(self, timeout: float) -> dict[str, Any]:
        """Wait for its end and return its result.

        Raises:
            WorkerFailed: it failed, or printed nothing.
            subprocess.TimeoutExpired: it is still running after `timeout` seconds.
        """
        said, _ = self.process.communicate(timeout=timeout)
        lines = said.splitlines()
        if self.process.returncode or not lines:
            self._fail()
        return dict(json.loads(lines[-1]))

    def errors(self) -> str:
        """Return what it has written to standard error."""
        self._errors.seek(0)
        return self._errors.read().strip()

    def _fail(self) -> NoReturn:
        status = self.process.wait()
        raise WorkerFailed(f"A worker ended with status {status}: {_arguments(self.process)}\n{self.errors()}")


@contextmanager
def workers(count: int, *arguments: str) -> Iterator[list[Worker]]:
    """Run several workers with the same command line. Those that still run at the end are killed."""
    started: list[Worker] = []
    try:
        started.extend(Worker(*arguments) for _ in range(count))
        yield started
    finally:
        for worker in started:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.communicate()


def run(*arguments: str) -> None:
    """Run a Python process that uses the benchmarks' settings, to its end. Raise WorkerFailed if it fails."""
    child = start(*arguments, stderr=subprocess.PIPE, text=True)
    _, errors = child.communicate(timeout=120)
    if child.returncode:
        raise WorkerFailed(f"A process ended with status {child.returncode}: {_arguments(child)}\n{errors}")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a running process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def deviations() -> dict[str, Any]:
    """Return the settings of `MAILUP` that are not the package's defaults; none if the benchmark needs no Django."""
    from django.conf import settings

    from django_mailup.setting_kinds import Setting
    from django_mailup.settings_table import MailUpSettings

    defaults = {name: kind.default for name, kind in vars(MailUpSettings).items() if isinstance(kind, Setting)}
    needed = {"BASE_URL", "ENCRYPTION_KEYS"}
    given = getattr(settings, "MAILUP", {}) if "DJANGO_SETTINGS_MODULE" in os.environ else {}
    return {name: value for name, value in given.items() if name not in needed and value != defaults[name]}


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


_session = requests.Session()  # one connection: over TLS a new one for each call would take part of the machine


def door(url: str, action: str = "", **values: Any) -> dict[str, Any]:
    """Return the sandbox's state or, with an action, call that control endpoint and return its answer."""
    if not action:
        return dict(_session.get(f"{url}/_sandbox/state", timeout=30).json())
    answer = _session.post(f"{url}/_sandbox/{action}", json=values, timeout=30)
    answer.raise_for_status()
    return dict(answer.json())


def report(title: str, rows: Sequence[dict[str, Any]], result: dict[str, Any]) -> None:
    """Print a table, and the result as one JSON object on the last line.

    The result is told on how many cores it was found, the load average before, and which settings weren't the
    package's defaults.
    """
    cores = os.cpu_count()
    print(f"\n{title} ({cores} cores, Python {sys.version.split()[0]}, load average {LOAD_BEFORE:.1f} before)\n")
    columns = list(rows[0])
    cells = [columns, *[[_cell(row.get(column, "")) for column in columns] for row in rows]]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if LOAD_BEFORE > QUIET:
        print(f"\nWARNING: others were running (the load average was {LOAD_BEFORE:.1f} before): no figures to compare.")
    print()
    print(json.dumps({**result, "cores": cores, "load_before": round(LOAD_BEFORE, 2), "deviations": deviations()}))


def _cell(value: Any) -> str:
    return (
        f"{value:.3g}"
        if isinstance(value, float) and abs(value) < 1000
        else f"{value:.0f}"
        if isinstance(value, float)
        else str(value)
    )
