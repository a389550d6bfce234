"""The guarded token call: its deadline, and what it says of a call that failed."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from django_mailup.exceptions import (
    MailUpUnavailable,
)
from django_mailup.mailup import Endpoints, OAuthClient
from django_mailup.sandbox import Sandbox

from .token_calls import PASSWORD, TOKEN, with_error


@pytest.mark.parametrize("kind", ["drop", "drop_after", "half", "huge"])
def test_broken_answers_on_a_socket(sandbox: Sandbox, on_socket: Any, kind: str) -> None:
    sandbox.fail_with(kind, path=TOKEN)
    error = with_error(on_socket(), PASSWORD)

    assert isinstance(error, MailUpUnavailable)
    assert error.may_have_arrived


@pytest.mark.parametrize("fault", [{"kind": "slow", "seconds": 3.0}, {"kind": "drip", "seconds": 0.05}])
def test_the_deadline_is_for_the_whole_call(sandbox: Sandbox, on_socket: Any, fault: Any) -> None:
    sandbox.fail_with(path=TOKEN, **fault)
    started = time.monotonic()
    error = with_error(on_socket(deadline=0.5), PASSWORD)

    assert isinstance(error, MailUpUnavailable)
    assert error.may_have_arrived
    assert time.monotonic() - started < 2.5


def test_trickled_headers_meet_the_deadline_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    over = threading.Event()

    def trickle(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not over.wait(0.05):
                    connection.sendall(b"X-More: of the same\r\n")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        client = OAuthClient(
            "id", "secret", endpoints=Endpoints(f"http://127.0.0.1:{server.getsockname()[1]}"), deadline=0.5
        )
        error = with_error(client, PASSWORD)
        over.set()
        thread.join()

    assert isinstance(error, MailUpUnavailable)


def test_a_refused_connection_surely_did_not_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = with_error(OAuthClient("id", "secret", endpoints=Endpoints(f"http://127.0.0.1:{port}")), PASSWORD)

    assert isinstance(error, MailUpUnavailable)
    assert not error.may_have_arrived
