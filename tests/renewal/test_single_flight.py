"""Threads of one process that want the same renewal: one does it, the others share its outcome."""

from __future__ import annotations

import os
import signal
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone

from django_mailup.exceptions import MailUpUnavailable, NotConnected, ReauthorizationRequired, TransactionOpen
from django_mailup.models import Token
from django_mailup.renewal import on_demand
from django_mailup.renewal.single_flight import SingleFlight
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


def test_each_thread_gets_an_exception_of_its_own(expired: Token, mailup_sandbox: Sandbox) -> None:
    """A caller may add notes to it, or raise it again with another cause."""
    gate = Gate(mailup_sandbox, after=False)
    mailup_sandbox.state.revoke()
    with ThreadPoolExecutor(1) as pool:
        calls = pool.submit(in_threads, 5, lambda: on_demand.usable_token(expired.key))
        gate.reached.wait()
        eventually(lambda: threads_waiting_in(on_demand.usable_token) == 5)
        gate.open.set()
        outcomes = calls.result()

    assert {type(each) for each in outcomes} == {ReauthorizationRequired}
    assert len({id(each) for each in outcomes}) == 5


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


class LeadsUntil:
    """The clock of a leading thread. At the thread's first look at it, another thread begins a call of its own.

    `follow` makes that call, after a query: threads whose connection isn't open share nothing with those whose is. The
    leading thread goes on as soon as the call waits for it, or has ended without that.
    """

    def __init__(self, pool: ThreadPoolExecutor, follow: Callable[[], Any]) -> None:
        self._pool, self._follow = pool, follow
        self.follower: Future[Any] | None = None

    def __call__(self) -> datetime:
        if self.follower is None:
            self.follower = follower = self._pool.submit(
                in_threads, 1, lambda: Token.objects.exists() and self._follow()
            )
            eventually(lambda: follower.done() or threads_waiting_in(on_demand.usable_token) > 0)
        return timezone.now()

    def _query_and_follow(self) -> Any:
        assert Token.objects.exists()
        return self._follow()

    def outcome(self) -> Any:
        """Return what the other thread's call returned, or the exception that it raised."""
        assert self.follower is not None
        return self.follower.result()[0]


def test_a_thread_outside_a_transaction_renews_although_the_leading_one_may_not(
    expired: Token, mailup_sandbox: Sandbox
) -> None:
    with ThreadPoolExecutor(1) as pool:
        clock = LeadsUntil(pool, lambda: on_demand.usable_token(expired.key))
        with transaction.atomic():
            list(Token.objects.select_for_update().filter(key=expired.key))
            with pytest.raises(TransactionOpen):
                on_demand.usable_token(expired.key, clock=clock)
        assert clock.outcome() == on_demand.usable_token(expired.key)

    assert Token.objects.get().generation == 2
    assert mailup_sandbox.state.counters["refreshes"] == 1


def test_whom_mailup_refuses_a_token_does_not_get_it_from_a_thread_that_may_use_it(
    transactional_db: None, mailup_connection: Callable[..., Token], mailup_sandbox: Sandbox
) -> None:
    token = mailup_connection(None)
    with ThreadPoolExecutor(1) as pool:
        clock = LeadsUntil(pool, lambda: on_demand.usable_token(token.key, refused=1))
        assert on_demand.usable_token(token.key, clock=clock).generation == 1
        assert clock.outcome().generation == 2
    assert mailup_sandbox.state.counters["refreshes"] == 1


class SlowKey:
    """A key in whose `__hash__` a thread stays, and with it inside the lock of a SingleFlight, until it is let go."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __hash__(self) -> int:
        self.reached.set()
        self.go_on.wait()
        return 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # it has threads: that is what is tested
def test_a_child_process_waits_for_no_call_or_lock_of_its_parent() -> None:
    flight: SingleFlight[Any, int] = SingleFlight()
    slow = SlowKey()
    leads, call = flight.join("a call under way")
    assert leads
    with ThreadPoolExecutor(1) as pool:
        inside_the_lock = pool.submit(flight.join, slow)
        slow.reached.wait()
        try:
            child = os.fork()
            if child == 0:
                signal.alarm(30)  # the parent's limit of time isn't the child's
                os._exit(0 if flight.join("a call under way")[0] else 1)
            status = os.waitpid(child, 0)[1]
        finally:
            slow.go_on.set()
        assert inside_the_lock.result()[0]
    assert os.waitstatus_to_exitcode(status) == 0
    assert flight.join("a call under way") == (False, call)
