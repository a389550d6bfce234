"""Text messages: who receives them, writing and sending them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Unpack

from .. import parsing
from ..flow import CallOptions, Steps
from ..operations import Operation, Source
from ..paging import Paged
from ..records import Record, key
from . import arguments
from .arguments import FieldValues
from .fields import Fields
from .new_recipients import NewRecipient, all_as_json
from .recipients import BY_ID, Recipient
from .requester import PageOptions, Requester, Resource
from .sendings import Sending, Sent


class TextMessage(Record):
    """A text message."""

    id: int = key("idMessage")
    list_id: int | None = key("idList", "ListId")
    subject: str = key("Subject")
    content: str = key("Content")
    notes: str = key("Notes")
    created_at: datetime | None = key("CreationDate")


class SmsOptIn(Record):
    """How a recipient's number stands with a list."""

    recipient_id: int = key("idRecipient")
    mobile_prefix: str = key("MobilePrefix")
    mobile_number: str = key("MobileNumber")
    status: str = key("Status")
    opted_in_at: datetime | None = key("Optin_Date")


DOCUMENTED: Final = Source.DOCUMENTED
IN_CODE: Final = Source.MAILUP_CODE
IMPORT: Final = Operation(
    "sms.import_to_list", "POST", "/Console/Sms/List/{list_id}/Recipients", source=DOCUMENTED,
    returns=parsing.whole_number,
)  # fmt: skip
IMPORT_TO_GROUP: Final = Operation(
    "sms.import_to_group", "POST", "/Console/Sms/Group/{group_id}/Recipients", source=DOCUMENTED,
    returns=parsing.whole_number,
)  # fmt: skip
SUBSCRIBED: Final = Operation(
    "sms.subscribed", "GET", "/Console/Sms/List/{list_id}/Recipients/Subscribed", source=Source.INFERRED,
    returns=Recipient, order=BY_ID,
)  # fmt: skip
UNSUBSCRIBED: Final = Operation(
    "sms.unsubscribed", "GET", "/Console/Sms/List/{list_id}/Recipients/Unsubscribed", source=Source.INFERRED,
    returns=Recipient, order=BY_ID,
)  # fmt: skip
PENDING: Final = Operation(
    "sms.pending", "GET", "/Console/Sms/List/{list_id}/Recipients/Pending", source=DOCUMENTED, returns=Recipient,
    order=BY_ID,
)  # fmt: skip
OPT_INS: Final = Operation(
    "sms.opt_ins", "GET", "/Console/Sms/List/{list_id}/Recipients/SmsOptins", source=Source.CLIENTS, returns=SmsOptIn,
    order=BY_ID,
)  # fmt: skip
CREATE: Final = Operation(
    "sms.create", "POST", "/Console/Sms/List/{list_id}/Message", source=IN_CODE, returns=TextMessage
)
ALL: Final = Operation("sms.all", "GET", "/Console/Sms/List/{list_id}/Messages", source=IN_CODE, returns=TextMessage)
GET: Final = Operation(
    "sms.get", "GET", "/Console/Sms/List/{list_id}/Message/{message_id}", source=IN_CODE, returns=TextMessage
)
UPDATE: Final = Operation(
    "sms.update", "PUT", "/Console/Sms/List/{list_id}/Message/{message_id}", source=IN_CODE, returns=TextMessage
)
TO_LIST: Final = Operation(
    "sms.to_list", "POST", "/Console/Sms/List/{list_id}/Message/{message_id}/Send", source=DOCUMENTED, returns=Sent
)
TO_GROUP: Final = Operation(
    "sms.to_group", "POST", "/Console/Sms/Group/{group_id}/Message/{message_id}/Send", source=DOCUMENTED, returns=Sent
)
TO_NUMBER: Final = Operation("sms.to_number", "POST", "/Console/Sms/Send", source=Source.RECORDED, returns=Sent)
IMMEDIATE: Final = Operation(
    "sms.immediate", "GET", "/Console/Sms/Sendings/Immediate", source=DOCUMENTED, returns=Sending
)
DEFERRED: Final = Operation("sms.deferred", "GET", "/Console/Sms/Sendings/Deferred", source=DOCUMENTED, returns=Sending)
UNDEFINED: Final = Operation(
    "sms.undefined", "GET", "/Console/Sms/Sendings/Undefined", source=DOCUMENTED, returns=Sending
)
START_NOW: Final = Operation(
    "sms.start_now", "POST", "/Console/Sms/Sendings/{sending_id}/Immediate", source=DOCUMENTED, returns=Sending
)
EARLIEST: Final = Operation(
    "sms.earliest", "GET", "/Console/Sms/Sendings/{sending_id}/Deferred", source=Source.INFERRED,
    returns=parsing.moment,
)  # fmt: skip
SCHEDULE: Final = Operation(
    "sms.schedule", "POST", "/Console/Sms/Sendings/{sending_id}/Deferred", source=DOCUMENTED, returns=Sending
)
REPORT: Final = Operation(
    "sms.report", "GET", "/Console/Sms/{message_id}/Sendings/Report", source=IN_CODE, returns=parsing.anything
)
REPORT_DETAILS: Final = Operation(
    "sms.report_details", "GET", "/Console/Sms/{message_id}/Sendings/ReportDetails", source=IN_CODE,
    returns=parsing.anything,
)  # fmt: skip


class Sms(Resource):
    """The operations of MailUp's SMS channel. As with e-mail, no call to send is sent twice by itself."""

    def __init__(self, client: Requester, fields: Fields) -> None:
        super().__init__(client)
        self._fields = fields

    # --------------------------------------------------------------------------------- recipients

    def import_to_list(
        self, *, list_id: int, recipients: Iterable[NewRecipient], clear_missing_fields: bool = False,
        **options: Unpack[CallOptions],
    ) -> int:  # fmt: skip
        """Send recipients with numbers to a list, and return the import's id.

        `POST /Console/Sms/List/{list_id}/Recipients`. MailUp looks at the numbers afterwards: see `imports.get`.

        Args:
            clear_missing_fields: empty the personal fields that aren't sent.

        Raises:
            ValueError: nobody to send, or one without number.
        """
        params = {"clearMissingOrEmptyFields": "true"} if clear_missing_fields else {}
        return self._client.run(self._import(IMPORT, recipients, params, options, list_id=list_id))

    def import_to_group(
        self, *, group_id: int, recipients: Iterable[NewRecipient], clear_missing_fields: bool = False,
        leave_other_groups: bool = False, **options: Unpack[CallOptions],
    ) -> int:  # fmt: skip
        """Send recipients with numbers to a group, as `import_to_list`.

        `POST /Console/Sms/Group/{group_id}/Recipients`.

        Args:
            leave_other_groups: take the recipients out of the groups they were in.
        """
        params = {"clearMissingOrEmptyFields": "true"} if clear_missing_fields else {}
        params |= {"removeFromPrevGroups": "true"} if leave_other_groups else {}
        return self._client.run(self._import(IMPORT_TO_GROUP, recipients, params, options, group_id=group_id))

    def subscribed(self, *, list_id: int, **options: Unpack[PageOptions]) -> Paged[Recipient]:
        """Yield the recipients subscribed to a list by SMS. `GET /Console/Sms/List/{list_id}/Recipients/Subscribed`."""
        return self._pages(SUBSCRIBED, list_id=list_id, options=options)

    def unsubscribed(self, *, list_id: int, **options: Unpack[PageOptions]) -> Paged[Recipient]:
        """Yield the recipients unsubscribed from a list by SMS.

        `GET /Console/Sms/List/{list_id}/Recipients/Unsubscribed`.
        """
        return self._pages(UNSUBSCRIBED, list_id=list_id, options=options)

    def pending(self, *, list_id: int, **options: Unpack[PageOptions]) -> Paged[Recipient]:
        """Yield the recipients whose number is to be confirmed. `GET /Console/Sms/List/{list_id}/Recipients/Pending`."""
        return self._pages(PENDING, list_id=list_id, options=options)

    def opt_ins(self, *, list_id: int, **options: Unpack[PageOptions]) -> Paged[SmsOptIn]:
        """Yield how every number stands with a list. `GET /Console/Sms/List/{list_id}/Recipients/SmsOptins`."""
        return self._pages(OPT_INS, list_id=list_id, options=options)

    # ----------------------------------------------------------------------------------- messages

    def create(
        self, *, list_id: int, subject: str, content: str, notes: str = "", merge_fields: bool = True,
        **options: Unpack[CallOptions],
    ) -> TextMessage:  # fmt: skip
        """Write a text message, and return it. `POST /Console/Sms/List/{list_id}/Message`.

        Raises:
            ValueError: subject or content is empty.
        """
        body = _message_body(subject, content, notes, merge_fields)
        return self._call(CREATE, json=body, list_id=list_id, options=options)

    def all(self, *, list_id: int, **options: Unpack[PageOptions]) -> Paged[TextMessage]:
        """Yield the text messages of a list. `GET /Console/Sms/List/{list_id}/Messages`."""
        return self._pages(ALL, list_id=list_id, options=options)

    def get(self, *, list_id: int, message_id: int, **options: Unpack[CallOptions]) -> TextMessage:
        """Return a text message. `GET /Console/Sms/List/{list_id}/Message/{message_id}`."""
        return self._call(GET, list_id=list_id, message_id=message_id, options=options)

    def update(
        self, *, list_id: int, message_id: int, subject: str, content: str, notes: str = "", merge_fields: bool = True,
        **options: Unpack[CallOptions],
    ) -> TextMessage:  # fmt: skip
        """Write a text message anew, and return it. `PUT /Console/Sms/List/{list_id}/Message/{message_id}`.

        Raises:
            ValueError: subject or content is empty.
        """
        body = _message_body(subject, content, notes, merge_fields)
        return self._call(UPDATE, json=body, list_id=list_id, message_id=message_id, options=options)

    # ------------------------------------------------------------------------------------ sending

    def to_list(
        self, *, list_id: int, message_id: int, at: datetime | None = None, sender_prefix: str | None = None,
        sender_number: str | None = None, **options: Unpack[CallOptions],
    ) -> Sent:  # fmt: skip
        """Send a text message to a list. `POST /Console/Sms/List/{list_id}/Message/{message_id}/Send`.

        Args:
            at: when; at once unless given.
            sender_number: a number, or a name of at most 11 characters.

        Raises:
            ValueError: `at` has no time zone, or the sender is too long.
        """
        params = _when(at, sender_prefix, sender_number)
        return self._call(TO_LIST, params=params, list_id=list_id, message_id=message_id, options=options)

    def to_group(
        self, *, group_id: int, message_id: int, at: datetime | None = None, sender_prefix: str | None = None,
        sender_number: str | None = None, **options: Unpack[CallOptions],
    ) -> Sent:  # fmt: skip
        """Send a text message to a group. As `to_list`. `POST /Console/Sms/Group/{group_id}/Message/{message_id}/Send`."""
        params = _when(at, sender_prefix, sender_number)
        return self._call(TO_GROUP, params=params, group_id=group_id, message_id=message_id, options=options)

    def to_number(
        self, *, prefix: str, number: str, message_id: int, fields: FieldValues | None = None,
        **options: Unpack[CallOptions],
    ) -> Sent:  # fmt: skip
        """Send a text message to one number, now. `POST /Console/Sms/Send`.

        Args:
            fields: personal fields for this message alone, by id or by name.

        Raises:
            ValueError: no number, or no such field.
        """
        body = {
            "Number": arguments.text("number", number),
            "Prefix": prefix,
            "idMessage": arguments.positive("message_id", message_id),
        }
        return self._client.run(self._to_number(body, fields, options))

    def immediate(self, **options: Unpack[PageOptions]) -> Paged[Sending]:
        """Yield what is being sent now. `GET /Console/Sms/Sendings/Immediate`."""
        return self._pages(IMMEDIATE, options=options)

    def deferred(self, **options: Unpack[PageOptions]) -> Paged[Sending]:
        """Yield what is scheduled. `GET /Console/Sms/Sendings/Deferred`."""
        return self._pages(DEFERRED, options=options)

    def undefined(self, **options: Unpack[PageOptions]) -> Paged[Sending]:
        """Yield what waits for a decision. `GET /Console/Sms/Sendings/Undefined`."""
        return self._pages(UNDEFINED, options=options)

    def start_now(self, *, sending_id: int, **options: Unpack[CallOptions]) -> Sending:
        """Send what was waiting, and return it. `POST /Console/Sms/Sendings/{sending_id}/Immediate`."""
        return self._call(START_NOW, sending_id=sending_id, options=options)

    def earliest(self, *, sending_id: int, **options: Unpack[CallOptions]) -> datetime | None:
        """Return when a sending may be scheduled at the earliest. `GET /Console/Sms/Sendings/{sending_id}/Deferred`.

        MailUp's own SDK writes `Sending`; the plural is inferred from e-mail.
        """
        return self._call(EARLIEST, sending_id=sending_id, options=options)

    def schedule(self, *, sending_id: int, at: datetime, **options: Unpack[CallOptions]) -> Sending:
        """Set when a sending begins, and return it. `POST /Console/Sms/Sendings/{sending_id}/Deferred`.

        Raises:
            ValueError: `at` has no time zone.
        """
        body = {"Date": arguments.moment("at", at)}
        return self._call(SCHEDULE, json=body, sending_id=sending_id, options=options)

    def report(self, *, message_id: int, **options: Unpack[CallOptions]) -> Any:
        """Return MailUp's report of a message, as it is: its form isn't documented.

        `GET /Console/Sms/{message_id}/Sendings/Report`.
        """
        return self._call(REPORT, message_id=message_id, options=options)

    def report_details(self, *, message_id: int, **options: Unpack[CallOptions]) -> Any:
        """Return the same in detail, as it is. `GET /Console/Sms/{message_id}/Sendings/ReportDetails`."""
        return self._call(REPORT_DETAILS, message_id=message_id, options=options)

    # -------------------------------------------------------------------------------------- flows

    def _import(
        self, operation: Operation[int], recipients: Iterable[NewRecipient], params: dict[str, str],
        options: CallOptions, **ids: int,
    ) -> Steps[int]:  # fmt: skip
        body = yield from all_as_json(recipients, self._fields, options)
        for number, each in enumerate(body):
            if "MobileNumber" not in each:
                raise ValueError(f"recipients[{number}].mobile_number must not be empty.")
        return (yield from self._steps(operation, json=body, params=params, options=options, **ids))

    def _to_number(self, body: dict[str, Any], fields: FieldValues | None, options: CallOptions) -> Steps[Sent]:
        personal = yield from self._fields.resolving(fields, options)
        return (yield from self._steps(TO_NUMBER, json={**body, "Fields": personal}, options=options))


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
