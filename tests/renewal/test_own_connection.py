"""Renewals inside the caller's transaction: a rollback or an interruption loses no pair."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections, transaction
from django.urls import path
from django.utils import timezone

from django_mailup.exceptions import (
    TransactionOpen,
)
from django_mailup.models import Token
from django_mailup.renewal import on_demand, own_connection, periodic
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_for

from ..stored import sealed
from .other_process import claim, in_a_moment

Connect = Callable[..., Token]


@pytest.mark.parametrize("depth", [1, 2, 3], ids=["atomic", "nested", "deep"])
def test_a_callers_rollback_never_loses_a_pair(expired: Token, mailup_sandbox: Sandbox, user: Any, depth: int) -> None:
    class Rollback(Exception):
        pass

    mailup_sandbox.configure(refresh_reuse="revokes")

    def inside(blocks: int) -> None:
        if blocks:
            with transaction.atomic():
                inside(blocks - 1)
        client_for(user).account.info()
        raise Rollback

    if connection.vendor == "sqlite":
        with pytest.raises(TransactionOpen):
            inside(depth)
        assert mailup_sandbox.state.counters["refreshes"] == 0
        return
    with pytest.raises(Rollback):
        inside(depth)
    assert Token.objects.get().generation == 2
    assert client_for(user).account.info().uid == "4321"


@pytest.mark.parametrize("atomic", [True, False], ids=["atomic_requests", "non_atomic_requests"])
def test_a_request_that_is_one_transaction_never_loses_a_pair(
    expired: Token, mailup_sandbox: Sandbox, user: Any, client: Any, settings: Any, atomic: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    class Rollback(Exception):
        pass

    def view(request: Any) -> Any:
        assert connection.in_atomic_block == atomic
        client_for(request.user).account.info()
        raise Rollback

    mailup_sandbox.configure(refresh_reuse="revokes")
    urls = [path("", view if atomic else transaction.non_atomic_requests(view))]
    settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": urls})
    client.force_login(user)
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    if atomic and connection.vendor == "sqlite":
        with pytest.raises(TransactionOpen):
            client.get("/")
        assert mailup_sandbox.state.counters["refreshes"] == 0
        return
    with pytest.raises(Rollback):
        client.get("/")
    assert Token.objects.get().generation == 2
    assert client_for(user).account.info().uid == "4321"


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite refuses inside every transaction, as tested above")
@pytest.mark.parametrize("held", ["created", "locked"])
def test_a_row_that_the_callers_block_holds_is_refused_before_mailup_is_asked(
    expired: Token, mailup_sandbox: Sandbox, held: str
) -> None:
    with transaction.atomic():
        if held == "created":
            expired.pk, expired.key, expired.account_uid, expired._state.adding = None, uuid4(), "1", True
            expired.access_token, expired.refresh_token = "A", "R"
            expired.save()
        else:
            Token.objects.select_for_update().get(pk=expired.pk)
        with pytest.raises(TransactionOpen):
            on_demand.usable_token(expired.key)
    assert mailup_sandbox.state.counters["refreshes"] == 0


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite refuses inside every transaction, as tested above")
def test_a_waiter_inside_a_transaction_sees_what_another_process_stored(expired: Token) -> None:
    claim(expired, seconds=30)

    pair = sealed(expired, access_token="A2")
    timer = in_a_moment(expired, **pair, expires_at=timezone.now(), generation=2, claim_owner="")
    with transaction.atomic():
        assert on_demand.usable_token(expired.key).access_token.value == "A2"
    timer.join()


def test_an_interrupted_caller_still_gets_the_pair_stored(expired: Token, mailup_sandbox: Sandbox) -> None:
    """A soft time limit or Ctrl-C interrupts the caller while MailUp answers: the renewal's own thread goes on."""
    asked, go_on = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        asked.set()
        go_on.wait(60)

    mailup_sandbox.hooks.before_refresh = hold

    def interrupt() -> None:
        asked.wait()
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGUSR1)

    class Interrupted(BaseException):
        pass

    def handler(*args: Any) -> None:
        raise Interrupted

    previous = signal.signal(signal.SIGUSR1, handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(Interrupted):
            on_demand.usable_token(expired.key)
    finally:
        signal.signal(signal.SIGUSR1, previous)
        thread.join()
        go_on.set()
    for helper in [each for each in threading.enumerate() if each.name == "mailup-renewal"]:
        helper.join()

    assert Token.objects.get().generation == 2


def test_a_fresh_token_is_used_inside_a_transaction(
    transactional_db: None, mailup_connection: Connect, user: Any
) -> None:
    mailup_connection(user)

    with transaction.atomic():
        assert client_for(user).account.info().uid == "4321"


@pytest.mark.parametrize("locks_it", [False, True], ids=["reads", "locks"])
def test_a_callers_rollback_loses_no_pair_of_a_job(
    transactional_db: None, due_keys: list[UUID], mailup_sandbox: Sandbox, clock: Any, locks_it: bool
) -> None:
    class Rollback(Exception):
        pass

    def inside() -> periodic.Tally:
        with transaction.atomic():
            rows = Token.objects.filter(key=due_keys[2])
            list(rows.select_for_update() if locks_it else rows)
            tallies.append(periodic.refresh_many(due_keys, clock=clock))
            raise Rollback

    tallies: list[periodic.Tally] = []
    if connection.vendor == "sqlite":
        with pytest.raises(TransactionOpen):
            inside()
        assert mailup_sandbox.state.counters["refreshes"] == 0
        return
    with pytest.raises(Rollback):
        inside()
    assert tallies == [periodic.Tally(refreshed=len(due_keys) - locks_it, skipped=int(locks_it))]
    assert Token.objects.filter(generation=2).count() == len(due_keys) - locks_it


@pytest.mark.skipif(connection.vendor == "postgresql", reason="there the test itself would need a pool")
def test_it_is_in_autocommit_and_of_no_pool_whatever_the_site_uses(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.ensure_connection()  # it has been made when the site's settings are changed
    monkeypatch.setitem(connection.settings_dict, "AUTOCOMMIT", False)
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "pool", True)

    def own() -> tuple[Any, Any, Any]:
        known = connections["default"].settings_dict
        return connections["default"] is connection, known["AUTOCOMMIT"], known["OPTIONS"].get("pool")

    assert own_connection.run("default", lambda _: own()) == (False, True, None)
    assert connection.settings_dict["OPTIONS"]["pool"]


def test_it_is_closed_at_the_end(transactional_db: None) -> None:
    used: list[Any] = []

    def use(_: object) -> None:
        assert not Token.objects.exists()
        used.append(connections["default"])
        raise ValueError

    with pytest.raises(ValueError):
        own_connection.run("default", use)
    assert used[0].connection is None
