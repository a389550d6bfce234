"""One flight in a process: of the threads that want the same thing, one does it and the others take its outcome."""

from __future__ import annotations

import os
import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Flight(Generic[T]):
    """Something under way. `outcome` stays None when its leader was interrupted."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.outcome: T | None = None


class Flights(Generic[K, T]):
    """The flights of this process, by key."""

    def __init__(self) -> None:
        self._forget()
        if hasattr(os, "register_at_fork"):  # not on Windows, which doesn't fork
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """A forked child has none of its parent's threads, so nobody would end their flights."""
        self._lock = threading.Lock()
        self._flights: dict[K, Flight[T]] = {}

    def join(self, key: K) -> tuple[bool, Flight[T]]:
        """Return whether the caller is the one who must fly, and the flight."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return False, flight
            return True, self._flights.setdefault(key, Flight())

    def leave(self, key: K, flight: Flight[T]) -> None:
        """End a flight that the caller led."""
        with self._lock:
            self._flights.pop(key, None)
        flight.done.set()
