"""What an account of this MailUp holds: recipients, messages, sendings, and what became of them. Knows no HTTP."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

FIELD_NAMES = [
    "FirstName", "LastName", "Company", "City", "Province", "ZIP", "State", "Region", "Address", "Gender", "Phone",
    "Fax", "PIVA", "CustomerID", "LatestOrderID", "LatestOrderDate", "LatestOrderAmount", "TotalOrders",
    "AverageOrder", "LatestShippedOrderID", "LatestCart", "AbandonedCart", "Birthday", "Language", "Website", "Note",
    "Compleanno",
]  # fmt: skip
"""27 of them, so that one page of MailUp's default size doesn't hold all."""


@dataclass
class Standing:
    """How a recipient stands with a list, in one channel."""

    status: str
    since: float
    requested_at: float | None = None
    left_at: float | None = None


@dataclass
class Person:
    """A recipient of the account. `email` and `sms` are the standings with lists, by list id."""

    id: int
    address: str = ""
    name: str = ""
    prefix: str = ""
    number: str = ""
    fields: dict[int, str] = field(default_factory=dict)
    email: dict[int, Standing] = field(default_factory=dict)
    sms: dict[int, Standing] = field(default_factory=dict)
    groups: set[int] = field(default_factory=set)
    written: tuple[Any, str] | None = field(default=None, repr=False)


@dataclass
class Upload:
    """An import: what was sent, and when it is through."""

    id: int
    list_id: int | None
    group_id: int | None
    channel: str
    rows: list[dict[str, Any]]
    query: dict[str, str]
    begun_at: float
    ends_at: float
    done: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    sending_id: int | None = None


@dataclass
class Mail:
    """A message, e-mail or text."""

    id: int
    list_id: int
    body: dict[str, Any]
    created_at: float
    attachments: dict[int, str] = field(default_factory=dict)
    visible: bool = False
    history: list[dict[str, Any]] = field(default_factory=list)
    delivered: Counter[int] = field(default_factory=Counter)


@dataclass
class Dispatch:
    """A sending: whom a message goes to, and when. `at` is None while nobody has decided."""

    id: int
    channel: str
    mail: Mail
    people: list[int]
    at: float | None
    note: str = ""
    done: bool = False


@dataclass
class Memory:
    """The content of one account."""

    people: dict[int, Person] = field(default_factory=dict)
    uploads: dict[int, Upload] = field(default_factory=dict)
    mails: dict[int, Mail] = field(default_factory=dict)
    texts: dict[int, Mail] = field(default_factory=dict)
    dispatches: dict[int, Dispatch] = field(default_factory=dict)
    tags: dict[int, dict[int, dict[str, Any]]] = field(default_factory=dict)
    images: dict[int, list[str]] = field(default_factory=dict)
    trusted: list[dict[str, Any]] = field(default_factory=list)
    field_names: dict[int, str] = field(default_factory=lambda: dict(enumerate(FIELD_NAMES, 1)))
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def find(self, *, address: str = "", number: str = "", prefix: str = "") -> Person | None:
        """Return the person with this address or this number."""
        for person in self.people.values():
            if address and person.address.casefold() == address.casefold():
                return person
            if number and (person.number, _plain(person.prefix)) == (number, _plain(prefix)):
                return person
        return None

    def take(self, row: dict[str, Any], now: float) -> tuple[Person, bool]:
        """Add or update a person. Returns them, and whether they are new.

        Raises:
            KeyMismatch: address and number belong to two different people.
        """
        address, number = str(row.get("Email") or "").strip(), str(row.get("MobileNumber") or "").strip()
        prefix = str(row.get("MobilePrefix") or "")
        by_address = self.find(address=address) if address else None
        by_number = self.find(number=number, prefix=prefix) if number else None
        if by_address is not None and by_number is not None and by_address is not by_number:
            raise KeyMismatch
        person = by_address or by_number
        created = person is None
        if person is None:
            person = Person(next(self.ids))
            self.people[person.id] = person
        person.address = address or person.address
        person.name = str(row.get("Name") or "") or person.name
        if number:
            person.prefix, person.number = prefix, number
        for each in row.get("Fields") or []:
            if int(each["Id"]) in self.field_names:
                person.fields[int(each["Id"])] = str(each.get("Value") or "")
        return person, created

    def deliver(self, dispatch: Dispatch, now: float) -> int:
        """Send a message to whom it is for. Returns to how many."""
        dispatch.done, mail = True, dispatch.mail
        for number in dispatch.people:
            mail.delivered[number] += 1
        mail.history.append(
            {
                "EndDate": stamp(now), "Kb_transferred": 2 * len(dispatch.people), "Recipients": len(dispatch.people),
                "SenderEmail": "sender@sandbox.example", "SenderName": "Sandbox", "StartDate": stamp(now),
                "idMessage": mail.id,
            }
        )  # fmt: skip
        return len(dispatch.people)

    def settle(self, now: float) -> None:
        """Carry out what time has brought: imports that are through, and sendings that are due."""
        for upload in list(self.uploads.values()):
            if not upload.done and upload.ends_at <= now:
                self._import(upload, now)
        for dispatch in list(self.dispatches.values()):
            if not dispatch.done and dispatch.at is not None and dispatch.at <= now:
                self.deliver(dispatch, now)

    def _import(self, upload: Upload, now: float) -> None:
        upload.done = True
        for row in upload.rows:
            address, number = str(row.get("Email") or ""), str(row.get("MobileNumber") or "")
            if upload.query.get("ignoremobile") == "true":
                row, number = {**row, "MobileNumber": "", "MobilePrefix": ""}, ""
            key = number if upload.channel == "sms" else address
            proper = number.isdigit() if upload.channel == "sms" else "@" in address.strip("@")
            if not key or not proper:
                upload.counts["invalid"] += 1
                continue
            try:
                person, created = self.take(row, now)
            except KeyMismatch:
                upload.counts["invalid"] += 1
                continue
            if upload.query.get("clearmissingoremptyfields") == "true":
                sent = {int(each["Id"]) for each in row.get("Fields") or [] if each.get("Value")}
                person.fields = {number: value for number, value in person.fields.items() if number in sent}
            upload.counts["valid"] += 1
            upload.counts["created" if created else "updated"] += 1
            if upload.list_id is not None:
                self.subscribe(person, upload.list_id, upload.channel, upload.query, now)
            if upload.group_id is not None:
                if upload.query.get("removefromprevgroups") == "true":
                    person.groups.clear()
                person.groups.add(upload.group_id)

    def subscribe(self, person: Person, list_id: int, channel: str, query: dict[str, str], now: float) -> None:
        """Change how a person stands with a list, as an import with these parameters does."""
        standings = person.sms if channel == "sms" else person.email
        before = standings.get(list_id)
        if query.get("importtype", "").casefold() == "asoptout":
            standings[list_id] = Standing("unsubscribed", before.since if before else now, left_at=now)
        elif query.get("confirmemail", "").casefold() == "true":
            if before is None or before.status == "pending":
                standings[list_id] = Standing("pending", now, requested_at=now)
        elif before is None or query.get("importtype", "").casefold() == "asoptin":
            standings[list_id] = Standing("subscribed", now)
        # Whoever has unsubscribed, or waits to confirm, stays so: nothing changes by default.


class KeyMismatch(Exception):
    """An e-mail address and a number of two different recipients."""


def stamp(moment: float | None) -> str:
    """Return a moment as messages and sendings have it."""
    if moment is None:
        return "0001-01-01 00:00:00Z"
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def opt_stamp(moment: float | None) -> str:
    """Return a moment as opt-ins have it; none is empty."""
    return "" if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S.000")


def _plain(prefix: str) -> str:
    return prefix.lstrip("+").lstrip("0")
