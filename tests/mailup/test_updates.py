"""Updates: what is left out stays, whatever MailUp does with it; what can't be kept is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from django_mailup.exceptions import NotFound
from django_mailup.mailup import MailUpClient, Sender
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

from .plain import plain

SENDER = Sender(
    owner_email="bo@fornaio.example", reply_to="re@fornaio.example", name="Bo", company="Bakery", contact="Bo",
    address="Via Roma 2", city="Torino", country_code="IT", permission_reminder="You asked", website="https://x.example",
)  # fmt: skip


@pytest.fixture(params=["replace", "keep"], autouse=True)
def updates(request: pytest.FixtureRequest, sandbox: Sandbox) -> None:
    """What MailUp does with what an update leaves out, which nobody knows."""
    sandbox.configure(updates=request.param)


def test_a_protected_group_stays_protected(client: MailUpClient) -> None:
    client.groups.update(list_id=1, group_id=11, notes="Ours")
    client.groups.update(list_id=1, group_id=11, name="Testers")
    (group,) = client.groups.all(list_id=1, where="[idGroup==11]")

    assert (group.name, group.notes, group.deletable) == ("Testers", "Ours", False)
    assert client.groups.update(list_id=1, group_id=10, deletable=False).notes == "Shops and restaurants"
    assert client.groups.update(list_id=1, group_id=11, notes="", deletable=True).deletable is True


def test_a_message_keeps_all_that_is_not_named(client: MailUpClient) -> None:
    tag = client.tags.create(list_id=1, name="promo").id
    message = client.messages.create(
        list_id=1, subject="S", content="C", notes="N", merge_fields=True, is_confirmation=True, embed_images=True,
        track=False, tag_ids=[tag],
    )  # fmt: skip
    before = plain(client.messages.get(list_id=1, message_id=message.id).raw)
    client.messages.update(list_id=1, message_id=message.id, subject="T")
    after = plain(client.messages.get(list_id=1, message_id=message.id).raw)

    assert after == {**before, "subject": "T"}
    client.messages.update(list_id=1, message_id=message.id, track=True, tag_ids=[], merge_fields=False, content="D")
    after = plain(client.messages.get(list_id=1, message_id=message.id).raw)
    assert (after["trackinginfo"]["enabled"], after["tags"], after["usedynamicfield"]) == (True, [], False)
    assert (after["content"], after["notes"], after["isconfirmation"], after["embed"]) == ("D", "N", True, True)


def test_tracking_keeps_what_else_is_set_for_it(client: MailUpClient, sandbox: Sandbox) -> None:
    message = client.messages.create(list_id=1, subject="S", content="C")
    body = sandbox.state.users["m12345"].account.messages[message.id].body
    body["TrackingInfo"] = {"Enabled": True, "Protocols": ["https:"], "CustomParams": "utm=1"}
    client.messages.update(list_id=1, message_id=message.id, track=False)

    assert sandbox.state.users["m12345"].account.messages[message.id].body["TrackingInfo"] == {
        "Enabled": False,
        "Protocols": ["https:"],
        "CustomParams": "utm=1",
    }


def test_a_text_message_keeps_all_that_is_not_named(client: MailUpClient) -> None:
    made = client.sms.create(list_id=1, subject="S", content="C", notes="N")
    client.sms.update(list_id=1, message_id=made.id, content="D")
    found = client.sms.get(list_id=1, message_id=made.id)

    assert (found.subject, found.content, found.notes) == ("S", "D", "N")


def test_a_tag_keeps_all_that_is_not_named(client: MailUpClient) -> None:
    tag = client.tags.create(list_id=1, name="promo")
    client.tags.update(list_id=1, tag_id=tag.id, enabled=False)
    client.tags.update(list_id=1, tag_id=tag.id, name="sale")
    (found,) = client.tags.all(list_id=1)

    assert (found.name, found.enabled) == ("sale", False)


def test_a_list_keeps_all_that_is_not_named(client: MailUpClient) -> None:
    client.lists.update(list_id=2, settings={"TimeZoneCode": "UTC+00:00.0", "Public": True})
    before = plain(client.lists.get(list_id=2).raw)
    client.lists.update(list_id=2, sender=SENDER)
    client.lists.update(list_id=2, name="Bread")
    after = plain(client.lists.get(list_id=2).raw)

    assert after == {**before, "name": "Bread", **plain(SENDER.as_json())}


def test_what_mailup_documents_no_update_of_is_not_sent(
    client: MailUpClient, sandbox: Sandbox, adapter: SandboxAdapter
) -> None:
    sandbox.fail_with("body", status=200, body='{"IdList":2,"ListGuid":"g","Created":"2020","Name":"A","Public":true}')
    client.lists.update(list_id=2, name="B")

    assert json.loads(adapter.requests[-1].body or "") == {"Name": "B", "Public": True}


def test_a_recipient_keeps_all_that_is_not_named(client: MailUpClient) -> None:
    client.recipients.add(list_id=1, email="ada@example.com", name="Ada", fields={1: "Ada", 2: "Lovelace"})
    client.recipients.update(email="ada@example.com", fields={2: "L"})
    found = client.recipients.update(email="ada@example.com", name="A")

    assert (found.name, found.fields[1], found.fields[2]) == ("A", "Ada", "L")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda c: c.messages.update(list_id=1, message_id=1, subject="T", pre_header="P"), "pre_header"),
        (lambda c: c.lists.update(list_id=1, settings={"OptoutType": 1}), "OptoutType"),
    ],
)
def test_what_mailup_does_not_give_back_is_refused_by_name(
    client: MailUpClient, adapter: SandboxAdapter, change: Any, name: str
) -> None:
    assert client.messages.create(list_id=1, subject="S", content="C", pre_header="Hello").id == 1
    adapter.requests.clear()
    with pytest.raises(ValueError, match=f"^{name} can't be changed"):
        change(client)

    assert [each.method for each in adapter.requests] == ["GET"]


def test_what_mailup_gives_back_elsewhere_can_be_changed(client: MailUpClient, sandbox: Sandbox) -> None:
    message = client.messages.create(list_id=1, subject="S", content="C")
    sandbox.fail_with("body", status=200, body='{"idMessage":1,"SUBJECT":"S","Content":"C","PreHeader":"P"}')
    client.messages.update(list_id=1, message_id=message.id, pre_header="Q")

    assert sandbox.state.users["m12345"].account.messages[message.id].body["PreHeader"] == "Q"


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.groups.update(list_id=1, group_id=99, name="x"),
        lambda c: c.tags.update(list_id=1, tag_id=99, name="x"),
        lambda c: c.messages.update(list_id=1, message_id=99, subject="x"),
        lambda c: c.sms.update(list_id=1, message_id=99, subject="x"),
        lambda c: c.lists.update(list_id=99, name="x"),
    ],
    ids=["groups", "tags", "messages", "sms", "lists"],
)
def test_what_is_not_there_is_not_found(client: MailUpClient, adapter: SandboxAdapter, change: Any) -> None:
    with pytest.raises(NotFound):
        change(client)
    assert {each.method for each in adapter.requests} == {"GET"}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda c: c.groups.update(list_id=1, group_id=0, name="x"), "group_id"),
        (lambda c: c.groups.update(list_id=1, group_id=9, name=" "), "name"),
        (lambda c: c.tags.update(list_id=1, tag_id="1", name="x"), "tag_id"),
        (lambda c: c.messages.update(list_id=1, message_id=1, subject=""), "subject"),
        (lambda c: c.sms.update(list_id=1, message_id=1, content=""), "content"),
    ],
)
def test_a_wrong_argument_is_refused_before_a_call_is_spent(
    client: MailUpClient, adapter: SandboxAdapter, change: Any, name: str
) -> None:
    with pytest.raises(ValueError, match=name):
        change(client)
    assert adapter.requests == []
