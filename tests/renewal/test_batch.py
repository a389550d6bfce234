"""A job of the periodic renewal: several tokens at once, none of which holds up another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import override_settings

from django_mailup import signals
from django_mailup.exceptions import TransactionOpen
from django_mailup.models import Token
from django_mailup.renewal import periodic
from django_mailup.sandbox import Sandbox

from ..processes import eventually

Connect = Callable[..., Token]
AT_ONCE = 4
HOUR = timedelta(hours=1)

no_row_locks = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite locks the whole database")


@pytest.fixture
def due(mailup_connection: Connect, django_user_model: Any, clock: Any, settings: Any) -> list[int]:
    """Connections that are due, each with a pair of its own: the one that a job begins with, and twice AT_ONCE more."""
    settings.MAILUP = {**settings.MAILUP, "REFRESH_CONCURRENCY": AT_ONCE}
    pks = [
        mailup_connection(django_user_model.objects.create(username=f"u{number}")).pk
        for number in range(1 + 2 * AT_ONCE)
    ]
    clock.move(hours=1)
    Token.objects.update(connected_at=clock() - HOUR, expires_at=clock(), refresh_at=clock())
    return pks


def run(due: list[int], clock: Any) -> periodic.Tally:
    """Be a job in a thread of a test's pool."""
    try:
        return periodic.refresh_many(due, clock=clock)
    finally:
        connections.close_all()


class Calls:
    """Counts the refreshes that the sandbox is working on, and lets a test hold some of them up."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.arrived = 0
        self.inside = 0
        self.most_inside = 0
        self.before: Callable[[int], object] = lambda number: None
        self._lock = threading.Lock()
        sandbox.hooks.before_refresh = self._enter
        sandbox.hooks.after_refresh = self._leave

    def _enter(self, _: object) -> None:
        with self._lock:
            self.arrived += 1
            number = self.arrived
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        self.before(number)

    def _leave(self, _: object) -> None:
        with self._lock:
            self.inside -= 1


@pytest.fixture
def calls(mailup_sandbox: Sandbox) -> Calls:
    return Calls(mailup_sandbox)


def test_the_first_goes_alone_and_the_others_together(db: None, due: list[int], calls: Calls, clock: Any) -> None:
    together = threading.Barrier(AT_ONCE)

    def meet(number: int) -> None:
        if number > 1:
            together.wait(10)  # nobody is answered before all of a wave are there

    calls.before = meet

    assert periodic.refresh_many(due, clock=clock) == periodic.Tally(refreshed=len(due))
    assert calls.most_inside == AT_ONCE
    assert Token.objects.filter(generation=2, claim_owner="").count() == len(due)


def test_where_locks_cannot_be_skipped_it_is_one_at_a_time(
    db: None, due: list[int], calls: Calls, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection.features, "has_select_for_update", True)
    monkeypatch.setattr(connection.features, "has_select_for_update_skip_locked", False)

    assert periodic.refresh_many(due, clock=clock) == periodic.Tally(refreshed=len(due))
    assert calls.most_inside == 1


def test_an_answer_is_stored_although_another_is_still_awaited(
    transactional_db: None, due: list[int], calls: Calls, clock: Any
) -> None:
    others_are_stored = threading.Event()

    def hold_up(number: int) -> None:
        if number == 2:
            assert others_are_stored.wait(20)

    calls.before = hold_up
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(run, due, clock)
        eventually(lambda: Token.objects.filter(generation=2).count() == AT_ONCE)
        others_are_stored.set()
        assert job.result() == periodic.Tally(refreshed=len(due))


def test_signals_are_sent_when_all_answers_of_a_wave_are_stored(
    transactional_db: None, due: list[int], clock: Any
) -> None:
    stored: list[int] = []

    def receiver(**said: Any) -> None:
        stored.append(Token.objects.filter(generation=2).count())
        raise RuntimeError("a receiver of the site fails")

    signals.token_refreshed.connect(receiver)
    try:
        periodic.refresh_many(due, clock=clock)
    finally:
        signals.token_refreshed.disconnect(receiver)
    assert stored == [1, *[1 + AT_ONCE] * AT_ONCE, *[1 + 2 * AT_ONCE] * AT_ONCE]


@no_row_locks
def test_a_row_that_somebody_has_locked_is_left_alone(
    transactional_db: None, due: list[int], calls: Calls, clock: Any
) -> None:
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Token.objects.select_for_update().get(pk=due[3])

        job = pool.submit(run, due, clock)
        eventually(job.done)
        assert job.result() == periodic.Tally(refreshed=len(due) - 1, skipped=1)
    assert calls.arrived == len(due) - 1
    assert Token.objects.get(generation=1).pk == due[3]


class RowLock:
    """Somebody's transaction that locks rows as soon as a job's second token call has arrived, until it is released."""

    def __init__(self, pool: ThreadPoolExecutor, calls: Calls, *pks: int) -> None:
        self._pool, self._pks = pool, pks
        self._locked, self.release = threading.Event(), threading.Event()
        calls.before = self.take

    def take(self, number: int) -> None:
        if number == 2:
            self._holder = self._pool.submit(self._hold)
        if number > 1:
            assert self._locked.wait(10)

    def _hold(self) -> None:
        with transaction.atomic():
            list(Token.objects.select_for_update().filter(pk__in=self._pks))
            self._locked.set()
            self.release.wait(20)
        connections.close_all()


@no_row_locks
def test_a_row_that_is_locked_when_its_answer_comes_holds_up_no_other(
    transactional_db: None, due: list[int], calls: Calls, clock: Any
) -> None:
    with ThreadPoolExecutor(2) as pool:
        lock = RowLock(pool, calls, due[3])
        job = pool.submit(run, due, clock)
        eventually(lambda: Token.objects.filter(generation=2).count() == AT_ONCE)
        assert Token.objects.get(pk=due[3]).generation == 1
        assert not job.done()
        lock.release.set()
        assert job.result() == periodic.Tally(refreshed=len(due))
    assert Token.objects.filter(generation=2, claim_owner="").count() == len(due)


def test_what_is_no_longer_due_is_given_back(db: None, due: list[int], calls: Calls, clock: Any) -> None:
    Token.objects.filter(pk__in=due[2:4]).update(refreshed_at=clock(), expires_at=clock() + HOUR)

    assert periodic.refresh_many(due, clock=clock) == periodic.Tally(refreshed=len(due) - 2, skipped=2)
    assert calls.arrived == len(due) - 2
    assert not Token.objects.exclude(claim_owner="").exists()


def test_a_row_that_is_changed_under_its_claim_drops_the_pair(
    transactional_db: None, due: list[int], calls: Calls, clock: Any
) -> None:
    def reconnect(number: int) -> None:
        if number == 1:
            Token.objects.filter(pk=due[0]).update(access_token="newer", generation=5, claim_owner="")
            connections.close_all()

    calls.before = reconnect

    assert periodic.refresh_many(due, clock=clock) == periodic.Tally(refreshed=len(due) - 1, skipped=1)
    row = Token.objects.get(pk=due[0])
    assert (row.generation, row.access_token.reveal()) == (5, "newer")


class FaultyTwice:
    """A base URL that can't be read the first two times: a fault of the site's own settings."""

    def __init__(self) -> None:
        self._read = 0

    def __str__(self) -> str:
        self._read += 1
        if self._read <= 2:
            raise TypeError("this is no text")
        return "https://services.mailup.com"


def test_a_fault_of_ours_stops_no_other(
    db: None, due: list[int], clock: Any, settings: Any, mailup_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(MAILUP={**settings.MAILUP, "BASE_URL": FaultyTwice()}):
        assert periodic.refresh_many(due, clock=clock) == periodic.Tally(refreshed=len(due) - 2, failed=2)
    crashes = [record for record in caplog.records if getattr(record, "event", "") == "mailup.refresh_crashed"]
    assert [record.mailup for record in crashes] == [{"token": due[0]}, {"token": due[1]}]  # type: ignore[attr-defined]
    assert all(record.exc_info for record in crashes)


@contextmanager
def accursed_company() -> Iterator[str]:
    """Let the database refuse to store a new pair on rows of one company."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE django_mailup_token ADD CONSTRAINT accursed CHECK (company <> 'accursed' OR generation = 1)"
        )
        try:
            yield "accursed"
        finally:
            cursor.execute("ALTER TABLE django_mailup_token DROP CONSTRAINT accursed")


@no_row_locks
def test_what_the_database_will_not_take_loses_no_other_pair(
    transactional_db: None, due: list[int], calls: Calls, clock: Any
) -> None:
    with accursed_company() as company, ThreadPoolExecutor(2) as pool:
        Token.objects.filter(pk=due[2]).update(company=company)
        lock = RowLock(pool, calls, *due)  # so that all answers of the wave are written together
        job = pool.submit(run, due, clock)
        eventually(lambda: calls.arrived == 1 + AT_ONCE and not calls.inside)
        lock.release.set()

        assert job.result() == periodic.Tally(refreshed=len(due) - 1, failed=1)
        assert Token.objects.get(generation=1).pk == due[2]


@pytest.mark.parametrize("locks_it", [False, True], ids=["reads", "locks"])
def test_a_callers_rollback_loses_no_pair_of_a_job(
    transactional_db: None, due: list[int], mailup_sandbox: Sandbox, clock: Any, locks_it: bool
) -> None:
    class Rollback(Exception):
        pass

    def inside() -> periodic.Tally:
        with transaction.atomic():
            rows = Token.objects.filter(pk=due[2])
            list(rows.select_for_update() if locks_it else rows)
            tallies.append(periodic.refresh_many(due, clock=clock))
            raise Rollback

    tallies: list[periodic.Tally] = []
    if connection.vendor == "sqlite":
        with pytest.raises(TransactionOpen):
            inside()
        assert mailup_sandbox.state.counters["refreshes"] == 0
        return
    with pytest.raises(Rollback):
        inside()
    assert tallies == [periodic.Tally(refreshed=len(due) - locks_it, skipped=int(locks_it))]
    assert Token.objects.filter(generation=2).count() == len(due) - locks_it
