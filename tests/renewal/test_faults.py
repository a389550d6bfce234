"""Every fault of MailUp's server, over real sockets: what the caller gets, what the row says, when the next try is.

docs/faults.md has these as a table; each test checks its line of it.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from django_mailup.exceptions import MailUpError
from django_mailup.models import ClientRegistration, Token
from django_mailup.renewal import on_demand
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_for

pytestmark = pytest.mark.django_db
TABLE = (Path(__file__).resolve().parents[2] / "docs/faults.md").read_text(encoding="utf-8").splitlines()
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close by a reset


@contextmanager
def raw_server(behave: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """Serve each connection of a port by a function, in threads, until the block ends. Yields the port."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def handle(connection: socket.socket) -> None:
        with connection:
            try:
                behave(connection, over)
            except OSError:
                return

    def accept(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=handle, args=(connection,)))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        acceptor = threading.Thread(target=accept, args=(server,))
        acceptor.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for thread in threads:
                thread.join()


def reset_after_request(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def slow_headers(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not over.wait(0.05):
        connection.sendall(b"X-More: of the same\r\n")


RAW = {
    "reset after the request": reset_after_request,
    "headers that trickle for ever": slow_headers,
}
ANSWERS: dict[str, dict[str, Any]] = {
    "one byte a second for ever": {"kind": "drip", "seconds": 0.05},
    "200 with half a body": {"kind": "half"},
    "200 with HTML": {"kind": "html", "status": 200},
    "500 with HTML": {"kind": "html", "status": 500},
    "302 to elsewhere": {"kind": "redirect", "status": 302, "location": "http://127.0.0.1:9/"},
    "307 to http": {"kind": "redirect", "status": 307, "location": "http://127.0.0.1:9/"},
    "200, empty": {"kind": "empty", "status": 200},
    "200, 100 MB": {"kind": "huge"},
    "200, text of another kind": {"kind": "garbage"},
    **{
        str(status): {"kind": "status", "status": status}
        for status in (400, 401, 403, 404, 408, 429, 500, 502, 503, 504)
    },
}
REFUSALS: dict[str, dict[str, Any]] = {
    "invalid_grant": {"kind": "body", "status": 400, "body": '{"error": "invalid_grant"}'},
    "invalid_client": {"kind": "body", "status": 400, "body": '{"error": "invalid_client"}'},
    "invalid_request": {"kind": "body", "status": 400, "body": '{"error": "invalid_request"}'},
    "MailUp's own error about the token": {
        "kind": "body",
        "status": 400,
        "body": '{"ErrorCode":"400","ErrorDescription":"Authorization error: invalid refresh token","ErrorName":"x"}',
    },
    "MailUp's own error about something else": {
        "kind": "body",
        "status": 400,
        "body": '{"ErrorCode":"400","ErrorDescription":"Something else","ErrorName":"x"}',
    },
}
LIFETIMES = {f"expires_in {told}": told for told in ("0", "-5", "null", '"3600"', '"soon"')}


@pytest.fixture
def expired(mailup_connection: Callable[..., Token], user: Any, mailup_server: str, settings: Any) -> Token:
    """A connection whose access token has expired; MailUp is on a socket."""
    token = mailup_connection(user)
    past = timezone.now() - timedelta(hours=1)
    Token.objects.update(connected_at=past, expires_at=past, refresh_at=past)
    token.refresh_from_db()
    return token


def elsewhere(settings: Any, base_url: str) -> None:
    settings.MAILUP = {**settings.MAILUP, "BASE_URL": base_url}


def hurry(settings: Any, name: str) -> None:
    """Shorten the deadlines if nothing else ends a call that meets this fault: bytes come sooner than TIMEOUT."""
    if "for ever" in name:
        settings.MAILUP = {**settings.MAILUP, "TOKEN_DEADLINE": 1, "API_DEADLINE": 1}


def renew(token: Token) -> str:
    """Try to renew. Return the exception's name, or `none`."""
    try:
        on_demand.usable_token(token.key)
    except MailUpError as error:
        return f"`{type(error).__name__}`"
    return "none"


def seen(token: Token) -> str:
    """Return what is stored on the row or its registration, in the words of the table."""
    token.refresh_from_db()
    registration = ClientRegistration.objects.get()
    assert token.claim_owner == ""
    if not token.is_active:
        return "`reauthorization_required` | when the user reconnects"
    if registration.failed_at is not None:
        assert token.failure_count == 0
        assert registration.retry_at is not None
        minutes = (registration.retry_at - registration.failed_at).total_seconds() / 60
        return f"active; the registration says so | one probe after {minutes:.0f} minutes, or at once with a new secret"
    if token.failure_count:
        assert token.failed_at is not None
        wait = (token.refresh_at - token.failed_at).total_seconds()
        assert 30 <= wait <= 60
        unknown = ", the old pair may be spent" if token.interrupted else ""
        return f"active, 1 failure{unknown} | ahead of time after 30 to 60 s, on demand after 30 s"
    life = (token.expires_at - token.received_at).total_seconds()
    return f"active, renewed | good for {life:.0f} s"


def in_table(line: str) -> bool:
    return line in TABLE


@pytest.mark.parametrize("name", [*ANSWERS, *REFUSALS])
def test_an_answer_of_the_token_endpoint(expired: Token, mailup_sandbox: Sandbox, settings: Any, name: str) -> None:
    hurry(settings, name)
    mailup_sandbox.fail_with(path="/Token", **{**ANSWERS, **REFUSALS}[name])
    line = f"| {name} | {renew(expired)} | {seen(expired)} |"

    assert in_table(line), line


@pytest.mark.parametrize("name", RAW)
def test_a_connection_that_breaks(expired: Token, settings: Any, name: str) -> None:
    with raw_server(RAW[name]) as port:
        elsewhere(settings, f"http://127.0.0.1:{port}")
        hurry(settings, name)
        line = f"| {name} | {renew(expired)} | {seen(expired)} |"

    assert in_table(line), line


def test_a_connection_that_is_reset_before_the_request(
    expired: Token, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reset comes between connecting and sending. An earlier one would be a refused connection."""
    connected, gone = threading.Event(), threading.Event()
    connect = socket.socket.connect

    def reset(connection: socket.socket, over: threading.Event) -> None:
        connected.wait()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.close()
        gone.set()

    def connect_and_wait(self: socket.socket, address: Any) -> None:
        connect(self, address)
        if self.family == socket.AF_INET and address[1] == port:
            connected.set()
            gone.wait()

    with raw_server(reset) as port:
        elsewhere(settings, f"http://127.0.0.1:{port}")
        monkeypatch.setattr(socket.socket, "connect", connect_and_wait)
        line = f"| reset before the request | {renew(expired)} | {seen(expired)} |"

    assert in_table(line), line


def test_a_connection_that_is_refused(expired: Token, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        elsewhere(settings, f"http://127.0.0.1:{server.getsockname()[1]}")
    line = f"| connection refused | {renew(expired)} | {seen(expired)} |"

    assert in_table(line), line


def test_a_name_that_does_not_resolve(expired: Token, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)  # asking a real resolver would leave this machine
    elsewhere(settings, "https://nowhere.invalid")
    line = f"| name not resolved | {renew(expired)} | {seen(expired)} |"

    assert in_table(line), line


def test_no_tls_where_tls_should_be(expired: Token, settings: Any, mailup_server: str) -> None:
    elsewhere(settings, mailup_server.replace("http:", "https:"))
    line = f"| TLS failure | {renew(expired)} | {seen(expired)} |"

    assert in_table(line), line


@pytest.mark.parametrize("name", LIFETIMES)
def test_a_lifetime_that_is_told_oddly(expired: Token, mailup_sandbox: Sandbox, name: str) -> None:
    body = f'{{"access_token": "A", "refresh_token": "R", "expires_in": {LIFETIMES[name]}}}'
    mailup_sandbox.fail_with("body", status=200, body=body, path="/Token")
    line = f"| {name} | {renew(expired)} | {seen(expired)} |"

    assert in_table(line), line


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_of_the_api(
    mailup_connection: Callable[..., Token],
    user: Any,
    mailup_server: str,
    mailup_sandbox: Sandbox,
    settings: Any,
    name: str,
) -> None:
    token = mailup_connection(user)
    hurry(settings, name)
    # Every time, since GET is retried on 502 to 504.
    mailup_sandbox.fail_with(path="Authentication/Info", **{**ANSWERS[name], "times": -1})
    try:
        client_for(user).account.info()
        raised = "none"
    except MailUpError as error:
        raised = f"`{type(error).__name__}`"
    token.refresh_from_db()
    line = f"| {name} | {raised} |"

    assert in_table(line), line
    assert token.is_active
    assert token.failure_count == 0


def test_the_table_has_a_line_for_each_fault_and_no_other() -> None:
    connecting = ["reset before the request", "connection refused", "name not resolved", "TLS failure"]
    named = [*RAW, *ANSWERS, *REFUSALS, *LIFETIMES, *connecting]
    lines = [re.split(r" *\| *", line)[1] for line in TABLE if re.match(r"\| (?!fault|---)", line)]

    assert sorted(lines) == sorted([*named, *ANSWERS])
