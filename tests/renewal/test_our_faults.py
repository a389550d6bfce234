"""Faults of the site: no database, no broker, no cache, clocks that differ, two beats, a worker that is late."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery
from django.db import connections, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from django_mailup import tasks
from django_mailup.exceptions import ReauthorizationRequired
from django_mailup.models import Token
from django_mailup.renewal import on_demand, periodic
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_for

from ..processes import HAS_SERVER, Gate, Line, eventually, let_the_claim_run_out, locked_table, reach, victim

pytestmark = pytest.mark.slow
Connect = Callable[..., Token]
NOWHERE = "redis://127.0.0.1:1/0"


class Database:
    """The connection of another process to the test's database, which can be cut."""

    def __init__(self) -> None:
        self._line = Line() if HAS_SERVER else None
        if self._line is not None:
            self.reach = reach(HOST="127.0.0.1", PORT=self._line.port)
        else:
            self.reach = reach(OPTIONS={"timeout": 0.05})

    @contextmanager
    def gone(self) -> Iterator[None]:
        """Let nothing be written during the block: a server can't be reached, and SQLite's file is locked."""
        if self._line is None:
            with transaction.atomic():
                Token.objects.update(company="locked")
                yield
            return
        self._line.cut()
        yield
        self._line.mend()

    def blinks(self) -> None:
        """Break every connection, but accept new ones."""
        assert self._line is not None
        self._line.cut()
        self._line.mend()

    def was_missed(self) -> bool:
        """Return whether a new connection was refused while it was gone. On SQLite, which can't tell, True."""
        return self._line is None or self._line.turned_away > 0

    def close(self) -> None:
        if self._line is not None:
            self._line.close()


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database()
    yield made
    made.close()


on_demand_and_ahead_of_time = pytest.mark.parametrize("kind", ["process", "job"])


@on_demand_and_ahead_of_time
def test_no_database_for_the_claim(
    expired_row: Token, mailup_sandbox: Sandbox, settings: Any, database: Database, kind: str
) -> None:
    if not HAS_SERVER:
        pytest.skip("SQLite's lock is waited for like any other claim")
    settings.MAILUP = {**settings.MAILUP, "TOKEN_DEADLINE": 1}
    with locked_table(), victim(kind, expired_row, settings, database=database.reach) as unlucky:
        unlucky.hear("claim")
        with database.gone():
            assert unlucky.hear("failed") == "failed OperationalError"
    assert mailup_sandbox.state.counters["refreshes"] == 0
    Token.objects.update(claim_owner="", claimed_until=None)  # the server may have executed the statement

    assert on_demand.usable_token(expired_row.key).generation == 2


@on_demand_and_ahead_of_time
def test_a_broken_connection_at_the_claim_is_replaced(
    expired_row: Token, mailup_sandbox: Sandbox, settings: Any, database: Database, kind: str
) -> None:
    if not HAS_SERVER:
        pytest.skip("SQLite has no connection that could break")
    settings.MAILUP = {**settings.MAILUP, "TOKEN_DEADLINE": 1}
    with victim(kind, expired_row, settings, database=database.reach) as unlucky:
        with locked_table():
            unlucky.hear("claim")
            database.blinks()
        unlucky.hear("renewed")
    assert mailup_sandbox.state.counters["refreshes"] == 1


@on_demand_and_ahead_of_time
def test_the_pair_is_saved_when_the_database_comes_back(
    expired_row: Token, mailup_sandbox: Sandbox, settings: Any, database: Database, kind: str
) -> None:
    mailup_sandbox.configure(refresh_reuse="revokes")
    gate = Gate(mailup_sandbox, after=True)
    with victim(kind, expired_row, settings, database=database.reach) as unlucky:
        gate.reached.wait()
        with database.gone():
            gate.open.set()
            if not HAS_SERVER:
                unlucky.hear("save", times=2)  # the lock is only sure to have been met at the second try
            eventually(database.was_missed)
        unlucky.hear("renewed")
    assert on_demand.usable_token(expired_row.key).generation == 2
    assert mailup_sandbox.state.counters["reuses"] == 0


@on_demand_and_ahead_of_time
def test_the_row_says_so_when_the_database_stays_away(
    expired_row: Token, mailup_sandbox: Sandbox, settings: Any, database: Database, kind: str
) -> None:
    settings.MAILUP = {**settings.MAILUP, "TOKEN_DEADLINE": 1}
    gate = Gate(mailup_sandbox, after=True)
    with victim(kind, expired_row, settings, database=database.reach) as unlucky:
        gate.reached.wait()
        with database.gone():
            gate.open.set()
            unlucky.hear("failed")  # it has tried until its claim ended
    let_the_claim_run_out()

    with pytest.raises(ReauthorizationRequired, match="interrupted"):
        on_demand.usable_token(expired_row.key)


def test_without_a_broker_the_work_stays_in_the_database(
    transactional_db: None, mailup_connection: Connect, user: Any, clock: Any, settings: Any
) -> None:
    token = mailup_connection(user)
    Token.objects.update(refresh_at=timezone.now() - timedelta(hours=1))
    with Celery("tests", broker="amqp://127.0.0.1:1//", set_as_current=True) as app:
        app.conf.task_publish_retry = False
        app.conf.broker_transport_options = {"max_retries": 1, "interval_start": 0, "interval_step": 0}
        with pytest.raises(BrokerError):
            tasks.refresh_expiring_tokens()

    assert list(periodic.hand_out_due()) == []
    clock.move(minutes=11)  # two periods
    assert [batch.keys for batch in periodic.hand_out_due(clock=clock)] == [[token.key]]


def test_without_a_cache_everything_goes_on(
    db: None, mailup_connection: Connect, user: Any, clock: Any, settings: Any
) -> None:
    pytest.importorskip("redis")
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": NOWHERE}}
    mailup_connection(user)
    Token.objects.update(expires_at=timezone.now())

    assert client_for(user).account.info().uid == "4321"
    assert Token.objects.get().generation == 2


def test_clocks_may_be_five_minutes_off(
    transactional_db: None, mailup_connection: Connect, user: Any, clock: Any, mailup_sandbox: Sandbox
) -> None:
    """Two hosts, ten minutes apart, for six hours: every call succeeds, and no renewal is unnecessary."""
    mailup_connection(user)
    ahead, behind = (lambda: clock() + timedelta(minutes=5)), (lambda: clock() - timedelta(minutes=5))
    for _ in range(6 * 12):
        clock.move(minutes=5)
        for host in (ahead, behind):
            for batch in periodic.hand_out_due(clock=host):
                periodic.refresh_many(batch.keys, clock=host)
            client_for(user, clock=host).account.info()

    # A lifetime of an hour less the margin is 45 minutes; the clocks make it 35 at worst.
    assert 6 * 60 / 45 - 1 <= mailup_sandbox.state.counters["refreshes"] <= 6 * 60 / 35 + 1
    assert mailup_sandbox.state.counters["reuses"] == 0


def test_two_beats_at_once_hand_out_everything_once(
    transactional_db: None, mailup_connection: Connect, django_user_model: Any
) -> None:
    token = mailup_connection(None)
    past = timezone.now() - timedelta(hours=1)
    users = django_user_model.objects.bulk_create(django_user_model(username=f"u{number}") for number in range(400))
    Token.objects.bulk_create(
        Token(
            registration=token.registration, user=user, access_token="A", refresh_token="R", refresh_at=past,
            connected_at=past, expires_at=past,
        )
        for user in users
    )  # fmt: skip
    barrier = threading.Barrier(2)
    handed: list[int] = []

    def beat() -> None:
        try:
            barrier.wait()
            for batch in periodic.hand_out_due():
                handed.extend(batch.keys)
        finally:
            connections.close_all()

    beats = [threading.Thread(target=beat) for _ in range(2)]
    for each in beats:
        each.start()
    for each in beats:
        each.join()

    assert len(handed) == len(set(handed)) == 400


def test_a_worker_that_is_a_day_late_does_no_harm(
    transactional_db: None, mailup_connection: Connect, user: Any, clock: Any, mailup_sandbox: Sandbox
) -> None:
    token = mailup_connection(user)
    clock.move(hours=1)
    (batch,) = periodic.hand_out_due(clock=clock)
    clock.move(days=1)  # the message stayed in the queue, and the token came due again
    (again,) = periodic.hand_out_due(clock=clock)
    assert again == batch
    assert periodic.refresh_many(again.keys, clock=clock).refreshed == 1
    assert periodic.refresh_many(batch.keys, clock=clock).skipped == 1

    assert mailup_sandbox.state.counters["refreshes"] == 1
    assert Token.objects.get(pk=token.pk).generation == 2
