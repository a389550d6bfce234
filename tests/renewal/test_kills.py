"""Processes that are killed at each step of a renewal: a script, a web server, a worker, a whole process group.

A lock that the test holds, or an answer that the sandbox withholds, stops the victim at that step. The victim writes
which step it has reached, and the test waits for that.
"""

from __future__ import annotations

from typing import Any

import pytest

from django_mailup.database_clock import DatabaseNow
from django_mailup.exceptions import ReauthorizationRequired
from django_mailup.models import ClientRegistration, Token
from django_mailup.renewal import on_demand
from django_mailup.sandbox import Sandbox

from ..processes import (
    HAS_SERVER,
    Gate,
    eventually,
    let_the_claim_run_out,
    locked_row,
    locked_table,
    the_server_holds_a_statement_back,
    victim,
)

pytestmark = pytest.mark.slow
AHEAD_OF_TIME = ("job", "worker", "group")
KINDS = ["process", "web", "job", pytest.param("worker", marks=pytest.mark.brokers, id="worker_on_redis"),
         pytest.param("group", marks=pytest.mark.brokers, id="group_on_redis")]  # fmt: skip


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_killed_before_the_claim(kind: str, expired_row: Token, mailup_sandbox: Sandbox, settings: Any) -> None:
    lock = locked_table() if kind in AHEAD_OF_TIME else locked_row(expired_row)
    with lock, victim(kind, expired_row, settings) as killed:
        killed.hear("claim")  # it sends the statement, which has to wait for our lock
        eventually(the_server_holds_a_statement_back)
    if HAS_SERVER and kind not in AHEAD_OF_TIME:  # a job's transaction is rolled back
        # The server still executes the waiting statement of the dead process: the claim is stored, and has to end.
        eventually(lambda: Token.objects.exclude(claim_owner="").exists())
        let_the_claim_run_out()
    expired_row.refresh_from_db()
    assert expired_row.generation == 1
    assert mailup_sandbox.state.counters["refreshes"] == 0

    assert on_demand.usable_token(expired_row.key).generation == 2
    assert mailup_sandbox.state.counters["refreshes"] == 1


@pytest.mark.parametrize("reuse", ["refused", "accepted"])
def test_killed_after_the_claim_before_mailup_acts(
    kind: str, expired_row: Token, mailup_sandbox: Sandbox, settings: Any, reuse: str
) -> None:
    mailup_sandbox.configure(refresh_reuse=reuse)
    gate = Gate(mailup_sandbox, after=False)
    with victim(kind, expired_row, settings):
        gate.reached.wait()
    expired_row.refresh_from_db()
    assert expired_row.claim_owner != ""
    let_the_claim_run_out()

    # MailUp hasn't acted yet, so the pair is good: whoever comes next renews it.
    assert on_demand.usable_token(expired_row.key).generation == 2
    assert not Token.objects.get().interrupted
    gate.open.set()


@pytest.mark.parametrize(("reuse", "recovers"), [("refused", False), ("revokes", False), ("grace", True)])
def test_killed_during_the_answer(
    kind: str, expired_row: Token, mailup_sandbox: Sandbox, settings: Any, reuse: str, recovers: bool
) -> None:
    mailup_sandbox.configure(refresh_reuse=reuse)
    gate = Gate(mailup_sandbox, after=True)
    with victim(kind, expired_row, settings):
        gate.reached.wait()
    gate.open.set()
    assert mailup_sandbox.state.counters["refreshes"] == 1
    let_the_claim_run_out()

    if recovers:
        assert on_demand.usable_token(expired_row.key).generation == 2
        return
    # The new pair is lost with the process, and MailUp refuses the old one: the row says so.
    with pytest.raises(ReauthorizationRequired, match="interrupted"):
        on_demand.usable_token(expired_row.key)
    expired_row.refresh_from_db()
    assert expired_row.status == Token.Status.REAUTHORIZATION_REQUIRED
    assert "interrupted" in str(expired_row.last_error)


def test_killed_between_answer_and_save(kind: str, expired_row: Token, mailup_sandbox: Sandbox, settings: Any) -> None:
    gate = Gate(mailup_sandbox, after=True)
    with victim(kind, expired_row, settings) as killed:
        gate.reached.wait()
        with locked_row(expired_row):
            gate.open.set()
            # It has its answer and waits for the row. A job, which waits for no lock, tries again and again.
            killed.hear("save", times=2 if HAS_SERVER and kind in AHEAD_OF_TIME else 1)
            if kind not in AHEAD_OF_TIME:
                eventually(the_server_holds_a_statement_back)
            killed.kill()
    if HAS_SERVER and kind not in AHEAD_OF_TIME:
        # The server still executes the waiting statement of the dead process: nothing is lost.
        eventually(lambda: Token.objects.filter(generation=2).exists())
        assert on_demand.usable_token(expired_row.key).generation == 2
        return
    expired_row.refresh_from_db()
    assert expired_row.generation == 1
    assert expired_row.claim_owner != ""
    let_the_claim_run_out()

    with pytest.raises(ReauthorizationRequired, match="interrupted"):
        on_demand.usable_token(expired_row.key)


def test_killed_after_the_save(kind: str, expired_row: Token, mailup_sandbox: Sandbox, settings: Any) -> None:
    with victim(kind, expired_row, settings) as killed:
        killed.hear("renewed")

    assert on_demand.usable_token(expired_row.key).generation == 2
    assert mailup_sandbox.state.counters["refreshes"] == 1


def test_a_waiter_takes_over_from_the_dead_by_itself(
    kind: str, expired_row: Token, mailup_sandbox: Sandbox, settings: Any
) -> None:
    gate = Gate(mailup_sandbox, after=False)
    with victim(kind, expired_row, settings):
        gate.reached.wait()
    Token.objects.update(claimed_until=DatabaseNow(0.5))  # the claim ends in half a second

    assert on_demand.usable_token(expired_row.key).generation == 2
    gate.open.set()


def test_different_processes_make_one_refresh(expired_row: Token, mailup_sandbox: Sandbox, settings: Any) -> None:
    mailup_sandbox.configure(refresh_reuse="revokes", token_latency=0.3)
    with victim("process", expired_row, settings) as one, victim("web", expired_row, settings) as two:
        one.hear("renewed")
        two.hear("renewed")

    assert mailup_sandbox.state.counters["refreshes"] == 1
    assert mailup_sandbox.state.counters["reuses"] == 0
    assert ClientRegistration.objects.get().failed_at is None
