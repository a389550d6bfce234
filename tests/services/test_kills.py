"""SIGKILL of a real process at every step of a renewal.

A lock that the test holds, or an answer that the sandbox withholds, stops the victim where it is wanted; each test
shows that it was there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from django_mailup.database_clock import DatabaseNow
from django_mailup.exceptions import ReauthorizationRequired
from django_mailup.models import ClientRegistration, Token
from django_mailup.sandbox import Sandbox
from django_mailup.services import refresh

HAS_SERVER = connection.vendor != "sqlite"
ROOT = Path(__file__).resolve().parents[2]
VICTIM = """
import json, sys
from django.conf import settings
given = json.loads(sys.argv[1])
settings.DATABASES["default"]["NAME"] = given["database"]
settings.MAILUP = given["mailup"]
import django
django.setup()
from django_mailup.services import refresh
print("ready", flush=True)
refresh.access(given["pk"])
print("renewed", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def expired(transactional_db: None, mailup_connection: Callable[..., Token], mailup_server: str, user: Any) -> Token:
    """A connection that has run out, in a committed row, with MailUp on a socket."""
    token = mailup_connection(user)
    past = timezone.now() - timedelta(hours=1)
    Token.objects.update(connected_at=past, expires_at=past, refresh_at=past)
    token.refresh_from_db()
    return token


@contextmanager
def victim(token: Token, settings: Any) -> Iterator[subprocess.Popen[str]]:
    """Another process that renews the token; it is killed at the end of the block, wherever it is then."""
    mailup = {key: value for key, value in settings.MAILUP.items() if key != "ADAPTER"}
    given = {"database": str(connection.settings_dict["NAME"]), "mailup": mailup, "pk": token.pk}
    process = subprocess.Popen(
        [sys.executable, "-c", VICTIM, json.dumps(given)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class Gate:
    """Stops the sandbox before or after it acts on a refresh, until it is opened."""

    def __init__(self, sandbox: Sandbox, *, after: bool) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        answered = sandbox.state.refresh

        def gated(*args: Any) -> Any:
            sandbox.state.refresh = answered  # type: ignore[method-assign]
            pair = answered(*args) if after else None
            self.reached.set()
            self.open.wait(20)
            return pair or answered(*args)

        sandbox.state.refresh = gated  # type: ignore[method-assign]


@contextmanager
def locked_row(token: Token) -> Iterator[None]:
    """Keep everybody else from writing the row. SQLite knows only a lock of the whole database."""
    with transaction.atomic():
        Token.objects.filter(pk=token.pk).update(company="locked")
        yield


def eventually(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def let_the_claim_run_out() -> None:
    assert Token.objects.update(claimed_until=DatabaseNow(-1)) == 1


def test_killed_before_the_claim(expired: Token, mailup_sandbox: Sandbox, settings: Any) -> None:
    with locked_row(expired), victim(expired, settings) as process, pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)  # it waits for the lock
    if HAS_SERVER:
        # The server carries the dead one's waiting statement out: the claim stands, and runs out.
        eventually(lambda: Token.objects.exclude(claim_owner="").exists())
        let_the_claim_run_out()
    expired.refresh_from_db()
    assert expired.generation == 1

    assert refresh.access(expired.pk).generation == 2
    assert mailup_sandbox.state.counters["refreshes"] == 1


@pytest.mark.parametrize("reuse", ["refused", "accepted"])
def test_killed_after_the_claim_before_mailup_acts(
    expired: Token, mailup_sandbox: Sandbox, settings: Any, reuse: str
) -> None:
    mailup_sandbox.configure(refresh_reuse=reuse)
    gate = Gate(mailup_sandbox, after=False)
    with victim(expired, settings):
        assert gate.reached.wait(20)
    expired.refresh_from_db()
    assert expired.claim_owner != ""
    let_the_claim_run_out()

    # MailUp hasn't acted yet, so the pair is good: whoever comes next renews it.
    assert refresh.access(expired.pk).generation == 2
    assert not Token.objects.get().interrupted
    gate.open.set()


@pytest.mark.parametrize(("reuse", "recovers"), [("refused", False), ("revokes", False), ("grace", True)])
def test_killed_during_the_answer(
    expired: Token, mailup_sandbox: Sandbox, settings: Any, reuse: str, recovers: bool
) -> None:
    mailup_sandbox.configure(refresh_reuse=reuse)
    gate = Gate(mailup_sandbox, after=True)
    with victim(expired, settings):
        assert gate.reached.wait(20)
    gate.open.set()
    assert mailup_sandbox.state.counters["refreshes"] == 1
    let_the_claim_run_out()

    if recovers:
        assert refresh.access(expired.pk).generation == 2
        return
    # The new pair died with the process, and a strict server takes the old one no more: the row says so.
    with pytest.raises(ReauthorizationRequired, match="interrupted"):
        refresh.access(expired.pk)
    expired.refresh_from_db()
    assert expired.status == Token.Status.REAUTHORIZATION_REQUIRED
    assert "interrupted" in expired.last_error


def test_killed_between_answer_and_save(expired: Token, mailup_sandbox: Sandbox, settings: Any) -> None:
    gate = Gate(mailup_sandbox, after=True)
    with victim(expired, settings) as process:
        assert gate.reached.wait(20)
        with locked_row(expired):
            gate.open.set()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.5)  # it has its answer, and waits for the lock to save it
            process.kill()
            process.wait()
    if HAS_SERVER:
        # The server carries the dead one's waiting statement out: nothing is lost.
        eventually(lambda: Token.objects.filter(generation=2).exists())
        assert refresh.access(expired.pk).generation == 2
        return
    expired.refresh_from_db()
    assert expired.generation == 1
    assert expired.claim_owner != ""
    let_the_claim_run_out()

    with pytest.raises(ReauthorizationRequired, match="interrupted"):
        refresh.access(expired.pk)


def test_killed_after_the_save(expired: Token, mailup_sandbox: Sandbox, settings: Any) -> None:
    with victim(expired, settings) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "renewed\n"

    assert refresh.access(expired.pk).generation == 2
    assert mailup_sandbox.state.counters["refreshes"] == 1


def test_a_waiter_takes_over_from_the_dead_by_itself(expired: Token, mailup_sandbox: Sandbox, settings: Any) -> None:
    gate = Gate(mailup_sandbox, after=False)
    with victim(expired, settings):
        assert gate.reached.wait(20)
    Token.objects.update(claimed_until=DatabaseNow(0.5))  # half a second of its life is left

    assert refresh.access(expired.pk).generation == 2
    gate.open.set()


def test_two_processes_make_one_refresh(expired: Token, mailup_sandbox: Sandbox, settings: Any) -> None:
    mailup_sandbox.configure(refresh_reuse="revokes", token_latency=0.3)
    with victim(expired, settings) as one, victim(expired, settings) as two:
        for process in (one, two):
            assert process.stdout is not None
            assert process.stdout.readline() == "renewed\n"

    assert mailup_sandbox.state.counters["refreshes"] == 1
    assert mailup_sandbox.state.counters["reuses"] == 0
    assert ClientRegistration.objects.get().failed_at is None
