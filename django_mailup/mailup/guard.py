"""Guard: the deadline of one call, and the socket that is shut down at it."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from contextvars import ContextVar, Token

import requests
from urllib3.exceptions import TimeoutError as ReadTimedOut

from ..exceptions import MailUpUnavailable


class Guard:
    """The deadline of one call. (A timeout of requests applies to each read, not to the whole call.)

    As a context manager it makes itself the guard of the current context, which guarded connections look for. At the
    end of the context it lets its socket go.

    Args:
        seconds: the seconds that the call may take.

    Attributes:
        ends_at: the deadline, in seconds of the monotonic clock.
        is_over: whether the call was ended at its deadline. What its connection brought may be cut off then.
        is_done: whether the call has ended by itself, so that nothing is left to shut down.
        sent: whether a part of the request may have been sent.
    """

    def __init__(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds
        self.is_over = False
        self.is_done = False
        self.sent = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._before: Token[Guard] | None = None

    def __enter__(self) -> Guard:
        self._before = _current.set(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        assert self._before is not None
        _current.reset(self._before)
        self.release()

    def left(self) -> float:
        """Return the seconds left; negative after the deadline."""
        return self.ends_at - time.monotonic()

    def watch(self, connected: socket.socket | None) -> None:
        """Remember the socket that the call uses, for `end` to shut down.

        Raises:
            TimeoutError: the deadline has passed, so nothing may be sent.
        """
        with self._lock:
            if self.is_over or self.left() <= 0:
                raise TimeoutError("the deadline of this call has passed")
            self._socket = connected

    def end(self) -> None:
        """End the call: shut its socket down, which wakes up a thread that reads from it or writes to it."""
        with self._lock:
            if self.is_done:
                return
            self.is_over = True
            if self._socket is not None:
                with suppress(OSError):
                    # Not SSLSocket.shutdown, which also discards the TLS state while the other thread is reading.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def release(self) -> bool:
        """Let the socket go: from now on `end` does nothing. Return whether it has not been shut down."""
        with self._lock:
            self.is_done = True
            self._socket = None
            return not self.is_over

    def unavailable(self, error: Exception) -> MailUpUnavailable:
        """Return the MailUpUnavailable for what the call raised, without its text, which may contain a URL."""
        timed_out = self.left() <= 0 or isinstance(error, (requests.Timeout, ReadTimedOut, TimeoutError))
        reason = "timeout" if timed_out else "connection"
        return MailUpUnavailable(reason=reason, cause=type(error).__name__, may_have_arrived=self.sent)


# A context variable belongs to a thread, or under gevent to a greenlet, whether or not gevent has patched `threading`.
_current: ContextVar[Guard] = ContextVar("guard")


def current() -> Guard:
    """Return the guard of the call that is made in this context.

    Raises:
        LookupError: there is none.
    """
    return _current.get()
