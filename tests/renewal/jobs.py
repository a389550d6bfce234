"""A job of the periodic renewal under a test's control: its calls at MailUp, and locks on its rows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction

from django_mailup.models import Token
from django_mailup.renewal import periodic
from django_mailup.sandbox import Sandbox

AT_ONCE = 4
no_row_locks = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite locks the whole database")


def run(due: list[UUID], clock: Any) -> periodic.Tally:
    """Run a job in a thread of a pool, and close the thread's database connection."""
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


class RowLock:
    """A transaction that locks rows as soon as a job's second token call has arrived, until it is released."""

    def __init__(self, pool: ThreadPoolExecutor, calls: Calls, *keys: UUID) -> None:
        self._pool, self._keys = pool, keys
        self._locked, self.release = threading.Event(), threading.Event()
        calls.before = self.take

    def take(self, number: int) -> None:
        if number == 2:
            self._holder = self._pool.submit(self._hold)
        if number > 1:
            assert self._locked.wait(60)

    def _hold(self) -> None:
        with transaction.atomic():
            list(Token.objects.select_for_update().filter(key__in=self._keys))
            self._locked.set()
            self.release.wait(60)
        connections.close_all()
