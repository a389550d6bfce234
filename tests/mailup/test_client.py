"""MailUpClient against the sandbox and over real sockets: renewals, retries, options, answers, and its resources."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from django_mailup.exceptions import (
    BadRequest,
    Forbidden,
    MailUpError,
    MailUpUnavailable,
    Misconfigured,
    NotFound,
    RateLimited,
    ReauthorizationRequired,
    Unauthorized,
    UnexpectedResponse,
)
from django_mailup.mailup import AccessToken, Endpoints, MailUpClient, Transport
from django_mailup.mailup.flow import Call, Flow
from django_mailup.mailup.guarded import GuardedAdapter
from django_mailup.mailup.page_cursor import Page
from django_mailup.mailup.paging import Ask, PageSource
from django_mailup.sandbox import MailingList, Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

from .conftest import Source
from .plain import plain
from .raw_server import FAULT_IDS, FAULTS, LONG, Server, Static, answer, serving, silence, timeout_for

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


@pytest.mark.kind_sandbox("reads the original names")
def test_info_is_typed_and_keeps_the_original(client: MailUpClient) -> None:
    info = client.account.info()

    assert (info.uid, info.username, info.company) == ("4321", "m12345", "Fornaio Rossi")
    assert info.expires_at == datetime(2030, 1, 1, tzinfo=UTC)
    assert info.raw["UID"] == "4321"


def test_details_have_credits(client: MailUpClient) -> None:
    details = client.account.details()

    assert details.language == "IT"
    assert details.credits_by_list == {1: 0, 2: 0, 3: 0}


def test_older_servers_say_less(client: MailUpClient, sandbox: Sandbox) -> None:
    body = '{"Company":"X","IsTrial":true,"UID":"388","Username":"m1","Version":"8"}'
    sandbox.fail_with("body", status=200, body=body)
    info = client.account.info()

    assert info.expires_at is None
    assert info.url == ""


def test_lists_follow_pages_lazily(client: MailUpClient, sandbox: Sandbox, adapter: SandboxAdapter) -> None:
    sandbox.state.users["m12345"].account.lists = [MailingList(number, f"L{number}") for number in range(1, 26)]
    sandbox.configure(max_page_size=10)
    walk = client.lists.all(page_size=10)

    assert [next(walk).id for _ in range(10)] == list(range(1, 11))
    assert len(adapter.requests) == 1
    assert [each.id for each in walk] == list(range(11, 26))
    assert len(adapter.requests) == 3


def test_pages_follow_the_size_that_the_server_grants(client: MailUpClient, sandbox: Sandbox) -> None:
    sandbox.configure(max_page_size=4)
    sandbox.state.users["m12345"].account.lists = [MailingList(number, f"L{number}") for number in range(1, 11)]

    assert [each.id for each in client.lists.all()] == list(range(1, 11))


def test_a_list_that_shrinks_or_grows_ends(client: MailUpClient, sandbox: Sandbox) -> None:
    account = sandbox.state.users["m12345"].account
    account.lists = [MailingList(number, f"L{number}") for number in range(1, 8)]
    shrinking = client.lists.all(page_size=3)
    next(shrinking)
    account.lists = account.lists[:4]
    assert len(list(shrinking)) == 3

    growing = client.lists.all(page_size=3)
    next(growing)
    account.lists += [MailingList(number, f"L{number}") for number in range(20, 30)]
    assert len(list(growing)) == 13


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"Items":[],"PageNumber":0,"PageSize":20,"TotalElementsCount":0}', 0),
        ('{"Items":[],"TotalElementsCount":7}', 0),
        ('{"Items":[{"idList":1,"Name":"x"}],"TotalElementsCount":1}', 1),
        ('{"Items":[{"ListId":1}],"PageNumber":0,"PageSize":20,"TotalElementsCount":0}', 1),
    ],
)
def test_odd_envelopes_end(client: MailUpClient, sandbox: Sandbox, body: str, expected: int) -> None:
    sandbox.fail_with("body", status=200, body=body)

    assert len(list(client.lists.all())) == expected


def test_a_server_that_ignores_the_page_number_does_not_loop(client: MailUpClient, sandbox: Sandbox) -> None:
    body = '{"Items":[{"idList":1,"Name":"x"}],"PageSize":1,"TotalElementsCount":9}'
    sandbox.fail_with("body", status=200, body=body, times=-1)

    with pytest.raises(UnexpectedResponse):
        list(client.lists.all(page_size=1))


@pytest.mark.parametrize("body", ["[]", "5", '{"Items":null}', '{"Items":[{"Name":"no id"}],"TotalElementsCount":1}'])
def test_what_is_no_page_is_said_to_be_none(client: MailUpClient, sandbox: Sandbox, body: str) -> None:
    sandbox.fail_with("body", status=200, body=body)

    with pytest.raises(UnexpectedResponse):
        list(client.lists.all())


def test_groups(client: MailUpClient) -> None:
    groups = list(client.groups.all(list_id=1))

    assert [(group.id, group.name, group.deletable) for group in groups] == [
        (9, "Regulars", True),
        (10, "Wholesale", True),
        (11, "Test", False),
    ]
    assert groups[0].count is None


@pytest.mark.parametrize(
    ("body", "expected"), [("16", 16), ('"2015-10-20 05:00:00Z"', "2015-10-20 05:00:00Z"), ("", None)]
)
def test_whole_bodies_of_any_kind(client: MailUpClient, sandbox: Sandbox, body: str, expected: Any) -> None:
    sandbox.fail_with("body", status=200, body=body)

    assert client.request("GET", "/Console/Whatever") == expected


def test_an_expired_token_is_renewed_once_and_the_call_repeated(
    client: MailUpClient, sandbox: Sandbox, source: Source, adapter: SandboxAdapter
) -> None:
    sandbox.state.expire_access()

    assert plain(client.request("GET", "/Console/Authentication/Info", params={"b": 2}))["uid"] == 4321
    assert source.renewals == 1
    assert len(adapter.requests) == 2
    assert adapter.requests[0].url == adapter.requests[1].url


def test_a_repeated_call_sends_the_same_body(client: MailUpClient, sandbox: Sandbox, adapter: SandboxAdapter) -> None:
    sandbox.state.expire_access()
    with pytest.raises(NotFound):
        client.request("POST", "/Console/Unknown", json={"a": 1})

    assert [request.body for request in adapter.requests] == [b'{"a": 1}', b'{"a": 1}']


def test_a_malformed_token_that_mailup_answers_with_400_is_renewed(client: MailUpClient, source: Source) -> None:
    source.current = AccessToken("garbage")

    assert client.account.info().uid == "4321"
    assert source.renewals == 1


def test_a_400_about_something_else_is_not(client: MailUpClient, sandbox: Sandbox, source: Source) -> None:
    sandbox.fail_with("status", status=400)

    with pytest.raises(BadRequest) as caught:
        client.account.info()
    assert source.renewals == 0
    assert caught.value.description == "Simulated error 400."
    assert caught.value.error_code == "400"


@pytest.mark.parametrize("body", ["json", "html", "empty"])
def test_a_401_that_a_renewal_does_not_cure_is_told_after_one_repeat(
    client: MailUpClient, sandbox: Sandbox, source: Source, adapter: SandboxAdapter, body: str
) -> None:
    sandbox.configure(error_body=body, access_lifetime=0)
    sandbox.state.expire_access()

    with pytest.raises(Unauthorized):
        client.account.info()
    assert source.renewals == 1
    assert len(adapter.requests) == 2


def test_a_renewal_that_is_refused_is_told(client: MailUpClient, sandbox: Sandbox, source: Source) -> None:
    def refused(token: AccessToken) -> AccessToken:
        raise ReauthorizationRequired

    source.renew = refused  # type: ignore[method-assign]
    sandbox.state.expire_access()

    with pytest.raises(ReauthorizationRequired):
        client.account.info()


@pytest.mark.parametrize("path", ["Console/Lists", "https://elsewhere.example/", "/Public/x", ""])
def test_a_path_of_no_service_is_refused_before_a_call(
    client: MailUpClient, adapter: SandboxAdapter, path: str
) -> None:
    with pytest.raises(ValueError, match="/Console/"):
        client.request("GET", path)
    assert adapter.requests == []


@pytest.mark.parametrize("path", ["/Console/../x", "/Console/%2E%2e/x", "/Console/List?a=1", "/Console/List\r\nX: 1"])
def test_a_path_that_would_be_another_url_is_refused_before_a_call(
    client: MailUpClient, adapter: SandboxAdapter, path: str
) -> None:
    with pytest.raises(ValueError, match="path must have no"):
        client.request("GET", path)
    with pytest.raises(ValueError, match="path must have no"):
        client.with_response.request("GET", path)
    assert adapter.requests == []


def test_plain_http_to_another_machine_is_refused_before_a_call(source: Source, adapter: SandboxAdapter) -> None:
    transport = Transport(timeout=(1, 1), adapter=adapter)
    client = MailUpClient(source, endpoints=Endpoints("http://mailup.example"), transport=transport)
    with pytest.raises(Misconfigured, match="INSECURE_HOSTS"):
        client.request("GET", "/Console/List")
    assert adapter.requests == []

    allowed = Endpoints("http://mailup.example", insecure_hosts=("MailUp.example",))
    assert MailUpClient(source, endpoints=allowed, transport=transport).account.info().uid == "4321"


# --------------------------------------------------------------------------- flows and options


def company() -> Flow[str]:
    """Return the account's company, by a flow as a resource's method has it."""
    answer = yield Call(verb="GET", path="/Console/Authentication/Info")
    return str(answer.body["Company"])


@pytest.mark.kind_sandbox("reads the original names")
def test_a_flow_is_driven_to_its_result(client: MailUpClient) -> None:
    assert client.run(company()) == "Fornaio Rossi"


@pytest.mark.kind_sandbox("reads the original names")
def test_an_error_is_thrown_into_the_flow(client: MailUpClient, sandbox: Sandbox) -> None:
    def forgiving() -> Flow[str]:
        try:
            yield Call(verb="GET", path="/Console/Unknown")
        except NotFound:
            return (yield from company())
        return "found"

    assert client.run(forgiving()) == "Fornaio Rossi"
    sandbox.fail_with("status", status=403)
    with pytest.raises(Forbidden):
        client.run(company())


@pytest.mark.kind_sandbox("reads the original names")
def test_pages_are_flows_that_are_driven_as_they_are_needed(client: MailUpClient, adapter: SandboxAdapter) -> None:
    def page(ask: Ask) -> Flow[Page[int]]:
        params = {"pageNumber": ask.number, "pageSize": ask.size}
        answer = yield Call(verb="GET", path="/Console/User/Lists", params=params)
        items = [int(item["idList"]) for item in answer.body["Items"]]
        return Page(items=items, number=ask.number, size=ask.size, total=answer.body["TotalElementsCount"])

    lists = client.pages(PageSource(page, 2))

    assert adapter.requests == []
    assert next(lists) == 1
    assert len(adapter.requests) == 1
    assert (list(lists.page(1).items), lists.page().total) == ([3], 3)
    assert list(lists) == [2, 3]


def test_the_first_method_that_succeeds_is_announced_once(source: Source, sandbox: Sandbox) -> None:
    announced: list[MailUpClient] = []
    transport = Transport(timeout=(1, 1), adapter=SandboxAdapter(sandbox))
    client = MailUpClient(source, transport=transport, patience=0, on_success=announced.append)
    sandbox.fail_with("garbage")
    with pytest.raises(UnexpectedResponse):
        client.account.info()
    assert announced == []
    client.with_response.account.info()
    assert announced == [client]
    client.account.info()
    assert announced == [client]


def test_the_patience_of_a_call_reaches_the_throttle_and_its_pauses() -> None:
    asked: list[float] = []

    class Throttle:
        def wait(self, operation: str, *, patience: float) -> None:
            asked.append(patience)

    server = Server(answer(429))
    try:
        client = MailUpClient(
            Static(), endpoints=Endpoints(server.url), transport=Transport(timeout=(LONG, LONG)), throttle=Throttle()
        )
        with pytest.raises(RateLimited):
            client.request("GET", "/Console/List", patience=0.25)
        with pytest.raises(RateLimited):
            client.run(one(Call(verb="GET", path="/Console/List", patience=0)))
    finally:
        server.close()
    assert asked == [0.25, 0]
    assert len(server.arrived) == 2


def one(call: Call) -> Flow[Any]:
    return (yield call).body


def test_the_timeout_and_the_headers_of_a_call_are_sent_with_it() -> None:
    server = Server(answer(200, b"7"), silence)
    try:
        transport = Transport(timeout=(LONG, LONG), deadline=LONG)
        client = MailUpClient(Static(), endpoints=Endpoints(server.url), transport=transport)
        assert client.request("GET", "/Console/List", headers={"X-Trace": "t-1"}) == 7
        with pytest.raises(MailUpUnavailable):
            client.request("POST", "/Console/List", timeout=0.2)
    finally:
        server.close()
    assert b"X-Trace: t-1" in server.arrived[0]
    assert b"X-Trace" not in server.arrived[1]


# ------------------------------------------------------------------------ retries, over real sockets


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("fault", FAULTS, ids=FAULT_IDS)
def test_a_write_that_may_have_arrived_is_never_repeated(
    fault: Callable[[socket.socket], None], method: str, path: str
) -> None:
    with serving(fault) as (server, client):
        with pytest.raises(MailUpUnavailable) as caught:
            client.request(method, path, json={}, timeout=timeout_for(fault))
        assert caught.value.may_have_arrived
    assert len(server.arrived) == 1


@pytest.mark.parametrize("fault", FAULTS, ids=FAULT_IDS)
def test_a_write_on_a_connection_that_was_kept_is_not_repeated_either(fault: Callable[[socket.socket], None]) -> None:
    """A server may close a pooled connection just when the request is sent."""
    with serving(answer(200, b"1"), fault) as (server, client):
        assert client.request("GET", "/Console/List") == 1
        with pytest.raises(MailUpUnavailable):
            client.request("POST", "/Console/List/1/Email/2/Send", timeout=timeout_for(fault))
    assert [head.split()[0] for head in server.arrived] == [b"GET", b"POST"]


class HastyAtFirst(GuardedAdapter):
    """The adapter of API calls, but the first request has a read timeout of its own."""

    def __init__(self, first: float) -> None:
        super().__init__()
        self._first: float | None = first

    def send(self, request: Any, *, timeout: Any, **options: Any) -> Any:
        own, self._first = self._first, None
        return super().send(request, timeout=timeout if own is None else (timeout[0], own), **options)


@pytest.mark.parametrize(("fault", "name"), list(zip(FAULTS, FAULT_IDS, strict=True)), ids=FAULT_IDS)
def test_a_read_is_repeated_twice_where_that_may_help(fault: Callable[[socket.socket], None], name: str) -> None:
    with serving(fault) as (server, client), pytest.raises(MailUpUnavailable):
        client.request("GET", "/Console/List", timeout=timeout_for(fault))
    assert len(server.arrived) == (1 if name in ("500", "408") else 3)
    with serving(fault, answer(200, b"[]"), adapter=HastyAtFirst(timeout_for(fault))) as (server, client):
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


def test_a_throttle_is_asked_before_each_request_that_is_sent() -> None:
    asked: list[Any] = []

    class Throttle:
        def wait(self, operation: str, *, patience: float) -> None:
            asked.append(operation)

    server = Server(answer(401), answer(503), answer(200, b"7"))
    try:
        client = MailUpClient(
            Static(), endpoints=Endpoints(server.url), transport=Transport(timeout=(LONG, LONG)), throttle=Throttle()
        )
        assert client.request("GET", "/Console/List/12/Recipient/345/Groups") == 7
    finally:
        server.close()
    assert asked == ["GET /Console/List/{}/Recipient/{}/Groups"] * 3
