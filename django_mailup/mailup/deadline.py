"""Calls of the token endpoint with one deadline for name resolution, connection, request and answer together."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ..exceptions import MailUpError, MailUpUnavailable, UnexpectedResponse

T = TypeVar("T")

ANSWER_LIMIT: Final = 1024 * 1024
"""The largest answer that is read, in bytes."""
_AFTER_SHUTDOWN: Final = (MailUpUnavailable, UnexpectedResponse)
"""What a call may raise because its socket was shut down."""


class Guard:
    """The deadline of one token call. (A timeout of requests applies to each read, not to the whole call.)

    Args:
        seconds: the seconds that the call may take.

    Attributes:
        sent: whether a part of the request may have been sent.
    """

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._over = False
        self.sent = False

    def left(self) -> float:
        """Return the seconds left; negative after the deadline."""
        return self._ends_at - time.monotonic()

    def watch(self, connected: socket.socket | None) -> None:
        """Remember the socket that the call uses, for `end` to shut down.

        Raises:
            TimeoutError: the deadline has passed, so nothing may be sent.
        """
        with self._lock:
            if self._over or self.left() <= 0:
                raise TimeoutError("the deadline of this token call has passed")
            self._socket = connected

    def end(self) -> None:
        """End the call: shut its socket down, which wakes up a thread that reads from it or writes to it."""
        with self._lock:
            self._over = True
            if self._socket is not None:
                with suppress(OSError):
                    # Not SSLSocket.shutdown, which also discards the TLS state while the other thread is reading.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _GuardedConnection:
    def __init__(self, *args: Any, guard: Guard, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard = guard

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._guard.watch(self.sock)  # type: ignore[attr-defined]

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:  # type: ignore[attr-defined]
            self.connect()
        self._guard.watch(self.sock)  # type: ignore[attr-defined]
        self._guard.sent = True
        super().request(*args, **kwargs)  # type: ignore[misc]


class _GuardedHTTP(_GuardedConnection, HTTPConnection):
    pass


class _GuardedHTTPS(_GuardedConnection, HTTPSConnection):
    pass


class _GuardedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHTTP


class _GuardedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPS


class GuardedAdapter(HTTPAdapter):
    """An adapter of requests for one token call: with a new connection, no retry, and a limit on the answer's size.

    The server may have just closed a connection from a pool; it would be unknown then whether the refresh token was
    used.

    Args:
        guard: the call's deadline. Each connection gives it its socket before a request is sent.
    """

    def __init__(self, guard: Guard) -> None:
        # urllib3's pools pass unknown keyword arguments on to their connections.
        self._pools = {
            "http": partial(_GuardedHTTPPool, guard=guard),
            "https": partial(_GuardedHTTPSPool, guard=guard),
        }
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().send(request, *args, **{**kwargs, "stream": True})
        body = bytearray()
        for chunk in response.iter_content(16 * 1024):
            body += chunk
            if len(body) > ANSWER_LIMIT:
                response.close()
                raise requests.exceptions.ContentDecodingError("the answer of the token endpoint is too large")
        response._content = bytes(body)
        return response


class PendingCall(Generic[T]):
    """A token call in its own thread. `start` starts it; it ends at its guard's deadline at the latest.

    Name resolution can't be interrupted. If it is under way at the deadline, the thread goes on, but sends nothing.

    Attributes:
        ended: a future that is done when the call has ended, to wait for several calls at once. Use `result` to get
            the call's result.
    """

    def __init__(self, guard: Guard, call: Callable[[], T]) -> None:
        self._guard, self._call = guard, call
        self.ended: Future[T] = Future()

    @classmethod
    def start(cls, guard: Guard, call: Callable[[], T]) -> PendingCall[T]:
        """Start a thread that makes a call, and return the pending call at once.

        Args:
            guard: the call's deadline.
            call: a function that makes the call with that guard, and returns its result.
        """
        pending = cls(guard, call)
        threading.Thread(target=pending._run, name="mailup-token-call", daemon=True).start()
        return pending

    def _run(self) -> None:
        try:
            self.ended.set_result(self._call())
        except BaseException as error:  # `result` raises it in the caller's thread
            self.ended.set_exception(error)

    def seconds_left(self) -> float:
        """Return the seconds until the deadline, 0 after it. `result` waits at most 0.2 s longer."""
        return max(self._guard.left(), 0.0)

    def result(self) -> T:
        """Wait for the end of the call and return its result, or raise its exception.

        Raises:
            MailUpUnavailable: the deadline passed, or the call raised it. `grant_may_be_spent` says whether MailUp may
                have used up the grant.
            UnexpectedResponse: the call raised it. `grant_may_be_spent` as above.
            MailUpError: the call raised it.
        """
        wait([self.ended], self.seconds_left())
        if not self.ended.done():
            self._guard.end()
            wait([self.ended], 0.2)  # the thread wakes up at once, and may have an answer that has just come
        has_ended = self.ended.done()
        failure = self.ended.exception() if has_ended else None
        if has_ended and failure is None:
            return self.ended.result()
        # Shutting the socket down can make the call raise an outage or an unexpected answer, but never a refusal.
        is_refusal = isinstance(failure, MailUpError) and not isinstance(failure, _AFTER_SHUTDOWN)
        if failure is None or not (is_refusal or self._guard.left() > 0):
            failure = MailUpUnavailable(reason="timeout", may_have_arrived=self._guard.sent)
        if isinstance(failure, UnexpectedResponse):
            failure.grant_may_be_spent = failure.status in (0, 200)  # 0: the answer could not be read
        elif isinstance(failure, MailUpUnavailable):
            failure.grant_may_be_spent = failure.may_have_arrived
        # Remove the tracebacks of that thread: their local variables hold codes, passwords and tokens.
        failure.__cause__ = failure.__context__ = None
        raise failure.with_traceback(None)
