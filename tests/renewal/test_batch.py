"""Several tokens renewed at once: none delays or breaks another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import override_settings

from django_mailup.models import ClientRegistration, Token
from django_mailup.renewal import periodic
from django_mailup.sandbox import Sandbox

from ..processes import eventually
from .jobs import AT_ONCE, Calls, RowLock, no_row_locks, run

Connect = Callable[..., Token]


def test_the_first_goes_alone_and_the_others_together(db: None, due_keys: list[UUID], calls: Calls, clock: Any) -> None:
    together = threading.Barrier(AT_ONCE)

    def meet(number: int) -> None:
        if number > 1:
            together.wait()  # no answer is given before all of the group have arrived

    calls.before = meet

    assert periodic.refresh_many(due_keys, clock=clock) == periodic.Tally(refreshed=len(due_keys))
    assert calls.most_inside == AT_ONCE
    assert Token.objects.filter(generation=2, claim_owner="").count() == len(due_keys)


def test_an_answer_is_stored_although_another_is_still_awaited(
    transactional_db: None, due_keys: list[UUID], calls: Calls, clock: Any
) -> None:
    others_are_stored = threading.Event()

    def hold_up(number: int) -> None:
        if number == 2:
            assert others_are_stored.wait(60)

    calls.before = hold_up
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(run, due_keys, clock)
        eventually(lambda: Token.objects.filter(generation=2).count() == AT_ONCE)
        others_are_stored.set()
        assert job.result() == periodic.Tally(refreshed=len(due_keys))


@no_row_locks
def test_a_row_that_is_locked_when_its_answer_comes_holds_up_no_other(
    transactional_db: None, due_keys: list[UUID], calls: Calls, clock: Any
) -> None:
    with ThreadPoolExecutor(2) as pool:
        lock = RowLock(pool, calls, due_keys[3])
        job = pool.submit(run, due_keys, clock)
        eventually(lambda: Token.objects.filter(generation=2).count() == AT_ONCE)
        assert Token.objects.get(key=due_keys[3]).generation == 1
        assert not job.done()
        lock.release.set()
        assert job.result() == periodic.Tally(refreshed=len(due_keys))
    assert Token.objects.filter(generation=2, claim_owner="").count() == len(due_keys)


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
    db: None, due_keys: list[UUID], clock: Any, settings: Any, mailup_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(MAILUP={**settings.MAILUP, "BASE_URL": FaultyTwice()}):
        assert periodic.refresh_many(due_keys, clock=clock) == periodic.Tally(refreshed=len(due_keys) - 2, failed=2)
    crashes = [record for record in caplog.records if getattr(record, "event", "") == "mailup.refresh_crashed"]
    assert [record.mailup for record in crashes] == [{"token": str(key)} for key in due_keys[:2]]  # type: ignore[attr-defined]
    assert all(record.exc_info for record in crashes)


@contextmanager
def accursed_company() -> Iterator[str]:
    """Yield a company on whose rows the database refuses to store a new pair."""
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
    transactional_db: None, due_keys: list[UUID], calls: Calls, clock: Any
) -> None:
    with accursed_company() as company, ThreadPoolExecutor(2) as pool:
        Token.objects.filter(key=due_keys[2]).update(company=company)
        lock = RowLock(pool, calls, *due_keys)  # so that all answers of the group are written together
        job = pool.submit(run, due_keys, clock)
        eventually(lambda: calls.arrived == 1 + AT_ONCE and not calls.inside)
        lock.release.set()

        assert job.result() == periodic.Tally(refreshed=len(due_keys) - 1, failed=1)
        assert Token.objects.get(generation=1).key == due_keys[2]


@no_row_locks
def test_pairs_are_stored_although_the_registration_cannot_be(
    transactional_db: None, due_keys: list[UUID], clock: Any
) -> None:
    ClientRegistration.objects.update(failed_at=clock(), error_code="client_rejected")
    with connection.cursor() as cursor:
        table = ClientRegistration._meta.db_table
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT refused CHECK (failed_at IS NOT NULL)")
        try:
            assert periodic.refresh_many(due_keys, clock=clock) == periodic.Tally(failed=len(due_keys))
        finally:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT refused")
    assert Token.objects.filter(generation=2, claim_owner="").count() == len(due_keys)
