"""with_response: a method's result together with the status and headers of the answer."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from django_mailup.exceptions import NotFound
from django_mailup.mailup import Endpoints, MailUpClient, Transport
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

from .plain import plain
from .raw_server import LONG, Server, Static, answer, serving


def test_with_response_a_method_returns_status_and_headers_too(client: MailUpClient) -> None:
    response = client.with_response.account.info()

    assert response.result == client.account.info()
    assert response.status == 200
    assert response.headers["content-type"] == "application/json"
    assert plain(client.with_response.request("GET", "/Console/Authentication/Info").result)["uid"] == 4321


def test_with_response_no_header_shows_a_secret() -> None:
    with serving(answer(200, b"7", b"Set-Cookie: a=planted", b"X-Trace: 7")) as (_, client):
        response = client.with_response.request("GET", "/Console/List")

    assert (response.result, response.headers["X-Trace"]) == (7, "7")
    assert "planted" not in repr(response)


def test_with_response_errors_are_raised_as_ever(client: MailUpClient, sandbox: Sandbox) -> None:
    sandbox.fail_with("status", status=404)

    with pytest.raises(NotFound):
        client.with_response.account.info()


def test_with_response_threads_that_share_a_client_and_a_method_see_their_own_answers() -> None:
    def by_path(connection: socket.socket) -> None:
        number = server.arrived[-1].split()[1].rpartition(b"/")[2]
        answer(200, b'{"idList": %s}' % number, b"X-Number: " + number)(connection)

    server = Server(by_path)
    try:
        client = MailUpClient(Static(), endpoints=Endpoints(server.url), transport=Transport(timeout=(LONG, LONG)))
        get = client.with_response.lists.get
        with ThreadPoolExecutor(8) as threads:
            responses = list(threads.map(lambda number: get(list_id=number), range(1, 65)))
    finally:
        server.close()
    assert all(str(response.result.id) == response.headers["X-Number"] for response in responses)


def test_with_response_names_of_fields_are_looked_up_once_for_each_client(
    client: MailUpClient, sandbox: Sandbox, adapter: SandboxAdapter
) -> None:
    sandbox.configure(max_page_size=100)
    for email in ("a@example.com", "b@example.com"):
        response = client.with_response.recipients.add(list_id=1, email=email, fields={"FirstName": "Ada"})
        assert response.status == 200
    assert len([request for request in adapter.requests if "DynamicFields" in str(request.url)]) == 1


def test_with_response_unknown_names_are_attribute_errors(client: MailUpClient) -> None:
    with pytest.raises(AttributeError, match="unknown"):
        client.with_response.unknown  # noqa: B018
    with pytest.raises(AttributeError, match="unknown"):
        client.with_response.lists.unknown  # noqa: B018


def test_a_paged_method_gives_its_first_page(client: MailUpClient, sandbox: Sandbox) -> None:
    sandbox.configure(totals="right")
    page = client.with_response.lists.all(page_size=2)

    assert (len(page.result.items), page.result.total, page.status) == (2, 3, 200)
