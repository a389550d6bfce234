"""How bytes get to MailUp and back: one pooled adapter a process for the API, a guarded one for each token call."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from typing import Any, Final, Generic, TypeVar

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util import Retry

from ..exceptions import MailUpError, MailUpUnavailable, UnexpectedResponse
from .tokens import AccessToken

T = TypeVar("T")
Timeout = tuple[float, float]

POOL_SIZE: Final = 32
ANSWER_LIMIT: Final = 1024 * 1024
_SHUT_SOCKET: Final = (MailUpUnavailable, UnexpectedResponse)

_pooled: BaseAdapter | None = None
_pooled_lock = threading.Lock()


@cache
def user_agent() -> str:
    """Return the name and version under which every request introduces itself. Reading them costs a millisecond."""
    return f"django-mailup-connect/{version('django-mailup-connect')}"


def pooled_adapter() -> BaseAdapter:
    """Return this process's adapter for API calls. It retries connections that were never made, and nothing else."""
    global _pooled
    with _pooled_lock:
        if _pooled is None:
            retry = Retry(
                connect=2, read=0, redirect=0, status=0, other=0, backoff_factor=0.2, respect_retry_after_header=False
            )
            _pooled = HTTPAdapter(pool_maxsize=POOL_SIZE, max_retries=retry)
        return _pooled


def _forget_pool() -> None:
    """Leave a parent's sockets to the parent after a fork, and its lock with them."""
    global _pooled, _pooled_lock
    _pooled, _pooled_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which doesn't fork
    os.register_at_fork(after_in_child=_forget_pool)


class BearerToken(requests.auth.AuthBase):
    """Puts an access token on a request (RFC 6750 section 2.1). As an auth object, so that no .netrc replaces it."""

    def __init__(self, access_token: AccessToken) -> None:
        self._access_token = access_token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._access_token.value}"
        return request


class Transport:
    """Sends one API request. Every failure to get an answer is MailUpUnavailable; answers are the caller's to judge."""

    def __init__(self, *, timeout: Timeout, adapter: BaseAdapter | None = None) -> None:
        self._timeout = timeout
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": user_agent()})
        adapter = adapter or pooled_adapter()
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def send(
        self,
        method: str,
        url: str,
        access_token: AccessToken,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return MailUp's answer, whatever its status. Redirects aren't followed: the API documents none."""
        try:
            return self._session.request(
                method,
                url,
                params=params,
                json=json,
                headers=headers,
                auth=BearerToken(access_token),
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise unavailable(error, may_have_arrived=not _never_connected(error)) from None


def decode(response: requests.Response) -> Any:
    """Return the JSON of an answer: an object, a list, a number, text; None when it is empty.

    Raises:
        UnexpectedResponse: it isn't JSON.
    """
    if not response.content.strip():
        return None  # how MailUp says that there is nothing to say
    try:
        return response.json()
    except ValueError:
        content_type = response.headers.get("Content-Type", "").partition(";")[0][:60]
        raise UnexpectedResponse(
            "MailUp's answer is not JSON.", status=response.status_code, content_type=content_type
        ) from None


def _never_connected(error: requests.RequestException) -> bool:
    """Say whether there was no connection yet: then nothing of the request was sent."""
    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.SSLError)):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, NewConnectionError)


def unavailable(error: Exception, *, may_have_arrived: bool = True) -> MailUpUnavailable:
    """Return the outage that an exception of requests stands for. Its text may hold a URL, so it isn't repeated."""
    what = "in time" if isinstance(error, requests.Timeout) else f"({type(error).__name__})"
    return MailUpUnavailable(f"MailUp could not be reached {what}: try again later.", may_have_arrived=may_have_arrived)


# ------------------------------------------------------------------------------------- token calls


class Guard:
    """The deadline of one token call. requests' timeouts are for one read each; this one is for the whole."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._over = False
        self.sent = False

    def left(self) -> float:
        return self._ends_at - time.monotonic()

    def watch(self, connected: socket.socket | None) -> None:
        """Take note of the socket in use. Raises when the time is over, so that nothing is sent after it."""
        with self._lock:
            if self._over or self.left() <= 0:
                raise TimeoutError("the deadline of this token call has passed")
            self._socket = connected

    def end(self) -> None:
        """Wake whoever still reads or writes, by shutting the socket underneath."""
        with self._lock:
            self._over = True
            if self._socket is not None:
                with suppress(OSError):
                    # Not the method of an SSLSocket: that one takes the TLS state away from under its reader.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Guarding(threading.local):
    """The guard of the token call that this thread makes."""

    guard: Guard


_this_thread = _Guarding()


class _GuardedConnection:
    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        _this_thread.guard.watch(self.sock)  # type: ignore[attr-defined]

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:  # type: ignore[attr-defined]
            self.connect()
        _this_thread.guard.watch(self.sock)  # type: ignore[attr-defined]
        _this_thread.guard.sent = True
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
    """An adapter for a single token call: a connection of its own, no retry, an end, and a limit to the answer's size.

    A connection from a pool may have been closed by the server a moment ago, and nobody could tell then whether
    the refresh token was spent. It works inside a PendingCall, which sets the guard.
    """

    def __init__(self) -> None:
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _GuardedHTTPPool, "https": _GuardedHTTPSPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self.poolmanager.pool_classes_by_scheme
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
    """A token call under way in a thread of its own, which ends when its guard's time is over.

    Name resolution can't be interrupted, so at the end the thread is left behind; the guard lets it send nothing more.

    Args:
        guard: the deadline.
        call: what to do in the thread.
    """

    def __init__(self, guard: Guard, call: Callable[[], T]) -> None:
        self._guard, self._call = guard, call
        self.ended: Future[T] = Future()
        """To wait for several at once. `result` is the way to what came of the call."""
        threading.Thread(target=self._run, name="mailup-token-call", daemon=True).start()

    def _run(self) -> None:
        _this_thread.guard = self._guard
        try:
            self.ended.set_result(self._call())
        except BaseException as error:  # handed over to the caller, whatever it is
            self.ended.set_exception(error)

    def seconds_left(self) -> float:
        """Return how long `result` would wait at most, a moment at the end excepted."""
        return max(self._guard.left(), 0.0)

    def result(self) -> T:
        """Wait for the end of the call and return its result, or raise its exception.

        Raises:
            MailUpUnavailable: the guard's time was over first.
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
        if failure is not None and (told or self._guard.left() > 0):
            # Without the frames of that thread: their local variables hold codes, passwords and tokens.
            raise failure.with_traceback(None)
        raise MailUpUnavailable("MailUp did not answer in time: try again later.", may_have_arrived=self._guard.sent)
