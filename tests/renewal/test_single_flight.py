"""Threads of one process that want the same renewal: one does it, the others share its outcome."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from django_mailup.exceptions import MailUpUnavailable, NotConnected
from django_mailup.models import Token
from django_mailup.renewal import on_demand
from django_mailup.sandbox import Sandbox

from ..processes import Gate, eventually
from ..threads import in_threads, threads_waiting_in

TOKEN = "/Authorization/OAuth/Token"


def test_fifty_threads_make_one_refresh(expired: Token, mailup_sandbox: Sandbox) -> None:
    mailup_sandbox.configure(refresh_reuse="revokes", token_latency=0.1)
    lives = in_threads(50, lambda: on_demand.usable_token(expired.key))

    assert {type(live) for live in lives} == {on_demand.UsableToken}
    assert {live.generation for live in lives} == {2}
    assert mailup_sandbox.state.counters["refreshes"] == 1
    assert mailup_sandbox.state.counters["reuses"] == 0


def test_all_threads_learn_of_a_failure_after_one_try(
    expired: Token, mailup_sandbox: Sandbox, mailup_requests: list[Any]
) -> None:
    mailup_sandbox.configure(token_latency=0.1)
    mailup_sandbox.fail_with("status", status=503, path=TOKEN, times=-1)
    mailup_requests.clear()
    outcomes = in_threads(20, lambda: on_demand.usable_token(expired.key))

    assert {type(outcome) for outcome in outcomes} == {MailUpUnavailable}
    assert len(mailup_requests) == 1


@pytest.mark.parametrize("ask_first", [False, True], ids=["no query before", "a query before"])
def test_a_row_that_is_gone_is_told_to_all_threads(transactional_db: None, ask_first: bool) -> None:
    key = uuid.uuid4()

    def call() -> None:
        if ask_first:
            assert not Token.objects.exists()
        on_demand.usable_token(key)

    assert {type(outcome) for outcome in in_threads(20, call)} == {NotConnected}


def test_threads_that_share_an_outcome_ask_the_database_nothing(expired: Token, mailup_sandbox: Sandbox) -> None:
    gate = Gate(mailup_sandbox, after=False)

    def asks_the_database() -> bool:
        on_demand.usable_token(expired.key)
        return connections["default"].connection is not None

    with ThreadPoolExecutor(1) as pool:
        calls = pool.submit(in_threads, 20, asks_the_database)
        gate.reached.wait()
        eventually(lambda: threads_waiting_in(on_demand.usable_token) == 20)
        gate.open.set()
        assert sorted(calls.result()) == [False] * 19 + [True]
