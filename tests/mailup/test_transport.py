"""The API's transport over real sockets: what it sends, and the errors it raises."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
from typing import Any

import pytest
import requests

from django_mailup.exceptions import MailUpUnavailable
from django_mailup.mailup import AccessToken, Endpoints, MailUpClient, OAuthClient, Provisioning, Transport, Trial

from .both_endpoints import BODY
from .raw_server import LONG, Server, Static, answer, silence
from .token_calls import PASSWORD


def test_what_was_never_connected_says_that_nothing_arrived() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    transport = Transport(timeout=(LONG, LONG))
    client = MailUpClient(Static(), endpoints=Endpoints(f"http://127.0.0.1:{port}"), transport=transport)
    with pytest.raises(MailUpUnavailable) as caught:
        client.request("POST", "/Console/Email/Send")

    assert not caught.value.may_have_arrived


def test_a_request_introduces_itself_and_carries_its_token() -> None:
    server = Server(answer(200, b"1"))
    try:
        send(server)
    finally:
        server.close()
    lines = server.arrived[0].split(b"\r\n")
    assert b"Authorization: Bearer A1" in lines
    assert b"Accept: application/json" in lines
    assert any(line.startswith(b"User-Agent: django-mailup-connect/") for line in lines)


def test_headers_of_a_call_are_added_and_never_replace_the_token() -> None:
    server = Server(answer(200, b"1"))
    try:
        send(server, headers={"X-Trace": "7", "Authorization": "Bearer other"})
    finally:
        server.close()
    assert b"\r\nX-Trace: 7\r\n" in server.arrived[0]
    assert b"other" not in server.arrived[0]


def test_the_timeout_of_a_call_goes_before_that_of_the_transport() -> None:
    server = Server(silence)
    try:
        with pytest.raises(MailUpUnavailable) as caught:
            send(server, timeout=0.2)
    finally:
        server.close()
    assert caught.value.may_have_arrived


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # it has threads: that is what is tested
def test_a_child_process_uses_no_connection_of_its_parent() -> None:
    server = Server(answer(200, b"1"))
    try:
        send(server)
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # the parent's limit of time isn't the child's
            try:
                send(server)
            except BaseException:
                os._exit(1)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        send(server)
    finally:
        server.close()
    assert len(server.arrived) == 3
    assert len(server._connections) == 2  # the parent has kept its own


def test_whatever_the_status_the_answer_is_returned_and_no_redirect_followed() -> None:
    server = Server(answer(302, b"", b"Location: http://127.0.0.1:1/"))
    try:
        assert send(server).status_code == 302
    finally:
        server.close()
    assert len(server.arrived) == 1


@pytest.mark.parametrize(
    "options",
    [{"headers": {"X": "hush\r\nY: z"}}, {"headers": {"X": "hush€"}}, {"json": {"hush": float("nan")}}],
    ids=["line break", "not Latin-1", "NaN"],
)
def test_a_mistake_of_the_caller_is_no_outage(options: dict[str, Any]) -> None:
    server = Server(answer(200, b"1"))
    try:
        with pytest.raises(ValueError, match=r"can't (be sent|encode)") as caught:
            send(server, **options)
    finally:
        server.close()
    assert server.arrived == []
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("secret", ["plain", "perché", "s€cret", "\ud800"], ids=ascii)
def test_basic_authentication_takes_any_secret(secret: str) -> None:
    server = Server(answer(200, json.dumps({"Code": 2, **json.loads(BODY)}).encode()))
    endpoints = Endpoints(server.url)
    try:
        OAuthClient("id", secret, endpoints=endpoints, authentication="basic").exchange(PASSWORD)
        assert Provisioning("id", secret, endpoints=endpoints).trial_status(trial=Trial(id="1", hash="h")).is_done
    finally:
        server.close()
    credentials = base64.b64encode(f"id:{secret}".encode(errors="surrogatepass"))
    assert len(server.arrived) == 2
    for head in server.arrived:
        assert b"Authorization: Basic " + credentials in head.split(b"\r\n")


def send(server: Server, **options: Any) -> requests.Response:
    transport = Transport(timeout=(LONG, LONG), deadline=LONG)
    return transport.send("GET", f"{server.url}/x", AccessToken("A1"), **options)
