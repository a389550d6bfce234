"""Every operation against the sandbox: the request that is sent, and the result."""

from __future__ import annotations

import inspect
import json
import pydoc
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from django_mailup.exceptions import Forbidden, NotFound, UnexpectedResponse
from django_mailup.mailup import MailUpClient, NewRecipient, Provisioning, Sender, Source, Trial
from django_mailup.mailup.__main__ import operations
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter
from django_mailup.sandbox.api.lists import DEFAULTS as LIST_DEFAULTS

NOON = datetime(2035, 6, 1, 12, tzinfo=UTC)
SENDER = Sender(
    owner_email="ada@fornaio.example", reply_to="reply@fornaio.example", name="Fornaio", company="Fornaio Rossi",
    contact="Ada", address="Via Roma 1", city="Torino", country_code="IT", permission_reminder="You asked for it",
    website="https://fornaio.example",
)  # fmt: skip
SENDER_JSON = {
    "OwnerEmail": "ada@fornaio.example", "ReplyTo": "reply@fornaio.example", "NLSenderName": "Fornaio",
    "CompanyName": "Fornaio Rossi", "ContactName": "Ada", "Address": "Via Roma 1", "City": "Torino",
    "CountryCode": "IT", "PermissionReminder": "You asked for it", "WebSiteUrl": "https://fornaio.example",
}  # fmt: skip
TRACKING = {"Enabled": True, "Protocols": ["http:", "https:", "ftp:", "news:"], "CustomParams": ""}


@dataclass
class Office:
    """A client, and the ids of the objects in its account."""

    client: MailUpClient
    provisioning: Provisioning
    ada: int = 0
    leo: int = 0
    message: int = 0
    tag: int = 0
    text: int = 0
    job: int = 0
    sending: int = 0
    trusted: str = ""
    sms_sending: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


@pytest.fixture
def office(client: MailUpClient, sandbox: Sandbox, adapter: SandboxAdapter) -> Office:
    """An account whose list 1 has Ada and Leo, and to which a message was sent.

    Ada is subscribed, is in group 9 and has a mobile number. Leo is unsubscribed.
    """
    made = Office(client, Provisioning(sandbox.client_id, sandbox.client_secret, adapter=adapter))
    made.ada = client.recipients.add_to_group(
        group_id=9, email="ada@example.com", name="Ada", fields={1: "Ada"}, mobile_prefix="+39", mobile_number="333"
    )
    made.leo = client.recipients.add(list_id=1, email="leo@example.com")
    client.recipients.unsubscribe(list_id=1, recipient_id=made.leo)
    made.tag = client.tags.create(list_id=1, name="promo").id
    made.message = client.messages.create(list_id=1, subject="News", content="<p>Hi", tag_ids=[made.tag]).id
    client.messages.set_visibility(list_id=1, message_id=made.message, visible=True)
    client.sendings.to_list(list_id=1, message_id=made.message)
    made.text = client.sms.create(list_id=1, subject="Hi", content="Hello").id
    client.sms.to_list(list_id=1, message_id=made.text)
    made.job = client.imports.start(list_id=1, recipients=[NewRecipient(email="bo@example.com")], confirm=True)
    made.sending = client.imports.sending(import_id=made.job) or 0
    client.sms.to_list(list_id=1, message_id=made.text, at=NOON)
    made.sms_sending = next(client.sms.deferred()).id
    client.attachments.add(list_id=1, message_id=made.message, slot=1, name="a.txt", content=b"a")
    client.images.add(name="logo", content=b"png")
    client.images.add_to_list(list_id=1, name="map", content=b"png")
    made.trusted = client.trusted_senders.register(email="ada@fornaio.example").id
    assert list(client.fields.all())
    adapter.requests.clear()
    return made


@dataclass(frozen=True)
class Case:
    """A call, the request that it sends, after so many that read, and a check of its result."""

    call: Callable[[Office], Any]
    path: str
    result: Callable[[Any, Office], bool]
    params: dict[str, str] | None = None
    json: Any = None
    reads: int = 0


def first(of: Callable[[Any, Office], bool]) -> Callable[[Any, Office], bool]:
    """Return a check of the first of several results."""
    return lambda found, office: of(next(iter(found)), office)


def nothing(found: Any, office: Office) -> bool:
    return found is None


def stat(count: int) -> Callable[[Any, Office], bool]:
    return lambda found, office: found == count


PAGE = {"pageNumber": "0", "pageSize": "500"}
BY_RECIPIENT = {**PAGE, "orderby": '"idRecipient asc"'}
BY_MESSAGE = {**PAGE, "orderby": '"idMessage asc"'}
BY_GROUP = {**PAGE, "orderby": '"idGroup asc"'}
WRITTEN = {
    "Subject": "S", "Content": "C", "Notes": "", "Embed": False, "IsConfirmation": False, "Fields": [], "Tags": None,
    "TrackingInfo": TRACKING, "UseDynamicField": True, "PreHeader": "",
}  # fmt: skip
TEXT = {"Subject": "S", "Content": "C", "Notes": "", "idList": 1, "Fields": [], "Tags": []}
BO = NewRecipient(email="bo@example.com", name="Bo", fields={1: "Bo"})
BO_JSON = {"Name": "Bo", "Fields": [{"Id": 1, "Value": "Bo"}], "Email": "bo@example.com"}
PHONE = NewRecipient(name="Cy", mobile_prefix="+39", mobile_number="444")
PHONE_JSON = {"Name": "Cy", "Fields": [], "MobileNumber": "444", "MobilePrefix": "+39"}
IMAGE = {"Base64Data": "cG5n", "Name": "x"}


def is_ada(found: Any, office: Office) -> bool:
    return (found.id, found.email, found.name, found.fields[1]) == (office.ada, "ada@example.com", "Ada", "Ada")


CASES: dict[str, Case] = {
    "account.info": Case(
        lambda o: o.account.info(), "/Console/Authentication/Info", lambda r, o: r.username == "m12345"
    ),
    "account.details": Case(
        lambda o: o.account.details(), "/Console/Authentication/Details", lambda r, o: r.language == "IT"
    ),
    "lists.all": Case(
        lambda o: o.lists.all(), "/Console/User/Lists", first(lambda r, o: (r.id, r.name) == (1, "Newsletter")), PAGE
    ),
    "lists.detailed": Case(
        lambda o: o.lists.detailed(), "/Console/List", first(lambda r, o: r.owner_email == "ada@fornaio.example"), PAGE
    ),
    "lists.get": Case(lambda o: o.lists.get(list_id=2), "/Console/List/2", lambda r, o: r.name == "Recipes"),
    "lists.create": Case(
        lambda o: o.lists.create(name="New", sender=SENDER, settings={"TimeZoneCode": "UTC+01:00.0"}),
        "/Console/List",
        lambda r, o: (r.id, r.name, r.sender_name) == (4, "New", "Fornaio"),
        json={
            "Name": "New",
            "Business": True,
            "Customer": True,
            "Description": "",
            **SENDER_JSON,
            "UseDefaultSettings": True,
            "TimeZoneCode": "UTC+01:00.0",
        },
    ),
    "lists.update": Case(
        lambda o: o.lists.update(list_id=2, name="Bread"),
        "/Console/List/2",
        lambda r, o: r.name == "Bread",
        json={
            **LIST_DEFAULTS,
            "OwnerEmail": "ada@fornaio.example",
            "ReplyTo": "ada@fornaio.example",
            "NLSenderName": "Fornaio Rossi",
            "Description": "One recipe a week",
            "Name": "Bread",
        },
        reads=1,
    ),
    "lists.delete": Case(
        lambda o: o.lists.delete(list_id=3, guid="00000000-0000-4000-8000-004321000003"), "/Console/List/3", nothing
    ),
    "lists.countries": Case(
        lambda o: o.lists.countries(),
        "/Console/List/Countries",
        lambda r, o: (r[-1].code, r[-1].name) == ("IT", "Italy"),
    ),
    "lists.time_zones": Case(
        lambda o: o.lists.time_zones(),
        "/Console/TimeZones",
        lambda r, o: (r[0].code, r[0].offset) == ("UTC+00:00.0", "0:00:00"),
    ),
    "groups.all": Case(
        lambda o: o.groups.all(list_id=1),
        "/Console/List/1/Groups",
        first(lambda r, o: (r.id, r.list_id) == (9, 1)),
        BY_GROUP,
    ),
    "groups.create": Case(
        lambda o: o.groups.create(list_id=1, name="New", notes="n"),
        "/Console/List/1/Group",
        lambda r, o: (r.name, r.notes, r.deletable) == ("New", "n", True),
        json={"Name": "New", "Notes": "n", "Deletable": True},
    ),
    "groups.update": Case(
        lambda o: o.groups.update(list_id=1, group_id=9, name="Old"),
        "/Console/List/1/Group/9",
        lambda r, o: (r.id, r.name) == (9, "Old"),
        json={"Name": "Old", "Notes": "", "Deletable": True},
        reads=1,
    ),
    "groups.delete": Case(lambda o: o.groups.delete(list_id=1, group_id=9), "/Console/List/1/Group/9", nothing),
    "groups.clear": Case(
        lambda o: o.groups.clear(list_id=1, group_id=9), "/Console/List/1/Group/9/Recipients", lambda r, o: r == 1
    ),
    "groups.of_recipient": Case(
        lambda o: o.groups.of_recipient(list_id=1, recipient_id=o.ada),
        "/Console/List/1/Recipient/{ada}/Groups",
        first(lambda r, o: r.id == 9),
        BY_GROUP,
    ),
    "groups.recipients": Case(
        lambda o: o.groups.recipients(group_id=9), "/Console/Group/9/Recipients", first(is_ada), BY_RECIPIENT
    ),
    "groups.subscribe": Case(
        lambda o: o.groups.subscribe(group_id=10, recipient_id=o.leo, to_list=False),
        "/Console/Group/10/Subscribe/{leo}",
        nothing,
        {"confirmSubscription": "false"},
    ),
    "groups.unsubscribe": Case(
        lambda o: o.groups.unsubscribe(group_id=9, recipient_id=o.ada), "/Console/Group/9/Unsubscribe/{ada}", nothing
    ),
    "fields.all": Case(
        lambda o: list(o.fields.all()),
        "/Console/Recipient/DynamicFields",
        lambda r, o: (r[0].id, r[0].name, len(r)) == (1, "FirstName", 27),
        {**PAGE, "orderby": '"Id asc"'},
    ),
    "recipients.subscribed": Case(
        lambda o: o.recipients.subscribed(list_id=1, group_id=9),
        "/Console/List/1/Recipients/Subscribed",
        first(is_ada),
        {**BY_RECIPIENT, "Groups": "9"},
    ),
    "recipients.unsubscribed": Case(
        lambda o: o.recipients.unsubscribed(list_id=1),
        "/Console/List/1/Recipients/Unsubscribed",
        first(lambda r, o: r.id == o.leo),
        BY_RECIPIENT,
    ),
    "recipients.pending": Case(
        lambda o: o.recipients.pending(list_id=1),
        "/Console/List/1/Recipients/Pending",
        first(lambda r, o: r.email == "bo@example.com"),
        BY_RECIPIENT,
    ),
    "recipients.opt_ins": Case(
        lambda o: list(o.recipients.opt_ins(list_id=1)),
        "/Console/List/1/Recipients/EmailOptins",
        lambda r, o: (
            [(each.status, each.opted_out_at is None) for each in r]
            == [("OPTIN", True), ("OPTOUT", False), ("PENDING", True)]
        ),
        BY_RECIPIENT,
    ),
    "recipients.search": Case(
        lambda o: o.recipients.search(email="ADA@example.com"),
        "/Console/Recipients",
        first(is_ada),
        {"email": '"ADA@example.com"', **PAGE},
    ),
    "recipients.get": Case(lambda o: o.recipients.get(recipient_id=o.ada), "/Console/Recipients/{ada}", is_ada),
    "recipients.add": Case(
        lambda o: o.recipients.add(list_id=1, email=" bo+x@example.com ", name="Bo", fields={1: "Bo"}, confirm=True),
        "/Console/List/1/Recipient",
        lambda r, o: o.recipients.get(recipient_id=r).email == "bo+x@example.com",
        {"ConfirmEmail": "true"},
        {**BO_JSON, "Email": "bo+x@example.com"},
    ),
    "recipients.add_to_group": Case(
        lambda o: o.recipients.add_to_group(group_id=10, email="bo@example.com", name="Bo", fields={1: "Bo"}),
        "/Console/Group/10/Recipient",
        lambda r, o: next(o.groups.recipients(group_id=10)).id == r,
        json=BO_JSON,
    ),
    "recipients.update": Case(
        lambda o: o.recipients.update(email="ada@example.com", fields={2: "L"}),
        "/Console/Recipient/Detail",
        lambda r, o: is_ada(r, o) and r.fields[2] == "L",
        json={"Email": "ada@example.com", "Fields": [{"Id": 2, "Value": "L"}]},
    ),
    "recipients.subscribe": Case(
        lambda o: o.recipients.subscribe(list_id=1, recipient_id=o.leo),
        "/Console/List/1/Subscribe/{leo}",
        lambda r, o: r is None and o.recipients.standing(email="leo@example.com")[1].status == "OPTIN",
    ),
    "recipients.unsubscribe": Case(
        lambda o: o.recipients.unsubscribe(list_id=1, recipient_id=o.ada),
        "/Console/List/1/Unsubscribe/{ada}",
        lambda r, o: r is None and o.recipients.standing(email="ada@example.com")[1].status == "OPTOUT",
    ),
    "recipients.remove": Case(
        lambda o: o.recipients.remove(list_id=1, recipient_id=o.ada),
        "/Console/List/1/Recipient/{ada}",
        lambda r, o: r is None and o.recipients.get(recipient_id=o.ada).id == o.ada,
    ),
    "recipients.delete": Case(
        lambda o: o.recipients.delete(recipient_id=o.ada),
        "/Console/Recipients/{ada}",
        lambda r, o: r is None and o.recipients.search(email="ada@example.com") == [],
    ),
    "imports.start": Case(
        lambda o: o.imports.start(
            list_id=1, recipients=[BO], as_="asOptin", ignore_mobile=True, clear_missing_fields=True
        ),
        "/Console/List/1/Recipients",
        lambda r, o: o.imports.get(import_id=r).valid == 1,
        {"importType": "asOptin", "ignoreMobile": "true", "clearMissingOrEmptyFields": "true"},
        [BO_JSON],
    ),
    "imports.start_in_group": Case(
        lambda o: o.imports.start_in_group(group_id=10, recipients=[BO], confirm=True, leave_other_groups=True),
        "/Console/Group/10/Recipients",
        lambda r, o: o.imports.details(import_id=r).group_ids == (10,),
        {"ConfirmEmail": "true", "removeFromPrevGroups": "true"},
        [BO_JSON],
    ),
    "imports.get": Case(
        lambda o: o.imports.get(import_id=o.job),
        "/Console/Import/{job}",
        lambda r, o: (r.id, r.completed, r.valid, r.created, r.not_valid) == (o.job, True, 1, 1, 0),
    ),
    "imports.sending": Case(
        lambda o: o.imports.sending(import_id=o.job), "/Console/Import/{job}/Sending", lambda r, o: r == o.sending
    ),
    "imports.all": Case(lambda o: o.imports.all(), "/Console/Imports", first(lambda r, o: r.id == o.job), PAGE),
    "imports.details": Case(
        lambda o: o.imports.details(import_id=o.job),
        "/Console/Imports/{job}",
        lambda r, o: (r.list_id, r.status_code) == (1, 2) and r.ended_at is not None,
    ),
    "messages.all": Case(
        lambda o: o.messages.all(list_id=1, tags=["promo", "x"]),
        "/Console/List/1/Emails",
        first(lambda r, o: (r.id, r.subject, r.last_sent_at) == (o.message, "News", None)),
        {**BY_MESSAGE, "tags": "promo,x"},
    ),
    "messages.everywhere": Case(
        lambda o: o.messages.everywhere(), "/Console/User/Emails", first(lambda r, o: r.list_id == 1), BY_MESSAGE
    ),
    "messages.online": Case(
        lambda o: o.messages.online(list_id=1),
        "/Console/List/1/Online/Emails",
        first(lambda r, o: r.last_sent_at is not None and r.url != ""),
        BY_MESSAGE,
    ),
    "messages.archived": Case(
        lambda o: o.messages.archived(list_id=1),
        "/Console/List/1/Archived/Emails",
        first(lambda r, o: r.id == o.message),
        BY_MESSAGE,
    ),
    "messages.get": Case(
        lambda o: o.messages.get(list_id=1, message_id=o.message),
        "/Console/List/1/Email/{message}",
        lambda r, o: (r.content, r.tag_ids, r.is_confirmation) == ("<p>Hi", (o.tag,), False),
    ),
    "messages.create": Case(
        lambda o: o.messages.create(list_id=1, subject="S", content="C"),
        "/Console/List/1/Email",
        lambda r, o: r.subject == "S" and r.created_at is not None,
        json=WRITTEN,
    ),
    "messages.update": Case(
        lambda o: o.messages.update(list_id=1, message_id=o.message, subject="S", content="C"),
        "/Console/List/1/Email/{message}",
        lambda r, o: (r.id, r.subject) == (o.message, "S"),
        json={
            **{name: value for name, value in WRITTEN.items() if name != "PreHeader"},
            "idMessage": "{message}",
            "Tags": [{"Id": "{tag}", "Enabled": True, "Name": ""}],
        },
        reads=1,
    ),
    "messages.delete": Case(
        lambda o: o.messages.delete(list_id=1, message_id=o.message),
        "/Console/List/1/Email/{message}",
        lambda r, o: r is None and list(o.messages.all(list_id=1)) == [],
    ),
    "messages.clone": Case(
        lambda o: o.messages.clone(list_id=1, message_id=o.message),
        "/Console/List/1/Email/{message}",
        lambda r, o: (
            (r.id != o.message, r.subject, o.messages.get(list_id=1, message_id=r.id).content)
            == (True, "News", "<p>Hi")
        ),
    ),
    "messages.create_from_template": Case(
        lambda o: o.messages.create_from_template(list_id=1, template_id=2),
        "/Console/List/1/Email/Template/2",
        lambda r, o: r.subject == "News of the month",
    ),
    "messages.enable_merge_fields": Case(
        lambda o: o.messages.enable_merge_fields(list_id=1, message_id=o.message),
        "/Console/List/1/Email/{message}/EnableDynamicFields/true",
        nothing,
    ),
    "messages.disable_merge_fields": Case(
        lambda o: o.messages.disable_merge_fields(list_id=1, message_id=o.message),
        "/Console/List/1/Email/{message}/EnableDynamicFields/false",
        lambda r, o: o.messages.get(list_id=1, message_id=o.message).raw["UseDynamicField"] is False,
    ),
    "messages.set_visibility": Case(
        lambda o: o.messages.set_visibility(list_id=1, message_id=o.message, visible=False),
        "/Console/List/1/Email/{message}/Online/Visibility",
        lambda r, o: list(o.messages.online(list_id=1)) == [],
        json=False,
    ),
    "messages.send_history": Case(
        lambda o: o.messages.send_history(list_id=1, message_id=o.message),
        "/Console/List/1/Email/{message}/SendHistory",
        first(lambda r, o: (r.message_id, r.recipients) == (o.message, 1) and r.started_at is not None),
        PAGE,
    ),
    "templates.all": Case(
        lambda o: o.templates.all(list_id=1),
        "/Console/List/1/Templates",
        first(lambda r, o: r.title == "Welcome"),
        PAGE,
    ),
    "templates.get": Case(
        lambda o: o.templates.get(list_id=1, template_id=1),
        "/Console/List/1/Templates/1",
        lambda r, o: (r.id, r.content) == (1, "<h1>Welcome</h1>"),
    ),
    "tags.all": Case(
        lambda o: o.tags.all(list_id=1), "/Console/List/1/Tags", first(lambda r, o: r.name == "promo"), PAGE
    ),
    "tags.create": Case(
        lambda o: o.tags.create(list_id=1, name="new"),
        "/Console/List/1/Tag",
        lambda r, o: (r.name, r.enabled) == ("new", True),
        json="new",
    ),
    "tags.update": Case(
        lambda o: o.tags.update(list_id=1, tag_id=o.tag, enabled=False),
        "/Console/List/1/Tag/{tag}",
        lambda r, o: (r.id, r.name, r.enabled) == (o.tag, "promo", False),
        json={"Id": "{tag}", "Name": "promo", "Enabled": False},
        reads=1,
    ),
    "tags.delete": Case(
        lambda o: o.tags.delete(list_id=1, tag_id=o.tag),
        "/Console/List/1/Tag/{tag}",
        lambda r, o: list(o.tags.all(list_id=1)) == [],
    ),
    "attachments.all": Case(
        lambda o: o.attachments.all(list_id=1, message_id=o.message),
        "/Console/List/1/Email/{message}/Attachment",
        lambda r, o: [(each.slot, each.name) for each in r] == [(1, "a.txt")],
    ),
    "attachments.add": Case(
        lambda o: o.attachments.add(list_id=1, message_id=o.message, slot=2, name="b.txt", content=b"b" * 100),
        "/Console/List/1/Email/{message}/Attachment/2",
        lambda r, o: [each.slot for each in r] == [1, 2],
        json={"Base64Data": "YmJi" * 33 + "Yg==", "Name": "b.txt", "Slot": 2, "idList": 1, "idMessage": "{message}"},
    ),
    "attachments.delete": Case(
        lambda o: o.attachments.delete(list_id=1, message_id=o.message, slot=1),
        "/Console/List/1/Email/{message}/Attachment/1",
        lambda r, o: r == [],
    ),
    "images.all": Case(
        lambda o: o.images.all(), "/Console/Images", lambda r, o: r == ["https://sandbox.example/images/0/logo"]
    ),
    "images.of_list": Case(
        lambda o: o.images.of_list(list_id=1),
        "/Console/List/1/Images",
        lambda r, o: r == ["https://sandbox.example/images/1/map"],
    ),
    "images.add": Case(
        lambda o: o.images.add(name="x", content=b"png"), "/Console/Images", lambda r, o: len(r) == 2, json=IMAGE
    ),
    "images.add_to_list": Case(
        lambda o: o.images.add_to_list(list_id=1, name="x", content=b"png"),
        "/Console/List/1/Images",
        lambda r, o: len(r) == 2,
        json=IMAGE,
    ),
    "images.delete": Case(
        lambda o: o.images.delete(url="https://sandbox.example/images/0/logo"),
        "/Console/Images",
        lambda r, o: o.images.all() == [],
        json="https://sandbox.example/images/0/logo",
    ),
    "sendings.to_list": Case(
        lambda o: o.sendings.to_list(
            list_id=1, message_id=o.message, at=NOON, sender_name="Ada", sender_email="ada@example.com"
        ),
        "/Console/List/1/Email/{message}/Send",
        lambda r, o: (r.message_id, r.sent) == (o.message, 1) and r.sending_id,
        {"datetime": '"2035-06-01 12:00:00Z"', "SenderName": "Ada", "SenderAddress": "ada@example.com"},
    ),
    "sendings.to_group": Case(
        lambda o: o.sendings.to_group(group_id=9, message_id=o.message),
        "/Console/Group/9/Email/{message}/Send",
        lambda r, o: r.sent == 1,
    ),
    "sendings.to_recipient": Case(
        lambda o: o.sendings.to_recipient(email="zoe@example.com", message_id=o.message, fields={1: "Z"}),
        "/Console/Email/Send",
        lambda r, o: (r.sent, r.invalid_recipients) == (1, ()),
        json={"Email": "zoe@example.com", "idMessage": "{message}", "Fields": [{"Id": 1, "Value": "Z"}]},
    ),
    "sendings.immediate": Case(
        lambda o: list(o.sendings.immediate()), "/Console/Email/Sendings/Immediate", lambda r, o: r == [], PAGE
    ),
    "sendings.deferred": Case(
        lambda o: list(o.sendings.deferred()), "/Console/Email/Sendings/Deferred", lambda r, o: r == [], PAGE
    ),
    "sendings.undefined": Case(
        lambda o: o.sendings.undefined(),
        "/Console/Email/Sendings/Undefined",
        first(lambda r, o: (r.id, r.start_at, r.list_id) == (o.sending, None, 1)),
        PAGE,
    ),
    "sendings.start_now": Case(
        lambda o: o.sendings.start_now(sending_id=o.sending),
        "/Console/Email/Sendings/{sending}/Immediate",
        lambda r, o: (r.id, r.state) == (o.sending, "done"),
    ),
    "sendings.earliest": Case(
        lambda o: o.sendings.earliest(sending_id=o.sending),
        "/Console/Email/Sendings/{sending}/Deferred",
        lambda r, o: r.tzinfo is not None,
    ),
    "sendings.schedule": Case(
        lambda o: o.sendings.schedule(sending_id=o.sending, at=NOON),
        "/Console/Email/Sendings/{sending}/Deferred",
        lambda r, o: r.start_at == NOON and next(o.sendings.deferred()).id == o.sending,
        json={"Date": "2035-06-01 12:00:00Z"},
    ),
    "sms.import_to_list": Case(
        lambda o: o.sms.import_to_list(list_id=1, recipients=[PHONE], clear_missing_fields=True),
        "/Console/Sms/List/1/Recipients",
        lambda r, o: o.imports.get(import_id=r).created == 1,
        {"clearMissingOrEmptyFields": "true"},
        [PHONE_JSON],
    ),
    "sms.import_to_group": Case(
        lambda o: o.sms.import_to_group(group_id=9, recipients=[PHONE], leave_other_groups=True),
        "/Console/Sms/Group/9/Recipients",
        lambda r, o: o.imports.get(import_id=r).created == 1,
        {"removeFromPrevGroups": "true"},
        [PHONE_JSON],
    ),
    "sms.subscribed": Case(
        lambda o: o.sms.subscribed(list_id=1),
        "/Console/Sms/List/1/Recipients/Subscribed",
        first(lambda r, o: (r.mobile_prefix, r.mobile_number) == ("+39", "333")),
        BY_RECIPIENT,
    ),
    "sms.unsubscribed": Case(
        lambda o: list(o.sms.unsubscribed(list_id=1)),
        "/Console/Sms/List/1/Recipients/Unsubscribed",
        lambda r, o: r == [],
        BY_RECIPIENT,
    ),
    "sms.pending": Case(
        lambda o: list(o.sms.pending(list_id=1)),
        "/Console/Sms/List/1/Recipients/Pending",
        lambda r, o: r == [],
        BY_RECIPIENT,
    ),
    "sms.opt_ins": Case(
        lambda o: o.sms.opt_ins(list_id=1),
        "/Console/Sms/List/1/Recipients/SmsOptins",
        first(lambda r, o: (r.recipient_id, r.status) == (o.ada, "OPTIN")),
        BY_RECIPIENT,
    ),
    "sms.create": Case(
        lambda o: o.sms.create(list_id=1, subject="S", content="C"),
        "/Console/Sms/List/1/Message",
        lambda r, o: (r.subject, r.content) == ("S", "C"),
        json=TEXT,
    ),
    "sms.all": Case(
        lambda o: o.sms.all(list_id=1), "/Console/Sms/List/1/Messages", first(lambda r, o: r.id == o.text), PAGE
    ),
    "sms.get": Case(
        lambda o: o.sms.get(list_id=1, message_id=o.text),
        "/Console/Sms/List/1/Message/{text}",
        lambda r, o: r.content == "Hello",
    ),
    "sms.update": Case(
        lambda o: o.sms.update(list_id=1, message_id=o.text, subject="S", content="C"),
        "/Console/Sms/List/1/Message/{text}",
        lambda r, o: (r.id, r.content) == (o.text, "C"),
        json={**TEXT, "Sender": ""},
        reads=1,
    ),
    "sendings.cancel": Case(
        lambda o: o.sendings.cancel(sending_id=o.sending),
        "/Console/Email/Sendings/{sending}",
        lambda r, o: r is None and list(o.sendings.undefined()) == [],
    ),
    "sendings.stop": Case(
        lambda o: o.sendings.stop(sending_id=o.sending), "/Console/Email/Sendings/{sending}/Stop", nothing
    ),
    "sms.to_list": Case(
        lambda o: o.sms.to_list(list_id=1, message_id=o.text, at=NOON, sender_number="Fornaio"),
        "/Console/Sms/List/1/Message/{text}/Send",
        lambda r, o: (r.sent, r.sending_id) == (1, None),
        {"datetime": '"2035-06-01 12:00:00Z"', "senderNumber": "Fornaio"},
    ),
    "sms.to_group": Case(
        lambda o: o.sms.to_group(group_id=9, message_id=o.text, sender_prefix="+39", sender_number="3331234567890"),
        "/Console/Sms/Group/9/Message/{text}/Send",
        lambda r, o: r.sent == 1,
        {"senderPrefix": "+39", "senderNumber": "3331234567890"},
    ),
    "sms.to_number": Case(
        lambda o: o.sms.to_number(prefix="+39", number="555", message_id=o.text),
        "/Console/Sms/Send",
        lambda r, o: r.sent == 1,
        json={"Number": "555", "Prefix": "+39", "idMessage": "{text}", "Fields": []},
    ),
    "sms.immediate": Case(
        lambda o: list(o.sms.immediate()), "/Console/Sms/Sendings/Immediate", lambda r, o: r == [], PAGE
    ),
    "sms.deferred": Case(
        lambda o: o.sms.deferred(),
        "/Console/Sms/Sendings/Deferred",
        first(lambda r, o: (r.id, r.start_at) == (o.sms_sending, NOON)),
        PAGE,
    ),
    "sms.undefined": Case(
        lambda o: list(o.sms.undefined()), "/Console/Sms/Sendings/Undefined", lambda r, o: r == [], PAGE
    ),
    "sms.start_now": Case(
        lambda o: o.sms.start_now(sending_id=o.sms_sending),
        "/Console/Sms/Sendings/{sms_sending}/Immediate",
        lambda r, o: r.state == "done",
    ),
    "sms.earliest": Case(
        lambda o: o.sms.earliest(sending_id=o.sms_sending),
        "/Console/Sms/Sending/{sms_sending}/Deferred",
        lambda r, o: r.tzinfo is not None,
    ),
    "sms.schedule": Case(
        lambda o: o.sms.schedule(sending_id=o.sms_sending, at=NOON.replace(hour=13)),
        "/Console/Sms/Sendings/{sms_sending}/Deferred",
        lambda r, o: r.start_at == NOON.replace(hour=13),
        json={"Date": "2035-06-01 13:00:00Z"},
    ),
    "sms.report": Case(
        lambda o: o.sms.report(message_id=o.text), "/Console/Sms/{text}/Sendings/Report", lambda r, o: r["Sent"] == 1
    ),
    "sms.report_details": Case(
        lambda o: o.sms.report_details(message_id=o.text),
        "/Console/Sms/{text}/Sendings/ReportDetails",
        lambda r, o: [(each.receiver, each.status, each.error_code) for each in r] == [("39333", 0, "")],
        PAGE,
    ),
    "sms.delete": Case(
        lambda o: o.sms.delete(list_id=1, message_id=o.text),
        "/Console/Sms/List/1/Message/{text}",
        lambda r, o: r is None and list(o.sms.all(list_id=1)) == [],
    ),
    "trusted_senders.register": Case(
        lambda o: o.trusted_senders.register(email="x@example.com"),
        "/Console/TrustedSenders",
        lambda r, o: (r.email, r.confirmed) == ("x@example.com", False),
        json={"Email": "x@example.com"},
    ),
    "trusted_senders.all": Case(
        lambda o: o.trusted_senders.all(),
        "/Console/TrustedSenders",
        first(lambda r, o: r.email == "ada@fornaio.example"),
        PAGE,
    ),
    "trusted_senders.get": Case(
        lambda o: o.trusted_senders.get(trusted_sender_id=o.trusted),
        "/Console/TrustedSenders/{trusted}",
        lambda r, o: (r.email, r.confirmed, r.blocked) == ("ada@fornaio.example", False, False),
    ),
    "trusted_senders.delete": Case(
        lambda o: o.trusted_senders.delete(trusted_sender_id=o.trusted),
        "/Console/TrustedSenders/{trusted}",
        lambda r, o: r is None and list(o.trusted_senders.all()) == [],
    ),
    "smtp_users.priorities": Case(
        lambda o: o.smtp_users.priorities(),
        "/Console/SmtpPlusPriorities",
        lambda r, o: [each.code for each in r] == [1, 2, 3, 4, 5],
    ),
    "smtp_users.create": Case(
        lambda o: o.smtp_users.create(list_id=1, priority=2, note="n", trusted_domains=["x.com"]),
        "/Console/List/1/SmtpPlus",
        lambda r, o: (
            (r.username.startswith("s4321_"), r.password, r.port, r.priority, r.trusted_domains)
            == (True, "sandbox", 587, 2, ("x.com",))
        ),
        json={"IsEnabled": True, "Note": "n", "PriorityCode": 2, "TrustedDomains": ["x.com"], "TrustedSenders": []},
    ),
    "provisioning.activate_trial": Case(
        lambda o: o.provisioning.activate_trial(
            name="Ada", company="F", email="a@example.com", phone="1", ip_address="127.0.0.1", newsletter=True
        ),
        "/Console/TrialActivation",
        lambda r, o: (r.id, r.hash) == ("1", "hash-1"),
        json={
            "NameAndSurname": "Ada",
            "Company": "F",
            "Email": "a@example.com",
            "PhoneNumber": "1",
            "Language": "IT",
            "IpAddress": "127.0.0.1",
            "IsUSA": False,
            "RegisterToNewsletter": True,
        },
    ),
    "provisioning.trial_status": Case(
        lambda o: o.provisioning.trial_status(trial=Trial(id="1", hash="hash-1", raw={})),
        "/Console/TrialActivationStatus",
        lambda r, o: (r.code, r.is_done) == (5, False),
        json={"Id": "1", "Hash": "hash-1"},
    ),
}

for _kind, _path in {
    "recipients": "Recipients", "views": "Views", "clicks": "Clicks", "bounces": "Bounces",
    "unsubscriptions": "Unsubscriptions", "url_clicks": "UrlClicks",
}.items():  # fmt: skip
    CASES[f"statistics.message_{_kind}"] = Case(
        lambda o, kind=_kind: list(getattr(o.statistics, f"message_{kind}")(message_id=o.message)),
        f"/Message/{{message}}/List/{_path}",
        lambda r, o, kind=_kind: (
            (kind == "url_clicks" and all(each.url and each.count for each in r))
            or [each.email for each in r] == ["ada@example.com"][: len(r)]
        ),
        PAGE,
    )
    CASES[f"statistics.message_{_kind}_count"] = Case(
        lambda o, kind=_kind: getattr(o.statistics, f"message_{kind}_count")(message_id=o.message),
        f"/Message/{{message}}/Count/{_path}",
        lambda r, o, kind=_kind: r == len(list(getattr(o.statistics, f"message_{kind}")(message_id=o.message))),
    )
for _kind, _path in {
    "deliveries": "Deliveries", "views": "Views", "clicks": "Clicks", "bounces": "Bounces",
    "unsubscriptions": "Unsubscriptions",
}.items():  # fmt: skip
    CASES[f"statistics.recipient_{_kind}"] = Case(
        lambda o, kind=_kind: list(getattr(o.statistics, f"recipient_{kind}")(recipient_id=o.ada)),
        f"/Recipient/{{ada}}/List/{_path}",
        lambda r, o: all((each.message_id, each.subject, each.list_id) == (o.message, "News", 1) for each in r),
        PAGE,
    )
    CASES[f"statistics.recipient_{_kind}_count"] = Case(
        lambda o, kind=_kind: getattr(o.statistics, f"recipient_{kind}_count")(recipient_id=o.ada),
        f"/Recipient/{{ada}}/Count/{_path}",
        lambda r, o, kind=_kind: r == len(list(getattr(o.statistics, f"recipient_{kind}")(recipient_id=o.ada))),
    )
for _name, _owner, _path in (
    ("message_url_click_details", "message", "/Message/{message}/List/UrlClickDetails"),
    ("recipient_click_details", "recipient", "/Recipient/{ada}/List/ClicksDetails"),
    ("recipient_bounce_details", "recipient", "/Recipient/{ada}/List/BouncesDetails"),
):
    CASES[f"statistics.{_name}"] = Case(
        lambda o, name=_name, owner=_owner: list(
            getattr(o.statistics, name)(**{f"{owner}_id": o.message if owner == "message" else o.ada})
        ),
        _path,
        lambda r, o: all(each.raw for each in r),
        PAGE,
    )


def filled(value: Any, office: Office) -> Any:
    """Return a path or a body with the office's ids in place of their names in braces, such as `{ada}`."""
    if isinstance(value, dict):
        return {key: filled(each, office) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, office) for each in value]
    if not isinstance(value, str) or "{" not in value:
        return value
    text = value
    for name in ("ada", "leo", "message", "tag", "text", "job", "sms_sending", "sending", "trusted"):
        text = text.replace(f"{{{name}}}", str(getattr(office, name)))
    return int(text) if value.startswith("{") and value.endswith("}") else text


TOO_UNKIND = {
    "fields.all": {"max_page_size": 500},  # there is more than one page of fields
    "recipients.search": {"addresses": "ignore_case"},  # else there is a second call, in lower case
    "lists.update": {"numbers": "number"},  # what MailUp gives is sent back as it is
    "messages.update": {"numbers": "number"},
    "messages.disable_merge_fields": {"names": "documented"},  # reads the original
    "sms.report": {"names": "documented", "numbers": "number"},  # the answer is given as it is
}
"""Options of the sandbox that a case can't do with."""
KNOWN = {each.name: each for each in operations()}


def test_every_known_operation_has_a_case() -> None:
    assert set(CASES) == set(KNOWN)


@pytest.mark.parametrize("name", sorted(CASES))
def test_request_and_result(name: str, office: Office, sandbox: Sandbox, adapter: SandboxAdapter) -> None:
    case, operation = CASES[name], KNOWN[name]
    sandbox.configure(**TOO_UNKIND.get(name, {}))
    if name == "provisioning.trial_status":
        CASES["provisioning.activate_trial"].call(office)
        adapter.requests.clear()
    found = case.call(office)
    if isinstance(found, Iterator):
        found = list(found)
    assert [each.method for each in adapter.requests[: case.reads]] == ["GET"] * case.reads
    sent = adapter.requests[case.reads]

    service = "MailStatistics" if name.startswith("statistics.") else "Console"
    service = "Public" if name.startswith("provisioning.") else service
    url = urlsplit(sent.url or "")
    assert (sent.method, url.path) == (
        operation.verb,
        f"/API/v1.1/Rest/{service}Service.svc{filled(case.path, office)}",
    )
    assert {key: values[0] for key, values in parse_qs(url.query).items()} == (case.params or {})
    assert _json(sent) == filled(case.json, office)
    assert len(adapter.requests) == case.reads + 1
    assert case.result(found, office)


def _json(request: requests.PreparedRequest) -> Any:
    return json.loads(request.body) if request.body else None


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_each_operation_is_a_method_with_a_docstring_that_tells_its_path(name: str, office: Office) -> None:
    resource, method = name.split(".")
    documentation = " ".join((getattr(getattr(office, resource), method).__doc__ or "").split())

    assert documentation
    ending = KNOWN[name].path.rsplit("/", 1)[-1]
    assert KNOWN[name].path in documentation or f"/{ending}`" in documentation


@pytest.mark.parametrize("name", sorted(set(KNOWN) - {"provisioning.activate_trial", "provisioning.trial_status"}))
def test_a_method_says_its_path_and_source_and_takes_the_options_of_a_call(name: str, office: Office) -> None:
    resource, method = name.split(".")
    function = getattr(type(getattr(office, resource)), method)
    parameters = inspect.signature(function).parameters
    documentation = pydoc.render_doc(type(getattr(office, resource)), renderer=pydoc.plaintext)

    assert function.__doc__.endswith(f"`{KNOWN[name].verb} {KNOWN[name].path}` ({KNOWN[name].source.value}).")
    assert {"self", *re.findall(r"\{(\w+)\}", KNOWN[name].path)} <= set(parameters)
    assert list(parameters.values())[-1].kind is inspect.Parameter.VAR_KEYWORD
    assert re.search(rf"\n \|  {method}\([\s|]*self\b", documentation)  # Python 3.13 wraps long signatures
    assert function.__doc__.splitlines()[0] in documentation


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.lists.get(list_id=1, timeuot=1), r"lists.get\(\) got an unexpected keyword argument 'timeuot'"),
        (lambda c: c.lists.get(1), "positional"),
        (lambda c: c.lists.get(), "list_id"),
        (lambda c: c.groups.all(list_id=1, were="x"), "were"),
        (lambda c: c.groups.update(list_id=1, group_id=9, name="x", mane="y"), "mane"),
        (lambda c: c.recipients.add(list_id=1, mail="a@example.com", email="a@example.com"), "mail"),
        (lambda c: c.imports.start(list_id=1, recipients=[BO], leave_other_groups=True), "leave_other_groups"),
        (lambda c: c.recipients.import_many([BO], list_id=1, leave_other_groups=True), "leave_other_groups"),
        (lambda c: c.statistics.message_views(recipient_id=1), "message_id"),
        (lambda c: c.statistics.message_views_count(message_id=1, where="x"), "where"),
    ],
)
def test_an_argument_that_a_method_does_not_have_is_refused_before_a_call_is_spent(
    client: MailUpClient, adapter: SandboxAdapter, call: Callable[[Any], Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        call(client)
    assert adapter.requests == []


def test_headers_of_a_call_go_beside_the_operations_own(client: MailUpClient, adapter: SandboxAdapter) -> None:
    client.lists.delete(list_id=3, guid="00000000-0000-4000-8000-004321000003", headers={"X-Trace": "5"})
    list(client.lists.all(headers={"X-Trace": "6"}))

    sent = [(each.headers.get("If-Match"), each.headers["X-Trace"]) for each in adapter.requests]
    assert sent == [("00000000-0000-4000-8000-004321000003", "5"), (None, "6")]


def test_any_paged_operation_can_be_filtered_and_ordered(client: MailUpClient, adapter: SandboxAdapter) -> None:
    list(client.sendings.deferred(where="[IdList==1]", order=["-Id"], page_size=7))
    list(client.groups.all(list_id=1, order=None))

    queries = [parse_qs(urlsplit(each.url or "").query) for each in adapter.requests]
    assert queries[0] == {
        "filterby": ["[IdList==1]"], "orderby": ['"Id desc"'], "pageNumber": ["0"], "pageSize": ["7"]
    }  # fmt: skip
    assert "orderby" not in queries[1]


@pytest.mark.parametrize(
    "call", [lambda c: c.sms.get(list_id=1, message_id=99), lambda c: list(c.sms.all(list_id=99))], ids=["one", "pages"]
)
def test_an_error_says_which_operation_it_was_and_how_sure_that_is(
    client: MailUpClient, call: Callable[[Any], Any]
) -> None:
    with pytest.raises((NotFound, Forbidden)) as caught:
        call(client)
    (note,) = caught.value.__notes__
    assert re.match(r"sms\.(get|all) is GET /Console/Sms/List/\{list_id\}/", note)
    assert note.endswith(Source.MAILUP_CODE.explanation)


def test_an_answer_that_cannot_be_parsed_says_so_too(client: MailUpClient, sandbox: Sandbox) -> None:
    sandbox.fail_with("body", status=200, body="[]")
    with pytest.raises(UnexpectedResponse) as caught:
        client.tags.create(list_id=1, name="x")
    assert caught.value.__notes__[0].startswith("tags.create is POST /Console/List/{list_id}/Tag. ")


def test_every_source_is_explained() -> None:
    assert {each.source for each in KNOWN.values()} == set(Source)
    assert len({each.explanation for each in Source}) == len(Source)


def test_the_table_is_printed() -> None:
    command = [sys.executable, "-m", "django_mailup.mailup"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    assert printed[-1] == f"{len(KNOWN)} operations"
    assert [line.split(maxsplit=3) for line in printed[:-1]] == [
        [e.name, e.verb, e.path, e.source.value] for e in operations()
    ]
