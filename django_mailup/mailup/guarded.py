"""GuardedAdapter: an adapter of requests whose connections are shut down at the deadline of the call that uses them."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPResponse
from typing import Any, Final

import requests.adapters
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import resolve_cert_reqs

from .guard import Guard, current
from .tls import Files, SharedContext, shared_context


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
        # `connect` is not done while a proxy answers, nor during the handshake of TLS, which moves the connection to
        # another socket object. A second descriptor of the connection shuts it down as well.
        self._connecting = connected.dup()
        try:
            current().watch(self._connecting)
        except TimeoutError:
            connected.close()
            raise
        return connected

    def _tunnel(self) -> None:
        """Ask a proxy for a tunnel. Raise TimeoutError after the deadline, which may have cut off its answer."""
        super()._tunnel()  # type: ignore[misc]
        current().watch(self._connecting)

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


_CONTEXT_OF_REQUESTS: Final = getattr(requests.adapters, "_preloaded_ssl_context", None)
"""The context that requests 2.32.0 to 2.32.4 share, into which each connection loads its bundle and certificate."""

_TLS: Final = ("ssl_context", "ca_certs", "ca_cert_dir", "cert_file", "key_file")
"""The attributes of a connection that say what its TLS context is, or what to load into it."""


class _GuardedHTTPS(_GuardedConnection, HTTPSConnection):
    def connect(self) -> None:
        """Connect with this process's TLS context for the CA bundle and the client certificate, if it has one."""
        context = self._shared_context()
        if context is None:
            super().connect()
            return
        given = {name: getattr(self, name) for name in _TLS}
        vars(self).update(dict.fromkeys(_TLS), ssl_context=context)
        try:
            super().connect()
        finally:  # this object may connect again, when a file has changed
            vars(self).update(given)

    def _shared_context(self) -> SharedContext | None:
        """Return the context to use; None if urllib3 is to make one: without verification, or to a proxy over TLS."""
        verified = resolve_cert_reqs(self.cert_reqs) == ssl.CERT_REQUIRED and (self.ca_certs or self.ca_cert_dir)
        if not verified or self.ssl_context not in (None, _CONTEXT_OF_REQUESTS):
            return None
        if self.proxy is not None and self.proxy.scheme == "https":
            return None
        return shared_context(Files(self.ca_certs, self.ca_cert_dir, self.cert_file, self.key_file))


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
