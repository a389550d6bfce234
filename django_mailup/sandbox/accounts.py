"""MailUp accounts and what they hold: lists, recipients, imports, messages and sendings. No HTTP, no tokens."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .recipients import OptIn, Recipient, Recipients, TwoRecipients

FIELD_NAMES = [
    "FirstName", "LastName", "Company", "City", "Province", "ZIP", "State", "Region", "Address", "Gender", "Phone",
    "Fax", "PIVA", "CustomerID", "LatestOrderID", "LatestOrderDate", "LatestOrderAmount", "TotalOrders",
    "AverageOrder", "LatestShippedOrderID", "LatestCart", "AbandonedCart", "Birthday", "Language", "Website", "Note",
    "Compleanno",
]  # fmt: skip
"""The personal fields of a new account: 27, more than fit on one page of MailUp's default size (20)."""


@dataclass
class Group:
    """A group of a list. The test group is not `deletable`."""

    id: int
    name: str
    notes: str = ""
    deletable: bool = True


@dataclass
class MailingList:
    """A list of an account.

    Attributes:
        settings: the JSON body with which the list was created or updated.
        ready_at: until this time (seconds, by the sandbox's clock) the list answers 403.
    """

    id: int
    name: str
    description: str = ""
    groups: list[Group] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    ready_at: float = 0.0


@dataclass
class Import:
    """An import of recipients. It is carried out at `ends_at`, by the sandbox's clock.

    Attributes:
        is_running: whether a thread has begun to carry it out.
        recipients: the JSON objects that were sent.
        query: the query parameters of the call, with names in lower case.
        counts: `valid`, `invalid`, `created` and `updated` recipients, once completed.
        sending_id: the sending of the confirmation message, if one was asked for.
    """

    id: int
    list_id: int | None
    group_id: int | None
    channel: str
    recipients: list[dict[str, Any]]
    query: dict[str, str]
    started_at: float
    ends_at: float
    is_running: bool = False
    completed: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    sending_id: int | None = None


@dataclass
class Message:
    """An e-mail or a text message.

    Attributes:
        body: the JSON body with which it was created or updated.
        attachments: file names, by slot.
        send_history: one JSON object for each time that it was sent.
        deliveries: how often it was sent to each recipient, by recipient id.
        results: how often each kind of event (`Views`, `Clicks`, `Bounces`, `Unsubscriptions`) happened to each
            recipient, by recipient id. For a kind that is not there the recipients' ids decide.
    """

    id: int
    list_id: int
    body: dict[str, Any]
    created_at: float
    attachments: dict[int, str] = field(default_factory=dict)
    visible: bool = False
    send_history: list[dict[str, Any]] = field(default_factory=list)
    deliveries: Counter[int] = field(default_factory=Counter)
    results: dict[str, dict[int, int]] = field(default_factory=dict)


@dataclass
class Sending:
    """A message to be sent. `start_at` (in seconds, by the sandbox's clock) is None until it is scheduled."""

    id: int
    channel: str
    message: Message
    recipient_ids: list[int]
    start_at: float | None
    notes: str = ""
    done: bool = False


@dataclass
class Account:
    """A MailUp account and its content.

    Attributes:
        tags: tags of e-mail messages, by list id and tag id.
        images: URLs of images, by list id; 0 for those of the whole account.
        field_names: names of the personal fields, by field id.
        ids: the sequence of ids, used for everything in the account except lists and groups.
    """

    uid: str
    company: str
    lists: list[MailingList] = field(default_factory=list)
    email: str = ""
    is_trial: bool = False
    recipients: Recipients = field(default_factory=Recipients, repr=False)
    imports: dict[int, Import] = field(default_factory=dict, repr=False)
    messages: dict[int, Message] = field(default_factory=dict, repr=False)
    text_messages: dict[int, Message] = field(default_factory=dict, repr=False)
    sendings: dict[int, Sending] = field(default_factory=dict, repr=False)
    tags: dict[int, dict[int, dict[str, Any]]] = field(default_factory=dict, repr=False)
    images: dict[int, list[str]] = field(default_factory=dict, repr=False)
    trusted_senders: list[dict[str, Any]] = field(default_factory=list, repr=False)
    field_names: dict[int, str] = field(default_factory=lambda: dict(enumerate(FIELD_NAMES, 1)), repr=False)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def messages_of(self, channel: str) -> dict[int, Message]:
        """Return the messages of a channel (`email` or `sms`), by id."""
        return self.text_messages if channel == "sms" else self.messages

    def save_recipient(self, body: dict[str, Any], *, exact: bool) -> tuple[Recipient, bool]:
        """Add or update a recipient from MailUp's JSON. Return the recipient, and whether it is new.

        Args:
            exact: whether addresses that differ in letter case belong to different recipients.

        Raises:
            TwoRecipients: the address and the number belong to two different recipients.
        """
        email, number = str(body.get("Email") or "").strip(), str(body.get("MobileNumber") or "").strip()
        prefix = str(body.get("MobilePrefix") or "")
        by_email = self.recipients.with_email(email, exact=exact) if email else None
        by_number = self.recipients.with_number(prefix, number) if number else None
        if by_email is not None and by_number is not None and by_email is not by_number:
            raise TwoRecipients
        recipient = by_email or by_number
        created = recipient is None
        if recipient is None:
            recipient = self.recipients.add(Recipient(next(self.ids), email, "", prefix if number else "", number))
        else:
            self.recipients.change(recipient, email, prefix, number)
        recipient.name = str(body.get("Name") or "") or recipient.name
        for value in body.get("Fields") or []:
            if int(value["Id"]) in self.field_names:
                recipient.fields[int(value["Id"])] = str(value.get("Value") or "")
        return recipient, created

    def subscribe(
        self, recipient: Recipient, list_id: int, channel: str, query: dict[str, str], now: float, *,
        confirm_makes_pending: bool = False,
    ) -> None:  # fmt: skip
        """Subscribe a recipient to a list, or unsubscribe it, as the query parameters of an import say.

        By default a recipient who has unsubscribed, or has not confirmed yet, keeps that status. For
        `confirm_makes_pending` see Options.
        """
        opt_ins = recipient.opt_ins(channel)
        before = opt_ins.get(list_id)
        if query.get("importtype", "").casefold() == "asoptout":
            opt_ins[list_id] = OptIn("unsubscribed", before.opted_in_at if before else now, opted_out_at=now)
        elif query.get("confirmemail", "").casefold() == "true":
            if before is None or before.status in ("pending", "subscribed" if confirm_makes_pending else ""):
                opt_ins[list_id] = OptIn("pending", now, requested_at=now)
        elif before is None or query.get("importtype", "").casefold() == "asoptin":
            opt_ins[list_id] = OptIn("subscribed", now)

    def send(self, sending: Sending, now: float) -> None:
        """Send the message of a sending to its recipients."""
        sending.done, message, count = True, sending.message, len(sending.recipient_ids)
        for recipient_id in sending.recipient_ids:
            message.deliveries[recipient_id] += 1
        message.send_history.append(
            {
                "EndDate": format_date(now), "Kb_transferred": 2 * count, "Recipients": count,
                "SenderEmail": "sender@sandbox.example", "SenderName": "Sandbox", "StartDate": format_date(now),
                "idMessage": message.id,
            }
        )  # fmt: skip

    def send_due(self, now: float) -> None:
        """Send what is due."""
        for sending in list(self.sendings.values()):
            if not sending.done and sending.start_at is not None and sending.start_at <= now:
                self.send(sending, now)

    def claim_due_imports(self, now: float) -> list[Import]:
        """Return the imports that are due and that nobody carries out yet."""
        due = [each for each in self.imports.values() if not each.is_running and each.ends_at <= now]
        for each in due:
            each.is_running = True
        return due

    def import_row(
        self, running: Import, body: dict[str, Any], now: float, *, exact: bool, confirm_makes_pending: bool
    ) -> None:
        """Carry out an import for one recipient. For `exact` see `save_recipient`, for the other `subscribe`."""
        email, number = str(body.get("Email") or ""), str(body.get("MobileNumber") or "")
        if running.query.get("ignoremobile") == "true":
            body, number = {**body, "MobileNumber": "", "MobilePrefix": ""}, ""
        key = number if running.channel == "sms" else email
        well_formed = number.isdigit() if running.channel == "sms" else "@" in email.strip("@")
        if not key or not well_formed:
            running.counts["invalid"] += 1
            return
        try:
            recipient, created = self.save_recipient(body, exact=exact)
        except TwoRecipients:
            running.counts["invalid"] += 1
            return
        if running.query.get("clearmissingoremptyfields") == "true":
            sent = {int(value["Id"]) for value in body.get("Fields") or [] if value.get("Value")}
            recipient.fields = {number: value for number, value in recipient.fields.items() if number in sent}
        running.counts["valid"] += 1
        running.counts["created" if created else "updated"] += 1
        if running.list_id is not None:
            self.subscribe(
                recipient, running.list_id, running.channel, running.query, now,
                confirm_makes_pending=confirm_makes_pending,
            )  # fmt: skip
        if running.group_id is not None:
            if running.query.get("removefromprevgroups") == "true":
                recipient.group_ids.clear()
            recipient.group_ids.add(running.group_id)


@dataclass
class User:
    """A MailUp user, who logs in to an account and for whom a token acts."""

    username: str
    password: str = field(repr=False)
    account: Account
    accepted_terms: bool = True


def format_date(moment: float | None) -> str:
    """Return a time (seconds since 1970) as MailUp writes it in messages and sendings, where None is the year 1."""
    if moment is None:
        return "0001-01-01 00:00:00Z"
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def format_opt_in_date(moment: float | None) -> str:
    """Return a time (seconds since 1970) as MailUp writes it in opt-ins, where None is empty."""
    return "" if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S.000")
