"""The watchdog: one thread of the process that ends API calls at their deadlines."""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time

from .guard import Guard


class Watchdog:
    """Ends calls at their deadlines, in a thread that exists only while there are calls to watch.

    The thread sleeps until the earliest deadline that it knows, so that a call costs no switch to it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._pending: list[tuple[float, int, Guard]] = []
        """A heap by deadline. A call that is done stays in it until it is the first."""
        self._wakes_at = 0.0
        self._thread: threading.Thread | None = None

    def watch(self, guard: Guard) -> None:
        """End the guard's call at its deadline, unless it is done by then. Start the thread if there is none."""
        with self._changed:
            self._drop_done()
            heapq.heappush(self._pending, (guard.ends_at, next(self._order), guard))
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="mailup-watchdog", daemon=True)
                thread.start()
                self._thread, self._wakes_at = thread, guard.ends_at
            elif guard.ends_at < self._wakes_at:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._drop_done()
                if not self._pending:
                    self._thread = None
                    return
                self._wakes_at = self._pending[0][0]
                seconds = self._wakes_at - time.monotonic()
                if seconds > 0:
                    self._changed.wait(seconds)
                    continue
                guard = heapq.heappop(self._pending)[2]
            guard.end()

    def _drop_done(self) -> None:
        while self._pending and self._pending[0][2].is_done:
            heapq.heappop(self._pending)


_watchdog = Watchdog()


def watch(guard: Guard) -> None:
    """Let this process's watchdog end a call at its deadline."""
    _watchdog.watch(guard)


def _forget() -> None:
    """Begin anew after a fork: the thread and the calls are the parent's."""
    global _watchdog
    _watchdog = Watchdog()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_forget)
