"""GuardedAdapter, and its connections on real sockets."""

from __future__ import annotations

import pytest
import requests

from django_mailup.mailup.guard import Guard
from django_mailup.mailup.guarded import GuardedAdapter, _GuardedHTTP

from .raw_server import LONG, Server, answer, close


def answered(connection: _GuardedHTTP) -> bool:
    response = connection.getresponse()
    return (response.data if hasattr(response, "data") else response.read()) == b"1"  # urllib3 2, and 1.26


def test_a_connection_is_of_the_guard_of_its_context() -> None:
    server = Server(answer(200, b"1"))
    over = Guard(LONG)
    over.end()
    try:
        with requests.Session() as session:
            session.mount("http://", GuardedAdapter())
            with Guard(LONG) as guard:
                assert session.get(server.url, timeout=LONG).text == "1"
            assert guard.sent
            with over, pytest.raises(requests.RequestException):
                session.get(server.url, timeout=LONG)
            assert not over.sent
    finally:
        server.close()
    assert len(server.arrived) == 1


def test_a_request_is_never_repeated() -> None:
    server = Server(close)
    try:
        with requests.Session() as session, Guard(LONG):
            session.mount("http://", GuardedAdapter())
            with pytest.raises(requests.RequestException):
                session.get(server.url, timeout=LONG)
    finally:
        server.close()
    assert len(server.arrived) == 1


def test_the_deadline_of_the_call_before_leaves_a_pooled_connection_alone() -> None:
    server = Server(answer(200, b"1"))
    connection = _GuardedHTTP("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=LONG)
    try:
        with Guard(LONG) as before:
            connection.request("GET", "/")
            assert answered(connection)
            with Guard(LONG):
                connection.request("GET", "/")
                before.end()
                assert answered(connection)
    finally:
        connection.close()
        server.close()
    assert len(server.arrived) == 2


def test_a_connection_that_was_shut_is_not_used_again() -> None:
    server = Server(answer(200, b"1"))
    connection = _GuardedHTTP("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=LONG)
    try:
        with Guard(LONG) as before:
            connection.request("GET", "/")
            assert answered(connection)
            before.end()
        with Guard(LONG) as guard, pytest.raises(ConnectionAbortedError):
            connection.request("GET", "/")
        assert not guard.sent
        with Guard(LONG):
            connection.request("GET", "/")
            assert answered(connection)
    finally:
        connection.close()
        server.close()
