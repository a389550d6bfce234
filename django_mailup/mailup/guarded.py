"""GuardedAdapter: an adapter of requests whose connections are shut down at the deadline of the call that uses them."""

from __future__ import annotations

import socket
from http.client import HTTPResponse
from typing import Any, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .guard import Guard, current


class _Response(HTTPResponse):
    def _read_next_chunk_size(self) -> int:
        """Return the size of a chunk. http.client accepts a negative one; with -1 it reads all there is into memory."""
        size: int = super()._read_next_chunk_size()  # type: ignore[misc]
        if size < 0:
            raise ValueError("the size of a chunk is negative")  # http.client makes an IncompleteRead of it
        return size


class _GuardedConnection:
    """A connection of urllib3. What follows is called by urllib3 or by the classes that it extends."""

    response_class: type[HTTPResponse] = _Response

    _last_guard: Guard | None = None
    _connecting: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]
        self._last_guard = None
        # During the handshake, TLS has the connection in a socket object that nobody else sees. Another descriptor of
        # the same connection shuts it down as well.
        self._connecting = connected.dup()
        try:
            current().watch(self._connecting)
        except TimeoutError:
            connected.close()
            raise
        return connected

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
            current().watch(self.sock)  # type: ignore[attr-defined]
        finally:
            if self._connecting is not None:
                self._connecting.close()
                self._connecting = None

    def request(self, *args: Any, **kwargs: Any) -> None:
        guard = current()
        if self.sock is None:  # type: ignore[attr-defined]
            self.connect()
        # urllib3 takes a connection back as soon as the answer is read, and finds out when the other side has closed
        # it. The deadline of the call before may have passed since then.
        if self._last_guard is not None and not self._last_guard.release():
            self.close()  # type: ignore[attr-defined]
            raise ConnectionAbortedError("this connection was shut at the deadline of the call before")
        self._last_guard = guard
        guard.watch(self.sock)  # type: ignore[attr-defined]
        guard.sent = True
        super().request(*args, **kwargs)  # type: ignore[misc]


class _GuardedHTTP(_GuardedConnection, HTTPConnection):
    pass


class _GuardedHTTPS(_GuardedConnection, HTTPSConnection):
    pass


class _GuardedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHTTP


class _GuardedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPS


_POOLS: Final = {"http": _GuardedHTTPPool, "https": _GuardedHTTPSPool}


class GuardedAdapter(HTTPAdapter):
    """An adapter that repeats nothing. It sends a request only within a guard's context, and until its deadline.

    Name resolution can't be interrupted. Nor can an attempt to connect, which takes the timeout of requests for each of
    the host's addresses at most. When either returns after the deadline, nothing is sent.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
