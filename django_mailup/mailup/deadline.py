"""Token calls with a deadline for the whole call: name resolution, connection, request and answer. `oauth` uses it."""

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
"""Bytes of the largest token answer that is read."""
_SHUT_SOCKET: Final = (MailUpUnavailable, UnexpectedResponse)


class Guard:
    """The deadline of one token call. requests' timeouts are for one read each; this one is for the whole.

    Args:
        seconds: how long the call may take.

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
        """Remember the socket in use.

        Raises:
            TimeoutError: the deadline has passed: nothing may be sent any more.
        """
        with self._lock:
            if self._over or self.left() <= 0:
                raise TimeoutError("the deadline of this token call has passed")
            self._socket = connected

    def end(self) -> None:
        """End the call: shut its socket, so that a thread that still reads or writes wakes up."""
        with self._lock:
            self._over = True
            if self._socket is not None:
                with suppress(OSError):
                    # Not the method of an SSLSocket: that one takes the TLS state away from under its reader.
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
    """An adapter for a single token call: a connection of its own, no retry, and a limit to the answer's size.

    A connection from a pool may have been closed by the server a moment ago, and nobody could tell then whether
    the refresh token was spent.

    Args:
        guard: the call's deadline. Every connection reports its socket to it, and asks it before the request is sent.
    """

    def __init__(self, guard: Guard) -> None:
        # A pool hands keyword arguments that it doesn't know to its connections.
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
    """A token call in a thread of its own, which `start` starts and which ends at its guard's deadline.

    Name resolution can't be interrupted, so at the deadline the thread is left behind; the guard lets it send nothing.

    Attributes:
        ended: a future, to wait for several calls at once. `result` returns what came of the call.
    """

    def __init__(self, guard: Guard, call: Callable[[], T]) -> None:
        self._guard, self._call = guard, call
        self.ended: Future[T] = Future()

    @classmethod
    def start(cls, guard: Guard, call: Callable[[], T]) -> PendingCall[T]:
        """Start a thread that makes a call, and return at once.

        Args:
            guard: the call's deadline.
            call: makes the call under that guard, and returns its result.
        """
        pending = cls(guard, call)
        threading.Thread(target=pending._run, name="mailup-token-call", daemon=True).start()
        return pending

    def _run(self) -> None:
        try:
            self.ended.set_result(self._call())
        except BaseException as error:  # handed over to the caller, whatever it is
            self.ended.set_exception(error)

    def seconds_left(self) -> float:
        """Return how many seconds `result` waits at most, apart from 0.2 s at the end."""
        return max(self._guard.left(), 0.0)

    def result(self) -> T:
        """Wait for the end of the call and return its result, or raise its exception.

        Raises:
            MailUpUnavailable: the deadline passed first. This one, and those of the call, say by `grant_may_be_spent`
                whether MailUp may have used up the grant.
            UnexpectedResponse: as the call raised it, with `grant_may_be_spent`.
        """
        wait([self.ended], self.seconds_left())
        if not self.ended.done():
            self._guard.end()
            wait([self.ended], 0.2)  # a shut socket is noticed at once; an answer that just came is still an answer
        has_ended = self.ended.done()
        failure = self.ended.exception() if has_ended else None
        if has_ended and failure is None:
            return self.ended.result()
        # What a shut socket leaves behind can look like an outage or like a broken answer, but never like a refusal.
        told = isinstance(failure, MailUpError) and not isinstance(failure, _SHUT_SOCKET)
        if failure is None or not (told or self._guard.left() > 0):
            failure = MailUpUnavailable(reason="timeout", may_have_arrived=self._guard.sent)
        if isinstance(failure, UnexpectedResponse):
            failure.grant_may_be_spent = failure.status in (0, 200)  # 0: an answer that couldn't be read
        elif isinstance(failure, MailUpUnavailable):
            failure.grant_may_be_spent = failure.may_have_arrived
        # Without the frames of that thread: their local variables hold codes, passwords and tokens.
        raise failure.with_traceback(None)
