"""The client at a MailUp that is as unkind as it may be, in every combination of what can go together."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from django_mailup.exceptions import UnexpectedResponse
from django_mailup.mailup import AccessToken, MailUpClient, NewRecipient, Transport
from django_mailup.sandbox import MailingList, Options, Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

from .conftest import Source

IDS = list(range(1, 25))


def lists(sandbox: Sandbox) -> None:
    sandbox.state.users["m12345"].account.lists = [MailingList(number, f"L{number}") for number in IDS]


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 12, 24, 500])
@pytest.mark.parametrize("granted", [3, 4, 8, 1000])
@pytest.mark.parametrize("totals", ["right", "zero", "low", "high"])
@pytest.mark.parametrize("moving_rows", ["none", "in"])
@pytest.mark.kind_sandbox("sets the options itself")
def test_a_walk_gives_each_row_once_whatever_the_totals(
    client: MailUpClient, sandbox: Sandbox, size: int, granted: int, totals: str, moving_rows: str
) -> None:
    lists(sandbox)
    sandbox.configure(max_page_size=granted, totals=totals, moving_rows=moving_rows, numbers="text")

    assert [each.id for each in client.lists.all(page_size=size)] == IDS


@pytest.mark.parametrize("size", [4, 5, 12, 500])
@pytest.mark.parametrize("totals", ["right", "high"])
@pytest.mark.kind_sandbox("sets the options itself")
def test_a_short_page_is_not_the_last_one_before_the_total_is_there(
    client: MailUpClient, sandbox: Sandbox, size: int, totals: str
) -> None:
    lists(sandbox)
    sandbox.configure(max_page_size=3, page_size_told="asked", totals=totals)

    assert [each.id for each in client.lists.all(page_size=size)] == IDS


@pytest.mark.parametrize("size", [2, 3, 5, 7, 12, 24])
@pytest.mark.kind_sandbox("sets the options itself")
def test_a_walk_skips_no_row_although_others_vanish(client: MailUpClient, sandbox: Sandbox, size: int) -> None:
    lists(sandbox)
    sandbox.configure(moving_rows="out")

    assert sorted(each.id for each in client.lists.all(page_size=size)) == IDS


@pytest.mark.kind_sandbox("sets the options itself")
def test_a_full_last_page_is_asked_past_even_if_the_total_is_reached(
    client: MailUpClient, sandbox: Sandbox, adapter: SandboxAdapter
) -> None:
    lists(sandbox)
    sandbox.configure(totals="low")

    assert [each.id for each in client.lists.all(page_size=12)] == IDS
    assert [parse_qs(urlsplit(each.url or "").query)["pageNumber"] for each in adapter.requests] == [
        ["0"],
        ["1"],
        ["2"],
    ]


def test_a_server_without_pages_ends_when_its_total_is_there(client: MailUpClient, sandbox: Sandbox) -> None:
    body = '{"Items":[{"Id":1},{"Id":2}],"PageNumber":0,"PageSize":2,"TotalElementsCount":%d}'
    sandbox.fail_with("body", status=200, body=body % 2, times=2)
    assert [each.id for each in client.tags.all(list_id=1)] == [1, 2]

    sandbox.fail_with("body", status=200, body=body % 1, times=2)
    with pytest.raises(UnexpectedResponse, match="again"):
        list(client.tags.all(list_id=1))


def test_a_first_page_that_is_another_one_is_an_error(client: MailUpClient, sandbox: Sandbox) -> None:
    sandbox.fail_with("body", status=200, body='{"Items":[{"Id":1}],"PageNumber":1,"PageSize":2}', times=2)
    with pytest.raises(UnexpectedResponse, match="asked for page 0"):
        list(client.tags.all(list_id=1))


@pytest.mark.parametrize("name", ["Items", "items", "ITEMS"])
def test_an_array_may_be_in_an_object(client: MailUpClient, sandbox: Sandbox, name: str) -> None:
    rows = [{"CountryCode": "IT", "CountryName": "Italy"}]
    sandbox.fail_with("body", status=200, body=json.dumps({name: rows}))

    assert [each.code for each in client.lists.countries()] == ["IT"]


@pytest.mark.parametrize("wanted", ["ada@example.com", "da@example.com", "ADA@example.com", "Ada@Example.com"])
def test_who_is_to_be_unsubscribed_is_nobody_else(client: MailUpClient, sandbox: Sandbox, wanted: str) -> None:
    """More people than fit on a page have an address that contains the one that is looked for."""
    sandbox.configure(addresses="exact", matches="part", max_page_size=3)
    for name in ("xada", "yada", "zada", "ada-x.ada", "ADA", "ada", "da"):
        client.recipients.add(list_id=1, email=f"{name}@example.com")
    found = client.recipients.find(email=wanted)
    assert found is not None
    client.recipients.unsubscribe(list_id=1, recipient_id=found.id)

    expected = "ada@example.com" if wanted == "Ada@Example.com" else wanted
    assert [each.email for each in client.recipients.unsubscribed(list_id=1)] == [expected]
    assert [each.email for each in client.recipients.search(email="zada@example.com")] == ["zada@example.com"]
    assert client.recipients.search(email="a@example.com") == []


def test_only_those_whose_address_is_the_one_in_any_letter_case_are_found(
    client: MailUpClient, sandbox: Sandbox
) -> None:
    addresses = ["xada@example.com", "ada@example.com.example", "ADA@example.com", "ada@example.com"]
    items = [{"idRecipient": number, "Email": address} for number, address in enumerate(addresses, 1)]
    sandbox.fail_with("body", status=200, body=json.dumps({"Items": items, "TotalElementsCount": 4}), times=2)

    assert [each.id for each in client.recipients.search(email="ada@example.com")] == [3, 4]
    found = client.recipients.find(email="ada@example.com")
    assert found is not None
    assert found.id == 4


@pytest.mark.parametrize("hours", [-11, -1.5, 2, 5.75, 14])
def test_a_time_in_any_zone_is_scheduled_as_the_same_time_in_utc(
    client: MailUpClient, sandbox: Sandbox, adapter: SandboxAdapter, hours: float
) -> None:
    """A newsletter for ten o'clock in Rome must not go out at ten o'clock UTC."""
    from_utc = datetime(2035, 6, 1, 8, 0, tzinfo=UTC)

    local = from_utc.astimezone(timezone(timedelta(hours=hours)))
    message = client.messages.create(list_id=1, subject="S", content="C").id
    text = client.sms.create(list_id=1, subject="S", content="C").id
    client.recipients.add_to_group(group_id=9, email="ada@example.com", mobile_prefix="39", mobile_number="333")
    adapter.requests.clear()
    client.sendings.to_list(list_id=1, message_id=message, at=local)
    client.sendings.to_group(group_id=9, message_id=message, at=local)
    client.sms.to_list(list_id=1, message_id=text, at=local)
    client.sms.to_group(group_id=9, message_id=text, at=local)
    sent = [parse_qs(urlsplit(each.url or "").query)["datetime"] for each in adapter.requests]
    assert sent == [['"2035-06-01 08:00:00Z"']] * 4

    waiting = [*client.sendings.deferred(), *client.sms.deferred()]
    assert [each.start_at for each in waiting] == [from_utc] * 4
    later = local + timedelta(days=1)
    assert client.sendings.schedule(sending_id=waiting[0].id, at=later).start_at == from_utc + timedelta(days=1)
    assert client.sms.schedule(sending_id=waiting[2].id, at=later).start_at == from_utc + timedelta(days=1)


@pytest.mark.parametrize("error", [-86400.0, 86400.0])
def test_a_clock_that_is_wrong_does_no_harm(sandbox: Sandbox, client: MailUpClient, error: float) -> None:
    sandbox.configure(clock_error=error)
    source = Source(sandbox)
    client = MailUpClient(source, transport=Transport(timeout=(1, 1), adapter=SandboxAdapter(sandbox)), patience=0)
    job = client.imports.start(list_id=1, recipients=[NewRecipient(email="ada@example.com")])

    assert client.imports.get(import_id=job).completed
    assert source.renewals == 0
    source.current = AccessToken("garbage")
    assert client.account.info().uid == "4321"
    assert source.renewals == 1


NOW = 1_900_000_000.0


def read_all(sandbox: Sandbox) -> list[Any]:
    """Fill an account, and return what a client reads of it."""
    transport = Transport(timeout=(1, 1), adapter=SandboxAdapter(sandbox))
    client = MailUpClient(Source(sandbox), transport=transport, patience=0)
    for number in range(5):
        client.recipients.add_to_group(group_id=9, email=f"{number}@example.com", fields={1: "0039", 2: "Rome"})
    client.recipients.unsubscribe(list_id=1, recipient_id=1)
    tag = client.tags.create(list_id=1, name="promo").id
    message = client.messages.create(list_id=1, subject="S", content="C", tag_ids=[tag]).id
    client.sendings.to_list(list_id=1, message_id=message)
    trusted = client.trusted_senders.register(email="ada@fornaio.example")
    client.imports.start_in_group(group_id=9, recipients=[NewRecipient(email="bo@example.com")])
    return [
        client.account.info(), client.account.details(), list(client.lists.all()), list(client.lists.detailed()),
        client.lists.time_zones(), client.lists.countries(), list(client.groups.all(list_id=1)),
        list(client.fields.all()), list(client.recipients.subscribed(list_id=1)),
        list(client.recipients.opt_ins(list_id=1)), list(client.groups.recipients(group_id=9)),
        client.recipients.find(email="1@example.com"), client.recipients.standing(email="1@example.com"),
        client.messages.get(list_id=1, message_id=message), list(client.tags.all(list_id=1)), trusted,
        list(client.messages.send_history(list_id=1, message_id=message)), list(client.imports.all()),
        client.smtp_users.priorities(), client.statistics.message_views_count(message_id=message),
        list(client.templates.all(list_id=1)),
    ]  # fmt: skip


@pytest.mark.parametrize("worse", [{}, {"totals": "zero"}, {"totals": "high", "max_page_size": 2}])
def test_records_are_equal_however_unkind_the_answers(worse: dict[str, Any]) -> None:
    kind = Sandbox(Options(rate_limit=0), clock=lambda: NOW)
    unkind = Sandbox(Options.unkind(rate_limit=0, clock_error=7200.0, **worse), clock=lambda: NOW - 7200)

    assert read_all(unkind) == read_all(kind)
