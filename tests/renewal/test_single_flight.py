"""Threads of one process that want the same renewal: one does it, the others share its outcome."""

from __future__ import annotations

from typing import Any

from django_mailup.exceptions import (
    MailUpUnavailable,
)
from django_mailup.models import Token
from django_mailup.renewal import on_demand
from django_mailup.sandbox import Sandbox

from ..threads import in_threads

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
