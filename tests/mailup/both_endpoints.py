"""Calls of the API and of the token endpoint at a server of the test's, whose answers are bytes."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from django_mailup.exceptions import MailUpError
from django_mailup.mailup import Endpoints, MailUpClient, OAuthClient, Transport
from django_mailup.mailup.transport import ANSWER_LIMIT

from .raw_server import LONG, Server, Static
from .token_calls import PASSWORD

BODY = json.dumps({"access_token": "A1", "refresh_token": "R1", "expires_in": 900}).encode()
ENDPOINTS = ["api", "token"]
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"


def call(endpoint: str, url: str, *, deadline: float = LONG, limit: int = ANSWER_LIMIT) -> Any:
    """Make one call of an endpoint, without repeats. Return the token, or of the API what it answers as one."""
    if endpoint == "token":
        return OAuthClient("id", "secret", endpoints=Endpoints(url), deadline=deadline).exchange(PASSWORD).access_token
    transport = Transport(timeout=(LONG, LONG), deadline=deadline, answer_limit=limit)
    client = MailUpClient(Static(), endpoints=Endpoints(url), transport=transport, patience=0)
    body = client.request("GET", "/Console/List")
    return body.get("access_token") if isinstance(body, dict) else body


@contextmanager
def running(*behaviours: Callable[[socket.socket], None]) -> Iterator[Server]:
    server = Server(*behaviours)
    try:
        yield server
    finally:
        server.close()


def error_of(endpoint: str, behaviour: Callable[[socket.socket], None], **options: Any) -> MailUpError:
    """Return the error that an answer raises at an endpoint."""
    with running(behaviour) as server, pytest.raises(MailUpError) as caught:
        call(endpoint, server.url, **options)
    return caught.value


def sending(*pieces: bytes) -> Callable[[socket.socket], None]:
    """Return a behaviour that sends bytes and closes the connection."""

    def behave(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
        connection.close()

    return behave


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
