"""Control a victim process (`tests.victim`): start it, stop it at a step, kill it, take its database away."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.db import connection, transaction

from django_mailup.database_clock import DatabaseNow
from django_mailup.models import Token
from django_mailup.sandbox import Sandbox

from . import servers

HAS_SERVER = connection.vendor != "sqlite"
ROOT = Path(__file__).resolve().parent.parent
BROKERS = {
    "redis": os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/13"),
    "rabbitmq": os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//"),
}


@contextmanager
def broker(name: str) -> Iterator[dict[str, Any]]:
    """Yield Celery's settings for a new queue. If the broker doesn't answer, skip the test, or fail it if it must run.

    On Redis every key has a new prefix; on RabbitMQ the queue and its exchange have a new name. At the end these are
    deleted, and nothing else.
    """
    reason = servers.missing(BROKERS[name])
    if reason:
        (pytest.fail if servers.REQUIRED else pytest.skip)(reason)
    own_name = f"mailup-tests-{uuid.uuid4().hex}"
    conf = {
        "broker_url": BROKERS[name],
        "task_default_queue": own_name,
        "task_ignore_result": True,
        "worker_enable_remote_control": False,  # its queue would be shared by all workers of this machine
    }
    if name == "redis":
        conf["broker_transport_options"] = {"global_keyprefix": f"{own_name}:"}
    try:
        yield conf
    finally:
        if name == "redis":
            from redis import Redis

            with Redis.from_url(BROKERS[name]) as client:
                for key in client.scan_iter(f"{own_name}:*"):
                    client.delete(key)
        else:
            with sender(conf) as app, app.connection_for_write() as link:
                link.default_channel.queue_delete(own_name)
                link.default_channel.exchange_delete(own_name)


def sender(conf: dict[str, Any]) -> Celery:
    """Return a Celery app that sends messages to the queue of `broker`. Close it, or use it in a `with` block."""
    app = Celery("sender", set_as_current=False)
    app.conf.update(conf)
    return app


def reach(**changes: Any) -> dict[str, Any]:
    """Return what another process needs to use the test's database."""
    known = {key: connection.settings_dict[key] for key in ("NAME", "HOST", "PORT", "OPTIONS")}
    return known | {"NAME": str(known["NAME"])} | changes


class Victim:
    """A process that renews a token, seen from the test.

    kind: `process` and `web` renew on demand; `job`, `worker` and `group` renew ahead of time. Of a
        `worker`, the pool process is killed; of a `group`, the worker, its pool process and beat.
    """

    def __init__(self, kind: str, token: Token, settings: Any, *, database: dict[str, Any] | None = None) -> None:
        self.kind, self.key = kind, str(token.key)
        self.said: list[str] = []
        self._heard, self._has_ended = threading.Condition(), False
        self._folder = tempfile.TemporaryDirectory()
        given = {"kind": kind, "database": database or reach(), "mailup": settings.MAILUP, "key": self.key}
        self._broker = ExitStack()
        if kind in ("worker", "group"):
            given["celery"] = self._broker.enter_context(broker("redis"))
            given["beat"] = str(Path(self._folder.name) / "beat")
        self._given = given
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.victim", json.dumps(given)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            start_new_session=True,
        )  # fmt: skip
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._heard:
                self.said.append(line.strip())
                self._heard.notify_all()
        with self._heard:
            self._has_ended = True
            self._heard.notify_all()

    def hear(self, word: str, *, times: int = 1) -> str:
        """Wait until the victim has written `times` lines that begin with a word, and return the last one."""

        def heard() -> list[str]:
            return [line for line in self.said if line.startswith(word)]

        with self._heard:
            self._heard.wait_for(lambda: len(heard()) >= times or self._has_ended)
        assert len(heard()) >= times, f"{word!r} was not heard, but {self.said}"
        return heard()[times - 1]

    def begin(self) -> None:
        """Let it renew the token. A `process` and a `job` begin by themselves."""
        ready = self.hear("ready")
        if self.kind == "web":
            threading.Thread(target=_get, args=(f"http://127.0.0.1:{ready.split()[1]}/",), daemon=True).start()
        elif self.kind in ("worker", "group"):
            with sender(self._given["celery"]) as app:
                app.send_task("django_mailup.refresh_tokens", [[self.key]])

    def kill(self) -> None:
        """Send SIGKILL to the processes that the kind names, and return when they have ended."""
        pid = int(self.hear("claim").split()[1]) if self.kind == "worker" else self.process.pid
        try:
            (os.kill if self.kind == "worker" else os.killpg)(pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # it has ended already
        if self.kind == "worker":
            eventually(lambda: not Path(f"/proc/{pid}").exists())
        else:
            self.process.wait()

    def close(self) -> None:
        """End all its processes, and delete its files and its queue."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._listener.join()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self._folder.cleanup()
        self._broker.close()


def _get(url: str) -> None:
    try:
        urllib.request.urlopen(url, timeout=60).close()  # noqa: S310
    except OSError:
        return  # it was killed, as it should be


@contextmanager
def victim(kind: str, token: Token, settings: Any, *, database: dict[str, Any] | None = None) -> Iterator[Victim]:
    """Yield a victim that has begun to renew the token. It is killed at the end of the block."""
    made = Victim(kind, token, settings, database=database)
    try:
        made.begin()
        yield made
        made.kill()
    finally:
        made.close()


class Gate:
    """Holds up one refresh in the sandbox, before or after it takes effect, until `open` is set."""

    def __init__(self, sandbox: Sandbox, *, after: bool) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        hook = "after_refresh" if after else "before_refresh"

        def hold(_: object) -> None:
            setattr(sandbox.hooks, hook, None)
            self.reached.set()
            self.open.wait(180)  # a test that fails before it opens the gate must end, too

        setattr(sandbox.hooks, hook, hold)


@contextmanager
def locked_row(token: Token) -> Iterator[None]:
    """Keep all others from writing the row. On SQLite this locks the whole database."""
    with transaction.atomic():
        Token.objects.filter(pk=token.pk).update(company="locked")
        yield


@contextmanager
def locked_table() -> Iterator[None]:
    """Keep all others from locking or writing any token. Even a job waits for this, although it skips locked rows."""
    token = Token.objects.first()
    assert token is not None
    if connection.vendor == "sqlite":
        with locked_row(token):
            yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE django_mailup_token IN EXCLUSIVE MODE")
            yield
    else:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLES django_mailup_token READ")
            try:
                yield
            finally:
                cursor.execute("UNLOCK TABLES")


def the_server_holds_a_statement_back() -> bool:
    """Return whether a statement in this database waits for a lock at the server; on SQLite, always True."""
    waiting = {
        "postgresql": "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'",
        "mysql": "SELECT (SELECT count(*) FROM information_schema.processlist"
        " WHERE db = database() AND state LIKE 'Waiting for table%%')"
        " + (SELECT count(*) FROM information_schema.innodb_trx JOIN information_schema.processlist"
        " ON trx_mysql_thread_id = id WHERE db = database() AND trx_state = 'LOCK WAIT')",
    }
    if not HAS_SERVER:
        return True
    if connection.vendor == "mysql":
        time.sleep(0.25)  # innodb_trx is a copy that isn't renewed while it is read more than ten times a second
    with connection.cursor() as cursor:
        cursor.execute(waiting[connection.vendor])
        return bool(cursor.fetchone()[0])


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, if need be until the time limit of the test."""
    while not condition():
        time.sleep(0.02)


def let_the_claim_run_out() -> None:
    """Let the only claim end now."""
    assert Token.objects.exclude(claim_owner="").update(claimed_until=DatabaseNow(-1)) == 1


class Line:
    """A TCP proxy in front of the database server, which can be cut and mended."""

    def __init__(self) -> None:
        port = connection.settings_dict["PORT"] or (5432 if connection.vendor == "postgresql" else 3306)
        self._target = (connection.settings_dict["HOST"], int(port))
        self._is_cut = False
        self._open: list[socket.socket] = []
        self.turned_away = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break all connections, and refuse new ones."""
        self._is_cut = True
        self._break_all()

    def mend(self) -> None:
        """Accept connections again."""
        self._is_cut = False

    def close(self) -> None:
        """Break all connections, and stop listening."""
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _break_all(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                if self._is_cut:
                    near.close()
                    self.turned_away += 1
                    continue
                far = socket.create_connection(self._target)
            except OSError:
                return
            self._open += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()
            if self._is_cut:
                self._break_all()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while piece := one.recv(65536):
            other.sendall(piece)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
