"""Sending e-mail messages, now or later. No call of these is ever sent twice by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ..operations import Operation
from ..paging import PAGE_SIZE
from . import arguments, reading
from .arguments import FieldValues
from .requester import Requester, Resource

if TYPE_CHECKING:
    from .fields import Fields

TO_LIST: Final = Operation("sendings.to_list", "POST", "/Console/List/{list_id}/Email/{message_id}/Send")
TO_GROUP: Final = Operation("sendings.to_group", "POST", "/Console/Group/{group_id}/Email/{message_id}/Send")
TO_RECIPIENT: Final = Operation("sendings.to_recipient", "POST", "/Console/Email/Send")
IMMEDIATE: Final = Operation("sendings.immediate", "GET", "/Console/Email/Sendings/Immediate")
DEFERRED: Final = Operation("sendings.deferred", "GET", "/Console/Email/Sendings/Deferred")
UNDEFINED: Final = Operation("sendings.undefined", "GET", "/Console/Email/Sendings/Undefined")
START_NOW: Final = Operation("sendings.start_now", "POST", "/Console/Email/Sendings/{sending_id}/Immediate")
EARLIEST: Final = Operation("sendings.earliest", "GET", "/Console/Email/Sendings/{sending_id}/Deferred")
SCHEDULE: Final = Operation("sendings.schedule", "POST", "/Console/Email/Sendings/{sending_id}/Deferred")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a call to send came to. `sending_id` is None where MailUp tells none (SMS)."""

    sending_id: int | None
    message_id: int | None
    sent: int
    invalid_recipients: tuple[str, ...]
    unprocessed_recipients: tuple[str, ...]
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A sending in one of MailUp's queues. The values of `state` and `type` aren't documented."""

    id: int
    list_id: int | None
    message_id: int | None
    subject: str
    notes: str
    start_at: datetime | None
    state: str
    type: str
    raw: Mapping[str, Any] = field(repr=False)


class Sendings(Resource):
    """The operations that send e-mail, and MailUp's queues.

    When a call to send ends in MailUpUnavailable with `may_have_arrived`, look into the queues and the message's
    `send_history` before you try again.
    """

    def __init__(self, client: Requester, fields: Fields) -> None:
        super().__init__(client)
        self._fields = fields

    def to_list(
        self, *, list_id: int, message_id: int, at: datetime | None = None, sender_name: str | None = None,
        sender_email: str | None = None,
    ) -> Sent:  # fmt: skip
        """Send a message to everybody who is subscribed to a list. (Documented by MailUp.)

        `POST /Console/List/{list_id}/Email/{message_id}/Send`.

        Args:
            at: when; at once unless given.
            sender_name, sender_email: instead of the list's own. (In MailUp's own SDK.)

        Raises:
            ValueError: `at` has no time zone.
            NotFound: there is no such list or message.
            MailUpUnavailable: see the class.
        """
        params = _when(at, sender_name, sender_email)
        return parse_sent(self._call(TO_LIST, params=params, list_id=list_id, message_id=message_id))

    def to_group(
        self, *, group_id: int, message_id: int, at: datetime | None = None, sender_name: str | None = None,
        sender_email: str | None = None,
    ) -> Sent:  # fmt: skip
        """Send a message to a group. As `to_list`. `POST /Console/Group/{group_id}/Email/{message_id}/Send`.

        (Documented by MailUp.)
        """
        params = _when(at, sender_name, sender_email)
        return parse_sent(self._call(TO_GROUP, params=params, group_id=group_id, message_id=message_id))

    def to_recipient(self, *, email: str, message_id: int, fields: FieldValues | None = None) -> Sent:
        """Send a message to one address, now. `POST /Console/Email/Send`. (Recorded answers exist.)

        `fields`: personal fields for this message alone, by id or by name.
        """
        body = {
            "Email": arguments.email("email", email),
            "idMessage": arguments.positive("message_id", message_id),
            "Fields": self._fields.resolve(fields),
        }
        return parse_sent(self._call(TO_RECIPIENT, json=body))

    def immediate(self) -> Iterator[Sending]:
        """Yield what is being sent now. `GET /Console/Email/Sendings/Immediate`. (In MailUp's own SDK.)"""
        return map(parse_sending, self._pages(IMMEDIATE, page_size=PAGE_SIZE))

    def deferred(self) -> Iterator[Sending]:
        """Yield what is scheduled. `GET /Console/Email/Sendings/Deferred`. (In MailUp's own SDK.)"""
        return map(parse_sending, self._pages(DEFERRED, page_size=PAGE_SIZE))

    def undefined(self) -> Iterator[Sending]:
        """Yield what waits for a decision, such as mails that ask to confirm. (In MailUp's own SDK.)

        `GET /Console/Email/Sendings/Undefined`.
        """
        return map(parse_sending, self._pages(UNDEFINED, page_size=PAGE_SIZE))

    def start_now(self, *, sending_id: int) -> Sending:
        """Send what was waiting. `POST /Console/Email/Sendings/{sending_id}/Immediate`. (Documented by MailUp.)"""
        return parse_sending(reading.record(self._call(START_NOW, sending_id=sending_id)))

    def earliest(self, *, sending_id: int) -> datetime | None:
        """Return when a sending may be scheduled at the earliest. (In MailUp's own gem.)

        `GET /Console/Email/Sendings/{sending_id}/Deferred`.
        """
        return reading.moment({"it": self._call(EARLIEST, sending_id=sending_id)}, "it")

    def schedule(self, *, sending_id: int, at: datetime) -> Sending:
        """Set when a sending begins. `POST /Console/Email/Sendings/{sending_id}/Deferred`. (In MailUp's own SDK.)

        Raises:
            ValueError: `at` has no time zone.
        """
        body = {"Date": arguments.moment("at", at)}
        return parse_sending(reading.record(self._call(SCHEDULE, json=body, sending_id=sending_id)))


def _when(at: datetime | None, sender_name: str | None, sender_email: str | None) -> dict[str, Any]:
    return arguments.given(
        datetime=f'"{arguments.moment("at", at)}"' if at is not None else None,
        SenderName=sender_name,
        SenderAddress=arguments.email("sender_email", sender_email) if sender_email is not None else None,
    )


def parse_sent(answer: object) -> Sent:
    """Read the answer of a call to send. SMS has the same, without an id."""
    raw = reading.record(answer)
    return Sent(
        sending_id=reading.number(raw, "Id"),
        message_id=reading.number(raw, "idMessage"),
        sent=reading.number(raw, "Sent") or 0,
        invalid_recipients=tuple(reading.texts(reading.pick(raw, "InvalidRecipients") or [])),
        unprocessed_recipients=tuple(reading.texts(reading.pick(raw, "UnprocessedRecipients") or [])),
        raw=raw,
    )


def parse_sending(raw: Mapping[str, Any]) -> Sending:
    """Read an item of a queue, of e-mail or SMS."""
    return Sending(
        id=reading.identifier(raw, "Id"),
        list_id=reading.number(raw, "IdList"),
        message_id=reading.number(raw, "IdMessage"),
        subject=reading.text(raw, "Subject"),
        notes=reading.text(raw, "Notes"),
        start_at=reading.moment(raw, "StartDate"),
        state=reading.text(raw, "State"),
        type=reading.text(raw, "Type"),
        raw=raw,
    )
