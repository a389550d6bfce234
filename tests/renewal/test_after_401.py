"""Renewals that a 401 causes: one in five minutes, however many calls are refused, and nobody else waits for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from django_mailup.exceptions import MailUpUnavailable, RateLimited, Unauthorized
from django_mailup.models import Token
from django_mailup.renewal import on_demand, periodic
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_of, refresh

from ..processes import ROOT, reach
from ..threads import in_threads
from . import storm

Connect = Callable[..., Token]
LISTS = "/Console/User/Lists"
TOKEN = "/Authorization/OAuth/Token"


@pytest.fixture
def token(transactional_db: None, mailup_connection: Connect, user: Any, mailup_sandbox: Sandbox) -> Token:
    """A fresh connection, to a MailUp that refuses to show lists."""
    made = mailup_connection(user)
    mailup_sandbox.configure(refresh_reuse="revokes")
    mailup_sandbox.fail_with("status", status=401, path=LISTS, times=-1)
    return made


def ask_for_lists(token: Token, clock: Any) -> None:
    """Call the operation that is refused, by a new client."""
    with pytest.raises(Unauthorized):
        list(client_of(row(token), clock=clock).lists.all())


def row(token: Token) -> Token:
    return Token.objects.select_related("registration").get(key=token.key)


def test_an_operation_that_is_always_refused_causes_one_renewal_in_five_minutes(
    token: Token, mailup_sandbox: Sandbox, clock: Any
) -> None:
    for minute in range(5):
        for _ in range(6):
            ask_for_lists(token, clock)
            assert client_of(row(token), clock=clock).account.info().uid == "4321"
        assert mailup_sandbox.state.counters["refreshes"] == 1, f"in minute {minute}"
        clock.move(minutes=1)

    stored = row(token)
    assert (stored.generation, stored.refused_generation, stored.failure_count) == (2, 1, 0)
    assert stored.blocked_until == clock()
    ask_for_lists(token, clock)
    assert mailup_sandbox.state.counters["refreshes"] == 2
    assert mailup_sandbox.state.counters["reuses"] == 0


def test_the_answer_to_the_call_is_what_its_caller_gets(token: Token, clock: Any) -> None:
    ask_for_lists(token, clock)

    with pytest.raises(Unauthorized, match="MailUp refused with status 401: Simulated error 401"):
        list(client_of(row(token), clock=clock).lists.all())


def test_thirty_threads_that_are_refused_at_once_make_one_renewal(
    token: Token, mailup_sandbox: Sandbox, clock: Any
) -> None:
    mailup_sandbox.configure(token_latency=0.1)

    def call() -> str:
        client = client_of(token, clock=clock)
        with pytest.raises(Unauthorized):
            list(client.lists.all())
        return client.account.info().uid

    assert in_threads(30, call) == ["4321"] * 30
    assert mailup_sandbox.state.counters["refreshes"] == 1


def test_processes_that_are_refused_at_once_make_one_renewal(
    token: Token, mailup_sandbox: Sandbox, mailup_server: str, settings: Any
) -> None:
    given = json.dumps({"database": reach(), "mailup": settings.MAILUP, "key": str(token.key)})
    processes = [
        subprocess.Popen([sys.executable, "-m", "tests.renewal.storm", given], cwd=ROOT, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [json.loads(process.communicate()[0]) for process in processes]

    assert said == [{"refused": storm.THREADS * storm.CALLS, "others": 0}] * 3
    assert mailup_sandbox.state.counters["refreshes"] == 1


def test_the_periodic_renewal_does_not_wait_for_it(token: Token, clock: Any) -> None:
    ask_for_lists(token, clock)
    Token.objects.update(
        refresh_at=clock(), refreshed_at=clock() - timedelta(hours=1), expires_at=clock() + timedelta(minutes=1)
    )

    (batch,) = periodic.hand_out_due(clock=clock)
    assert periodic.refresh_many(batch.keys, clock=clock) == periodic.Tally(refreshed=1)
    assert blocks(token) == (3, None, None)


def test_a_token_that_expires_is_renewed_meanwhile(token: Token, mailup_sandbox: Sandbox, clock: Any) -> None:
    ask_for_lists(token, clock)
    mailup_sandbox.state.expire_access()
    Token.objects.update(expires_at=clock())

    assert client_of(row(token), clock=clock).account.info().uid == "4321"
    assert blocks(token) == (3, None, None)


def test_a_person_may_renew_meanwhile(token: Token, clock: Any) -> None:
    ask_for_lists(token, clock)

    refresh(row(token), clock=clock)
    assert blocks(token) == (3, None, None)


def test_a_wait_that_mailup_asks_for_replaces_it_and_binds_everybody(
    token: Token, mailup_sandbox: Sandbox, clock: Any
) -> None:
    ask_for_lists(token, clock)
    mailup_sandbox.fail_with("status", status=429, path=TOKEN, retry_after=60)
    with pytest.raises(RateLimited):
        refresh(row(token), clock=clock)

    assert blocks(token) == (2, None, clock() + timedelta(seconds=60))
    with pytest.raises(RateLimited):
        refresh(row(token), clock=clock)
    with pytest.raises(RateLimited):
        on_demand.usable_token(token.key, refused=2, clock=clock)


def test_a_renewal_that_fails_meanwhile_does_not_end_it(token: Token, mailup_sandbox: Sandbox, clock: Any) -> None:
    ask_for_lists(token, clock)
    until = row(token).blocked_until
    mailup_sandbox.fail_with("status", status=503, path=TOKEN)
    with pytest.raises(MailUpUnavailable):
        refresh(row(token), clock=clock)

    assert blocks(token) == (2, 1, until)
    clock.move(minutes=1)
    ask_for_lists(token, clock)
    assert blocks(token) == (2, 1, until)


def blocks(token: Token) -> tuple[int, int | None, Any]:
    stored = row(token)
    return stored.generation, stored.refused_generation, stored.blocked_until
