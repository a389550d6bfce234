"""MailUpClient against the sandbox: one renewal and one repeat, errors, bodies, and the resources."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from django_mailup.exceptions import (
    APIError,
    BadRequest,
    Forbidden,
    MailUpUnavailable,
    NotFound,
    RateLimited,
    ReauthorizationRequired,
    TermsNotAccepted,
    Unauthorized,
    UnexpectedResponse,
)
from django_mailup.mailup import AccessToken, MailUpClient
from django_mailup.sandbox import MailingList, Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

from .conftest import Source


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

    assert client.request("GET", "/Console/Authentication/Info", params={"b": 2})["UID"] == "4321"
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


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "status", "status": 403}, Forbidden),
        ({"kind": "status", "status": 404}, NotFound),
        ({"kind": "status", "status": 409}, APIError),
        ({"kind": "status", "status": 429}, RateLimited),
        ({"kind": "status", "status": 500}, MailUpUnavailable),
        ({"kind": "html", "status": 503}, MailUpUnavailable),
        ({"kind": "html", "status": 200}, UnexpectedResponse),
        ({"kind": "garbage"}, UnexpectedResponse),
        ({"kind": "drop"}, MailUpUnavailable),
        ({"kind": "redirect", "status": 302, "location": "https://elsewhere.example/"}, UnexpectedResponse),
        ({"kind": "body", "status": 403, "body": '{"ErrorDescription":"Too many requests. Max:5"}'}, RateLimited),
        ({"kind": "body", "status": 404, "body": ""}, NotFound),
    ],
    ids=str,
)
def test_what_an_answer_means(client: MailUpClient, sandbox: Sandbox, fault: Any, expected: type[Exception]) -> None:
    sandbox.fail_with(**fault)

    with pytest.raises(expected) as caught:
        client.account.info()
    assert type(caught.value) is expected


def test_unaccepted_terms(client: MailUpClient, sandbox: Sandbox) -> None:
    sandbox.state.users["m12345"].accepted_terms = False

    with pytest.raises(TermsNotAccepted):
        client.account.info()


@pytest.mark.parametrize(("header", "seconds"), [(True, 1.0), (False, 1.0)])
def test_the_limit_of_calls_is_told(client: MailUpClient, sandbox: Sandbox, header: bool, seconds: float) -> None:
    sandbox.configure(rate_limit=5, retry_after=header)
    for _ in range(5):
        client.account.info()

    with pytest.raises(RateLimited) as caught:
        client.account.info()
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("path", ["Console/Lists", "https://elsewhere.example/", "/Public/x", ""])
def test_a_path_of_no_service_is_refused_before_a_call(
    client: MailUpClient, adapter: SandboxAdapter, path: str
) -> None:
    with pytest.raises(ValueError, match="/Console/"):
        client.request("GET", path)
    assert adapter.requests == []
