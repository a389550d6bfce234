"""Within a process, one thread does the work that several threads want, and the others share its outcome."""

from __future__ import annotations

import os
import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class SharedCall(Generic[T]):
    """Work under way. `done` is set when it has ended; `outcome` stays None if its thread was interrupted."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.outcome: T | None = None


class SingleFlight(Generic[K, T]):
    """The calls under way in this process, by key."""

    def __init__(self) -> None:
        self._forget()
        if hasattr(os, "register_at_fork"):  # not on Windows, which doesn't fork
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """Forget all calls. A forked child has none of its parent's threads, so nobody would end them."""
        self._lock = threading.Lock()
        self._calls: dict[K, SharedCall[T]] = {}

    def join(self, key: K) -> tuple[bool, SharedCall[T]]:
        """Return whether the caller must do the work, and the call. If it must, it has to `leave` the call."""
        with self._lock:
            call = self._calls.get(key)
            if call is not None:
                return False, call
            return True, self._calls.setdefault(key, SharedCall())

    def leave(self, key: K, call: SharedCall[T]) -> None:
        """End a call: wake the threads that wait for its outcome."""
        with self._lock:
            self._calls.pop(key, None)
        call.done.set()
