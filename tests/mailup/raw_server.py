"""A server on a real socket. A test chooses the bytes or the fault of each answer, and reads the requests it got."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from requests.adapters import BaseAdapter

from django_mailup.mailup import AccessToken, Endpoints, MailUpClient, Transport

RESET = struct.pack("ii", 1, 0)  # the value of SO_LINGER that makes `close` send a reset


class Static:
    """A TokenSource with two fixed tokens: A1 and, after a refusal, A2."""

    def get(self) -> AccessToken:
        return AccessToken("A1")

    def renew(self, refused: AccessToken) -> AccessToken:
        return AccessToken("A2")


class Server:
    """Answers each request with the next of its behaviours; the last one is repeated.

    Args:
        tls: the context with which it speaks TLS; plain http without.

    Attributes:
        arrived: the head of each request, oldest first. A request that the client has given up may not have been read
            yet; once `close` has returned, all are there.
    """

    def __init__(self, *behaviours: Callable[[socket.socket], None], tls: ssl.SSLContext | None = None) -> None:
        self.arrived: list[bytes] = []
        self._tls = tls
        self._behaviours = list(behaviours)
        self._connections: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._last = socket.socket()
        self._last.bind(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            connection, address = self._server.accept()
            if address == self._last.getsockname():
                connection.close()
                return
            self._connections.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        if self._tls is not None:
            try:
                connection = self._tls.wrap_socket(connection, server_side=True)
            except OSError:  # the client refused our certificate, or has none itself
                return
            self._connections.append(connection)
        with connection:
            try:
                while head := _request(connection):
                    self.arrived.append(head)
                    behave = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
                    behave(connection)
            except OSError:
                return

    def close(self) -> None:
        """Accept who has connected, read what has been sent, and end. A shutdown leaves it readable."""
        self._last.connect(self._server.getsockname())
        self._threads[0].join()
        self._last.close()
        self._server.close()
        for connection in self._connections:
            with suppress(OSError):  # the client's pool keeps some open; the others are closed already
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return b""
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(body) < int(lengths[0] if lengths else 0):
        body += connection.recv(65536)
    return head


def answer(status: int, body: bytes = b"", *headers: bytes) -> Callable[[socket.socket], None]:
    lines = [b"HTTP/1.1 %d X" % status, b"Content-Length: %d" % len(body), *headers]

    def behave(connection: socket.socket) -> None:
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    return behave


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def close(connection: socket.socket) -> None:
    connection.close()


def half(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    connection.close()


def silence(connection: socket.socket) -> None:
    connection.recv(1)  # returns when the client gives up and closes the connection


FAULTS = [reset, close, half, silence, answer(500), answer(502), answer(503), answer(504), answer(408)]
FAULT_IDS = ["reset", "close", "half", "silence", "500", "502", "503", "504", "408"]


LONG = 3600.0
"""Seconds that no test lasts: a limit that must not be reached."""


def timeout_for(fault: Callable[[socket.socket], None]) -> float:
    """Return the timeout of a call that meets a fault: short if only the timeout ends it."""
    return 0.3 if fault is silence else LONG


@contextmanager
def serving(
    *behaviours: Callable[[socket.socket], None], patience: float = LONG, adapter: BaseAdapter | None = None
) -> Iterator[tuple[Server, MailUpClient]]:
    server = Server(*behaviours)
    try:
        transport = Transport(timeout=(LONG, LONG), deadline=LONG, adapter=adapter)
        yield server, MailUpClient(Static(), endpoints=Endpoints(server.url), transport=transport, patience=patience)
    finally:
        server.close()
