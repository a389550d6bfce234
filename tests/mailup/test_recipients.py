"""Recipients: finding one by address, and how one stands on each list."""

from __future__ import annotations

import pytest

from django_mailup.mailup import MailUpClient, NewRecipient
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter


@pytest.fixture(params=["ignore_case", "exact"])
def addresses(request: pytest.FixtureRequest, sandbox: Sandbox) -> str:
    """How MailUp compares addresses, which nobody knows."""
    sandbox.configure(addresses=request.param)
    return str(request.param)


def test_somebody_is_found_whatever_the_status(client: MailUpClient, addresses: str) -> None:
    ada = client.recipients.add(list_id=1, email="ada@example.com")
    bo = client.recipients.add(list_id=1, email="bo@example.com", confirm=True)
    cy = client.recipients.add(list_id=1, email="cy@example.com")
    client.recipients.unsubscribe(list_id=1, recipient_id=cy)
    dan = client.recipients.add(list_id=2, email="dan@example.com")

    for name, recipient_id in {"ada": ada, "bo": bo, "cy": cy, "dan": dan}.items():
        for spelling in (f"{name}@example.com", f"{name.title()}@Example.COM", f" {name}@example.com "):
            found = client.recipients.find(email=spelling)
            assert found is not None
            assert found.id == recipient_id
    assert client.recipients.find(email="eve@example.com") is None


def test_an_address_that_is_stored_in_capitals_is_found_as_it_was_given(client: MailUpClient, addresses: str) -> None:
    client.imports.start(list_id=1, recipients=[NewRecipient(email="Ada@Example.com")], confirm=True)

    assert client.recipients.find(email="Ada@Example.com") is not None
    assert (client.recipients.find(email="ada@example.com") is None) == (addresses == "exact")


def test_of_two_spellings_the_exact_one_is_found(client: MailUpClient, sandbox: Sandbox) -> None:
    sandbox.configure(addresses="exact")
    small = client.recipients.add(list_id=1, email="ada@example.com")
    large = client.recipients.add(list_id=1, email="ADA@example.com")

    ids = [client.recipients.find(email=each) for each in ("ada@example.com", "ADA@example.com", "Ada@example.com")]
    assert [each and each.id for each in ids] == [small, large, small]


def test_of_two_that_come_at_once_the_exact_one_is_found(client: MailUpClient, sandbox: Sandbox) -> None:
    items = '{"Items":[{"idRecipient":7,"Email":"ADA@example.com"},{"idRecipient":8,"Email":"ada@example.com"}]}'
    sandbox.fail_with("body", status=200, body=items, times=2)

    for address, recipient_id in (("ada@example.com", 8), ("ADA@example.com", 7)):
        found = client.recipients.find(email=address)
        assert found is not None
        assert found.id == recipient_id


def test_who_only_resembles_the_address_is_not_found(client: MailUpClient, sandbox: Sandbox) -> None:
    items = '{"Items":[{"idRecipient":7,"Email":"xada@example.com"},{"idRecipient":8,"Email":"ADA@example.com"}]}'
    sandbox.fail_with("body", status=200, body=items)
    found = client.recipients.find(email="ada@example.com")

    assert found is not None
    assert found.id == 8


def test_the_address_is_asked_for_as_given_and_then_in_lower_case(
    client: MailUpClient, adapter: SandboxAdapter
) -> None:
    client.recipients.find(email="Ada@example.com")
    client.recipients.find(email="ada@example.com")

    assert [str(each.url).partition("email=")[2].partition("&")[0] for each in adapter.requests] == [
        "%22Ada%40example.com%22", "%22ada%40example.com%22", "%22ada%40example.com%22",
    ]  # fmt: skip


def test_the_standing_on_each_list(client: MailUpClient, adapter: SandboxAdapter, addresses: str) -> None:
    ada = client.recipients.add(list_id=1, email="ada@example.com", confirm=True)
    client.recipients.add(list_id=2, email="ada@example.com")
    client.recipients.unsubscribe(list_id=2, recipient_id=ada)
    client.recipients.add(list_id=1, email="bo@example.com")
    adapter.requests.clear()
    standing = client.recipients.standing(email="ADA@example.com")

    assert {list_id: each.status for list_id, each in standing.items()} == {1: "PENDING", 2: "OPTOUT"}
    assert standing[2].opted_out_at is not None
    assert sum("EmailOptins" in str(each.url) for each in adapter.requests) == 3
    assert client.recipients.standing(email="eve@example.com") == {}
    adapter.requests.clear()
    assert [*client.recipients.standing(email="ada@example.com", list_id=2)] == [2]
    assert len(adapter.requests) == 2


def test_the_standing_is_nobody_elses_if_the_filter_is_ignored(client: MailUpClient, sandbox: Sandbox) -> None:
    client.recipients.add(list_id=1, email="ada@example.com")
    rows = '{"Items":[{"idRecipient":99,"Status":"OPTOUT"},{"idRecipient":1,"Status":"OPTIN"}]}'
    sandbox.fail_with("body", status=200, body=rows, path="EmailOptins")

    assert client.recipients.standing(email="ada@example.com")[1].status == "OPTIN"
