"""What is repeated and what never is, over real sockets: the requests that arrive at a server are counted."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from django_mailup.exceptions import MailUpError, MailUpUnavailable, RateLimited
from django_mailup.mailup import AccessToken, Endpoints, MailUpClient, Transport

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close by a reset
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n42"
WRITES = [
    ("POST", "/Console/List/1/Email/2/Send"),
    ("POST", "/Console/Group/1/Email/2/Send"),
    ("POST", "/Console/Email/Send"),
    ("POST", "/Console/Sms/List/1/Message/2/Send"),
    ("POST", "/Console/Email/Sendings/1/Immediate"),
    ("POST", "/Console/List/1/Recipients"),
    ("PUT", "/Console/Recipient/Detail"),
    ("DELETE", "/Console/Recipients/1"),
]


class Static:
    """A TokenSource without renewal worth the name."""

    def get(self) -> AccessToken:
        return AccessToken("A1")

    def renew(self, refused: AccessToken) -> AccessToken:
        return AccessToken("A2")


class Server:
    """Answers each request that arrives by the next of its behaviours, the last one for ever. Counts requests."""

    def __init__(self, *behaviours: Callable[[socket.socket], None]) -> None:
        self.arrived: list[bytes] = []
        self._behaviours = list(behaviours)
        self._connections: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._connections.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while head := _request(connection):
                    self.arrived.append(head)
                    behave = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
                    behave(connection)
            except OSError:
                return

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in self._connections:
            with suppress(OSError):  # kept open by the client's pool
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)


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
    connection.recv(1)  # until the client gives up and closes


FAULTS = [reset, close, half, silence, answer(500), answer(502), answer(503), answer(504), answer(408)]
FAULT_IDS = ["reset", "close", "half", "silence", "500", "502", "503", "504", "408"]


@contextmanager
def serving(
    *behaviours: Callable[[socket.socket], None], patience: float = 10
) -> Iterator[tuple[Server, MailUpClient]]:
    server = Server(*behaviours)
    try:
        transport = Transport(timeout=(0.3, 0.3))
        yield server, MailUpClient(Static(), endpoints=Endpoints(server.url), transport=transport, patience=patience)
    finally:
        server.close()


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("fault", FAULTS, ids=FAULT_IDS)
def test_a_write_that_may_have_arrived_is_never_repeated(
    fault: Callable[[socket.socket], None], method: str, path: str
) -> None:
    with serving(fault) as (server, client):
        with pytest.raises(MailUpUnavailable) as caught:
            client.request(method, path, json={})
        assert caught.value.may_have_arrived
        assert len(server.arrived) == 1


@pytest.mark.parametrize("fault", FAULTS, ids=FAULT_IDS)
def test_a_write_on_a_connection_that_was_kept_is_not_repeated_either(fault: Callable[[socket.socket], None]) -> None:
    """A pooled connection may be closed by the server just as the request goes out."""
    with serving(answer(200, b"1"), fault) as (server, client):
        assert client.request("GET", "/Console/List") == 1
        with pytest.raises(MailUpUnavailable):
            client.request("POST", "/Console/List/1/Email/2/Send")
        assert [head.split()[0] for head in server.arrived] == [b"GET", b"POST"]


@pytest.mark.parametrize(("fault", "name"), list(zip(FAULTS, FAULT_IDS, strict=True)), ids=FAULT_IDS)
def test_a_read_is_repeated_twice_where_that_may_help(fault: Callable[[socket.socket], None], name: str) -> None:
    with serving(fault) as (server, client):
        with pytest.raises(MailUpUnavailable):
            client.request("GET", "/Console/List")
        assert len(server.arrived) == (1 if name in ("500", "408") else 3)
    with serving(fault, answer(200, b"[]")) as (server, client):
        if name not in ("500", "408"):
            assert client.request("GET", "/Console/List") == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/Console/List"), WRITES[0], WRITES[6], WRITES[7]])
def test_after_a_429_every_call_is_repeated_since_nothing_was_done(method: str, path: str) -> None:
    with serving(answer(429), answer(429, b"", b"Retry-After: 1"), answer(200, b"7")) as (server, client):
        assert client.request(method, path) == 7
        assert len(server.arrived) == 3


@pytest.mark.parametrize(
    ("patience", "header", "retry_after", "arrived"), [(0, b"X: 1", 1, 1), (5, b"Retry-After: 60", 60, 1)]
)
def test_a_429_that_outlasts_the_patience_is_told(
    patience: float, header: bytes, retry_after: float, arrived: int
) -> None:
    with serving(answer(429, b"", header), patience=patience) as (server, client):
        with pytest.raises(RateLimited) as caught:
            client.request("POST", "/Console/Email/Send")
        assert caught.value.retry_after == retry_after
        assert not caught.value.may_have_arrived
        assert len(server.arrived) == arrived


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_after_a_401_a_write_is_repeated_once_with_another_token(method: str, path: str) -> None:
    with serving(answer(401), answer(200, b"7")) as (server, client):
        assert client.request(method, path) == 7
        assert [b"A1" in head for head in server.arrived] == [True, False]
    with serving(answer(401)) as (server, client):
        with pytest.raises(MailUpError):
            client.request(method, path)
        assert len(server.arrived) == 2


def test_what_was_never_connected_says_that_nothing_arrived() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    transport = Transport(timeout=(0.3, 0.3))
    client = MailUpClient(Static(), endpoints=Endpoints(f"http://127.0.0.1:{port}"), transport=transport)
    with pytest.raises(MailUpUnavailable) as caught:
        client.request("POST", "/Console/Email/Send")

    assert not caught.value.may_have_arrived


def test_a_throttle_is_asked_before_each_request_that_is_sent() -> None:
    asked: list[Any] = []

    class Throttle:
        def wait(self, operation: str, *, patience: float) -> None:
            asked.append(operation)

    server = Server(answer(401), answer(503), answer(200, b"7"))
    try:
        client = MailUpClient(
            Static(), endpoints=Endpoints(server.url), transport=Transport(timeout=(1, 1)), throttle=Throttle()
        )
        assert client.request("GET", "/Console/List/12/Recipient/345/Groups") == 7
    finally:
        server.close()
    assert asked == ["GET /Console/List/{}/Recipient/{}/Groups"] * 3
