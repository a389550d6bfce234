"""The API's transport over real sockets: what is sent, and what an error says."""

from __future__ import annotations

import socket

import pytest

from django_mailup.exceptions import MailUpUnavailable
from django_mailup.mailup import Endpoints, MailUpClient, Transport

from .raw_server import Static


def test_what_was_never_connected_says_that_nothing_arrived() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    transport = Transport(timeout=(0.3, 0.3))
    client = MailUpClient(Static(), endpoints=Endpoints(f"http://127.0.0.1:{port}"), transport=transport)
    with pytest.raises(MailUpUnavailable) as caught:
        client.request("POST", "/Console/Email/Send")

    assert not caught.value.may_have_arrived
