"""Text messages: who receives them, writing and sending them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ..operations import Operation
from ..paging import PAGE_SIZE
from . import arguments, reading
from .arguments import FieldValues
from .recipients import BY_ID, NewRecipient, Recipient, parse_recipient
from .requester import Order, Requester, Resource, Where
from .sendings import Sending, Sent, parse_sending, parse_sent

if TYPE_CHECKING:
    from .fields import Fields

IMPORT: Final = Operation("sms.import_to_list", "POST", "/Console/Sms/List/{list_id}/Recipients")
IMPORT_TO_GROUP: Final = Operation("sms.import_to_group", "POST", "/Console/Sms/Group/{group_id}/Recipients")
SUBSCRIBED: Final = Operation("sms.subscribed", "GET", "/Console/Sms/List/{list_id}/Recipients/Subscribed")
UNSUBSCRIBED: Final = Operation("sms.unsubscribed", "GET", "/Console/Sms/List/{list_id}/Recipients/Unsubscribed")
PENDING: Final = Operation("sms.pending", "GET", "/Console/Sms/List/{list_id}/Recipients/Pending")
OPT_INS: Final = Operation("sms.opt_ins", "GET", "/Console/Sms/List/{list_id}/Recipients/SmsOptins")
CREATE: Final = Operation("sms.create", "POST", "/Console/Sms/List/{list_id}/Message")
ALL: Final = Operation("sms.all", "GET", "/Console/Sms/List/{list_id}/Messages")
GET: Final = Operation("sms.get", "GET", "/Console/Sms/List/{list_id}/Message/{message_id}")
UPDATE: Final = Operation("sms.update", "PUT", "/Console/Sms/List/{list_id}/Message/{message_id}")
TO_LIST: Final = Operation("sms.to_list", "POST", "/Console/Sms/List/{list_id}/Message/{message_id}/Send")
TO_GROUP: Final = Operation("sms.to_group", "POST", "/Console/Sms/Group/{group_id}/Message/{message_id}/Send")
TO_NUMBER: Final = Operation("sms.to_number", "POST", "/Console/Sms/Send")
IMMEDIATE: Final = Operation("sms.immediate", "GET", "/Console/Sms/Sendings/Immediate")
DEFERRED: Final = Operation("sms.deferred", "GET", "/Console/Sms/Sendings/Deferred")
UNDEFINED: Final = Operation("sms.undefined", "GET", "/Console/Sms/Sendings/Undefined")
START_NOW: Final = Operation("sms.start_now", "POST", "/Console/Sms/Sendings/{sending_id}/Immediate")
EARLIEST: Final = Operation("sms.earliest", "GET", "/Console/Sms/Sendings/{sending_id}/Deferred")
SCHEDULE: Final = Operation("sms.schedule", "POST", "/Console/Sms/Sendings/{sending_id}/Deferred")
REPORT: Final = Operation("sms.report", "GET", "/Console/Sms/{message_id}/Sendings/Report")
REPORT_DETAILS: Final = Operation("sms.report_details", "GET", "/Console/Sms/{message_id}/Sendings/ReportDetails")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage:
    """A text message."""

    id: int
    list_id: int | None
    subject: str
    content: str
    notes: str
    created_at: datetime | None
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsOptIn:
    """How a recipient's number stands with a list."""

    recipient_id: int
    mobile_prefix: str
    mobile_number: str
    status: str
    opted_in_at: datetime | None
    raw: Mapping[str, Any] = field(repr=False)


class Sms(Resource):
    """The operations of MailUp's SMS channel. As with e-mail, no call to send is sent twice by itself."""

    def __init__(self, client: Requester, fields: Fields) -> None:
        super().__init__(client)
        self._fields = fields

    # --------------------------------------------------------------------------------- recipients

    def import_to_list(
        self, *, list_id: int, recipients: Iterable[NewRecipient], clear_missing_fields: bool = False
    ) -> int:
        """Send recipients with numbers to a list, and return the import's id. (Documented by MailUp.)

        `POST /Console/Sms/List/{list_id}/Recipients`. Numbers are looked at afterwards: see `imports.get`.

        Raises:
            ValueError: nobody to send, or one without number.
        """
        params = {"clearMissingOrEmptyFields": "true"} if clear_missing_fields else {}
        return reading.whole_number(self._call(IMPORT, json=self._body(recipients), params=params, list_id=list_id))

    def import_to_group(
        self, *, group_id: int, recipients: Iterable[NewRecipient], clear_missing_fields: bool = False,
        leave_other_groups: bool = False,
    ) -> int:  # fmt: skip
        """Send recipients with numbers to a group, as `import_to_list`. (Documented by MailUp.)

        `POST /Console/Sms/Group/{group_id}/Recipients`.
        """
        params = {"clearMissingOrEmptyFields": "true"} if clear_missing_fields else {}
        if leave_other_groups:
            params["removeFromPrevGroups"] = "true"
        answer = self._call(IMPORT_TO_GROUP, json=self._body(recipients), params=params, group_id=group_id)
        return reading.whole_number(answer)

    def subscribed(
        self, *, list_id: int, where: Where = None, order: Order = BY_ID, page_size: int = PAGE_SIZE
    ) -> Iterator[Recipient]:
        """Yield whose number is subscribed. `GET /Console/Sms/List/{list_id}/Recipients/Subscribed`. (Inferred.)"""
        rows = self._pages(SUBSCRIBED, where=where, order=order, page_size=page_size, list_id=list_id)
        return map(parse_recipient, rows)

    def unsubscribed(
        self, *, list_id: int, where: Where = None, order: Order = BY_ID, page_size: int = PAGE_SIZE
    ) -> Iterator[Recipient]:
        """Yield whose number is unsubscribed. `GET /Console/Sms/List/{list_id}/Recipients/Unsubscribed`. (Inferred.)"""
        rows = self._pages(UNSUBSCRIBED, where=where, order=order, page_size=page_size, list_id=list_id)
        return map(parse_recipient, rows)

    def pending(
        self, *, list_id: int, where: Where = None, order: Order = BY_ID, page_size: int = PAGE_SIZE
    ) -> Iterator[Recipient]:
        """Yield whose number is to be confirmed. `GET /Console/Sms/List/{list_id}/Recipients/Pending`.

        (Documented by MailUp.)
        """
        rows = self._pages(PENDING, where=where, order=order, page_size=page_size, list_id=list_id)
        return map(parse_recipient, rows)

    def opt_ins(
        self, *, list_id: int, where: Where = None, order: Order = BY_ID, page_size: int = PAGE_SIZE
    ) -> Iterator[SmsOptIn]:
        """Yield how every number stands with a list. `GET /Console/Sms/List/{list_id}/Recipients/SmsOptins`.

        (Seen in one client.)
        """
        return map(_opt_in, self._pages(OPT_INS, where=where, order=order, page_size=page_size, list_id=list_id))

    # ----------------------------------------------------------------------------------- messages

    def create(
        self, *, list_id: int, subject: str, content: str, notes: str = "", merge_fields: bool = True
    ) -> TextMessage:
        """Write a text message, and return it. `POST /Console/Sms/List/{list_id}/Message`. (In MailUp's own SDK.)

        Raises:
            ValueError: subject or content is empty.
        """
        body = _message_body(subject, content, notes, merge_fields)
        return _message(self._call(CREATE, json=body, list_id=list_id))

    def all(
        self, *, list_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[TextMessage]:
        """Yield the text messages of a list. `GET /Console/Sms/List/{list_id}/Messages`. (In MailUp's own SDK.)"""
        return map(_message, self._pages(ALL, where=where, order=order, page_size=page_size, list_id=list_id))

    def get(self, *, list_id: int, message_id: int) -> TextMessage:
        """Return a text message. `GET /Console/Sms/List/{list_id}/Message/{message_id}`. (In MailUp's own SDK.)"""
        return _message(self._call(GET, list_id=list_id, message_id=message_id))

    def update(
        self, *, list_id: int, message_id: int, subject: str, content: str, notes: str = "", merge_fields: bool = True
    ) -> TextMessage:
        """Write a text message anew. `PUT /Console/Sms/List/{list_id}/Message/{message_id}`. (In MailUp's own SDK.)"""
        body = _message_body(subject, content, notes, merge_fields)
        return _message(self._call(UPDATE, json=body, list_id=list_id, message_id=message_id))

    # ------------------------------------------------------------------------------------ sending

    def to_list(
        self, *, list_id: int, message_id: int, at: datetime | None = None, sender_prefix: str | None = None,
        sender_number: str | None = None,
    ) -> Sent:  # fmt: skip
        """Send a text message to a list. `POST /Console/Sms/List/{list_id}/Message/{message_id}/Send`.

        (Documented by MailUp.)

        Args:
            at: when; at once unless given.
            sender_number: a number, or a name of at most 11 characters.

        Raises:
            ValueError: `at` has no time zone, or the sender is too long.
        """
        params = _when(at, sender_prefix, sender_number)
        return parse_sent(self._call(TO_LIST, params=params, list_id=list_id, message_id=message_id))

    def to_group(
        self, *, group_id: int, message_id: int, at: datetime | None = None, sender_prefix: str | None = None,
        sender_number: str | None = None,
    ) -> Sent:  # fmt: skip
        """Send a text message to a group, as `to_list`. `POST /Console/Sms/Group/{group_id}/Message/{message_id}/Send`.

        (Documented by MailUp.)
        """
        params = _when(at, sender_prefix, sender_number)
        return parse_sent(self._call(TO_GROUP, params=params, group_id=group_id, message_id=message_id))

    def to_number(self, *, prefix: str, number: str, message_id: int, fields: FieldValues | None = None) -> Sent:
        """Send a text message to one number, now. `POST /Console/Sms/Send`. (Recorded answers exist.)"""
        body = {
            "Number": arguments.text("number", number),
            "Prefix": prefix,
            "idMessage": arguments.positive("message_id", message_id),
            "Fields": self._fields.resolve(fields),
        }
        return parse_sent(self._call(TO_NUMBER, json=body))

    def immediate(self) -> Iterator[Sending]:
        """Yield what is being sent now. `GET /Console/Sms/Sendings/Immediate`. (Documented by MailUp.)"""
        return map(parse_sending, self._pages(IMMEDIATE))

    def deferred(self) -> Iterator[Sending]:
        """Yield what is scheduled. `GET /Console/Sms/Sendings/Deferred`. (Documented by MailUp.)"""
        return map(parse_sending, self._pages(DEFERRED))

    def undefined(self) -> Iterator[Sending]:
        """Yield what waits for a decision. `GET /Console/Sms/Sendings/Undefined`. (Documented by MailUp.)"""
        return map(parse_sending, self._pages(UNDEFINED))

    def start_now(self, *, sending_id: int) -> Sending:
        """Send what was waiting. `POST /Console/Sms/Sendings/{sending_id}/Immediate`. (Documented by MailUp.)"""
        return parse_sending(reading.record(self._call(START_NOW, sending_id=sending_id)))

    def earliest(self, *, sending_id: int) -> datetime | None:
        """Return when a sending may be scheduled at the earliest. `GET /Console/Sms/Sendings/{sending_id}/Deferred`.

        (In MailUp's own SDK, which writes `Sending`; the plural is inferred from e-mail.)
        """
        return reading.moment({"it": self._call(EARLIEST, sending_id=sending_id)}, "it")

    def schedule(self, *, sending_id: int, at: datetime) -> Sending:
        """Set when a sending begins. `POST /Console/Sms/Sendings/{sending_id}/Deferred`. (Documented by MailUp.)"""
        body = {"Date": arguments.moment("at", at)}
        return parse_sending(reading.record(self._call(SCHEDULE, json=body, sending_id=sending_id)))

    def report(self, *, message_id: int) -> Any:
        """Return MailUp's report of a message, as it is: its form isn't documented. (In MailUp's own SDK.)

        `GET /Console/Sms/{message_id}/Sendings/Report`.
        """
        return self._call(REPORT, message_id=message_id)

    def report_details(self, *, message_id: int) -> Any:
        """Return the same in detail, as it is. `GET /Console/Sms/{message_id}/Sendings/ReportDetails`.

        (In MailUp's own SDK.)
        """
        return self._call(REPORT_DETAILS, message_id=message_id)

    def _body(self, recipients: Iterable[NewRecipient]) -> list[dict[str, Any]]:
        body = [each.as_json(self._fields) for each in recipients]
        if not body:
            raise ValueError("recipients must not be empty.")
        for number, each in enumerate(body):
            if "MobileNumber" not in each:
                raise ValueError(f"recipients[{number}].mobile_number must not be empty.")
        return body


def _when(at: datetime | None, prefix: str | None, number: str | None) -> dict[str, Any]:
    if number is not None and not number.lstrip("+").isdigit():
        arguments.text("sender_number", number, longest=arguments.LONGEST_SMS_SENDER)
    moment = f'"{arguments.moment("at", at)}"' if at is not None else None
    return arguments.given(datetime=moment, senderPrefix=prefix, senderNumber=number)


def _message_body(subject: str, content: str, notes: str, merge_fields: bool) -> dict[str, Any]:
    return {
        "Subject": arguments.text("subject", subject),
        "Content": arguments.text("content", content),
        "Notes": notes,
        "DynamicFields": merge_fields,
    }


def _message(answer: object) -> TextMessage:
    raw = reading.record(answer)
    return TextMessage(
        id=reading.identifier(raw, "idMessage"),
        list_id=reading.number(raw, "idList", "ListId"),
        subject=reading.text(raw, "Subject"),
        content=reading.text(raw, "Content"),
        notes=reading.text(raw, "Notes"),
        created_at=reading.moment(raw, "CreationDate"),
        raw=raw,
    )


def _opt_in(raw: Mapping[str, Any]) -> SmsOptIn:
    return SmsOptIn(
        recipient_id=reading.identifier(raw, "idRecipient"),
        mobile_prefix=reading.text(raw, "MobilePrefix"),
        mobile_number=reading.text(raw, "MobileNumber"),
        status=reading.text(raw, "Status"),
        opted_in_at=reading.moment(raw, "Optin_Date"),
        raw=raw,
    )
