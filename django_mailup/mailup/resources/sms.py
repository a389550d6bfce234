"""Text messages: their recipients, writing and sending them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Unpack

from .. import arguments, parsing
from ..arguments import FieldValues
from ..flow import CallOptions, Flow
from ..methods import CallTakes, PagesTake, paged_call, single_call
from ..operations import DOCUMENTED, INFERRED, MAILUP_CODE, OTHER_CLIENTS, RECORDED, Operation
from ..parsing import no_result, whole_number
from ..records import Record, key
from ..resource_base import Driver, Resource
from ..updates import update_body
from .fields import Fields
from .new_recipients import NewRecipient, json_list_flow
from .recipients import BY_ID, Recipient
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
    """The subscription of a mobile number to a list. `status` is `OPTIN`, `OPTOUT` or `PENDING`."""

    recipient_id: int = key("idRecipient")
    mobile_prefix: str = key("MobilePrefix")
    mobile_number: str = key("MobileNumber")
    status: str = key("Status")
    opted_in_at: datetime | None = key("Optin_Date")


class SmsDelivery(Record):
    """What became of one copy of a text message. `status` is 0 (delivered), 1 (queued) or 2 (error)."""

    receiver: str = key("Receiver")
    status: int | None = key("Status")
    error_code: str = key("ErrorCode")
    sent_at: datetime | None = key("SentDate")


WRITABLE: Final = ("Subject", "Content", "Notes", "Fields", "Tags", "Sender")
"""MailUp's names of what an update sends."""
_ARGUMENTS: Final = {"Subject": "subject", "Content": "content", "Notes": "notes"}

# fmt: off
IMPORT = Operation("sms.import_to_list", "POST", "/Console/Sms/List/{list_id}/Recipients", DOCUMENTED, whole_number)
IMPORT_TO_GROUP = Operation("sms.import_to_group", "POST", "/Console/Sms/Group/{group_id}/Recipients", DOCUMENTED,
    whole_number)
SUBSCRIBED = Operation("sms.subscribed", "GET", "/Console/Sms/List/{list_id}/Recipients/Subscribed", INFERRED,
    Recipient, BY_ID)
UNSUBSCRIBED = Operation("sms.unsubscribed", "GET", "/Console/Sms/List/{list_id}/Recipients/Unsubscribed", INFERRED,
    Recipient, BY_ID)
PENDING = Operation("sms.pending", "GET", "/Console/Sms/List/{list_id}/Recipients/Pending", DOCUMENTED, Recipient,
    BY_ID)
OPT_INS = Operation("sms.opt_ins", "GET", "/Console/Sms/List/{list_id}/Recipients/SmsOptins", OTHER_CLIENTS,
    SmsOptIn, BY_ID)
CREATE = Operation("sms.create", "POST", "/Console/Sms/List/{list_id}/Message", MAILUP_CODE, TextMessage)
ALL = Operation("sms.all", "GET", "/Console/Sms/List/{list_id}/Messages", MAILUP_CODE, TextMessage)
GET = Operation("sms.get", "GET", "/Console/Sms/List/{list_id}/Message/{message_id}", MAILUP_CODE, TextMessage)
UPDATE = Operation("sms.update", "PUT", "/Console/Sms/List/{list_id}/Message/{message_id}", MAILUP_CODE, TextMessage)
DELETE = Operation("sms.delete", "DELETE", "/Console/Sms/List/{list_id}/Message/{message_id}", DOCUMENTED, no_result)
TO_LIST = Operation("sms.to_list", "POST", "/Console/Sms/List/{list_id}/Message/{message_id}/Send", DOCUMENTED, Sent)
TO_GROUP = Operation("sms.to_group", "POST", "/Console/Sms/Group/{group_id}/Message/{message_id}/Send", DOCUMENTED,
    Sent)
TO_NUMBER = Operation("sms.to_number", "POST", "/Console/Sms/Send", RECORDED, Sent)
IMMEDIATE = Operation("sms.immediate", "GET", "/Console/Sms/Sendings/Immediate", DOCUMENTED, Sending)
DEFERRED = Operation("sms.deferred", "GET", "/Console/Sms/Sendings/Deferred", DOCUMENTED, Sending)
UNDEFINED = Operation("sms.undefined", "GET", "/Console/Sms/Sendings/Undefined", DOCUMENTED, Sending)
START_NOW = Operation("sms.start_now", "POST", "/Console/Sms/Sendings/{sending_id}/Immediate", DOCUMENTED, Sending)
# MailUp's own SDK writes `Sending` in this path, unlike in the path of `sms.schedule`.
EARLIEST = Operation("sms.earliest", "GET", "/Console/Sms/Sending/{sending_id}/Deferred", MAILUP_CODE, parsing.moment)
SCHEDULE = Operation("sms.schedule", "POST", "/Console/Sms/Sendings/{sending_id}/Deferred", DOCUMENTED, Sending)
REPORT = Operation("sms.report", "GET", "/Console/Sms/{message_id}/Sendings/Report", MAILUP_CODE, parsing.unchanged)
REPORT_DETAILS = Operation("sms.report_details", "GET", "/Console/Sms/{message_id}/Sendings/ReportDetails",
    DOCUMENTED, SmsDelivery)
# fmt: on


class Sms(Resource):
    """The operations of MailUp's SMS channel. As with e-mail, no call to send is sent twice by itself."""

    def __init__(self, client: Driver, fields: Fields) -> None:
        super().__init__(client)
        self._fields = fields

    def import_to_list(
        self, *, list_id: int, recipients: Iterable[NewRecipient], clear_missing_fields: bool = False,
        **options: Unpack[CallOptions],
    ) -> int:  # fmt: skip
        """Start an import of recipients with mobile numbers into a list, and return the import's id.

        MailUp checks the numbers during the import: see `imports.get`.

        Args:
            clear_missing_fields: whether to clear the personal fields that a recipient of the import doesn't have.

        Raises:
            ValueError: there are no recipients, or one has no number.
        """
        params = {"clearMissingOrEmptyFields": "true"} if clear_missing_fields else {}
        return self._client.run(self._import(IMPORT, recipients, params, options, list_id=list_id))

    def import_to_group(
        self, *, group_id: int, recipients: Iterable[NewRecipient], clear_missing_fields: bool = False,
        leave_other_groups: bool = False, **options: Unpack[CallOptions],
    ) -> int:  # fmt: skip
        """Start an import into a group and its list. As `import_to_list`.

        Args:
            leave_other_groups: whether to remove the recipients from all other groups.
        """
        params = {"clearMissingOrEmptyFields": "true"} if clear_missing_fields else {}
        params |= {"removeFromPrevGroups": "true"} if leave_other_groups else {}
        return self._client.run(self._import(IMPORT_TO_GROUP, recipients, params, options, group_id=group_id))

    subscribed = paged_call(PagesTake.list_id, SUBSCRIBED, "Yield the recipients subscribed to a list by SMS.")
    unsubscribed = paged_call(PagesTake.list_id, UNSUBSCRIBED, "Yield the recipients unsubscribed from a list by SMS.")
    pending = paged_call(PagesTake.list_id, PENDING, "Yield the recipients who have not confirmed their number yet.")
    opt_ins = paged_call(PagesTake.list_id, OPT_INS, "Yield the subscriptions to a list, whatever their status.")

    def create(
        self, *, list_id: int, subject: str, content: str, notes: str = "", **options: Unpack[CallOptions]
    ) -> TextMessage:
        """Create a text message, and return it. Nothing is sent.

        Raises:
            ValueError: subject or content is empty.
        """
        body = {
            "Subject": arguments.text("subject", subject), "Content": arguments.text("content", content),
            "Notes": notes, "idList": list_id, "Fields": [], "Tags": [],
        }  # fmt: skip
        return self._call(CREATE, json=body, list_id=list_id, options=options)

    all = paged_call(PagesTake.list_id, ALL, "Yield the text messages of a list.")
    get = single_call(CallTakes.list_and_message, GET, "Return a text message.")

    def update(
        self, *, list_id: int, message_id: int, subject: str | None = None, content: str | None = None,
        notes: str | None = None, **options: Unpack[CallOptions],
    ) -> TextMessage:  # fmt: skip
        """Change a text message, and return it. What is left out stays: it is read first, by one call more.

        If two change a text message at once, the last one wins.

        Raises:
            ValueError: subject or content is empty, or MailUp doesn't give back what is to be changed.
        """
        changes = arguments.without_none(
            Subject=None if subject is None else arguments.text("subject", subject),
            Content=None if content is None else arguments.text("content", content), Notes=notes,
        )  # fmt: skip
        return self._client.run(self._update(changes, list_id, message_id, options))

    delete = single_call(CallTakes.list_and_message, DELETE, "Delete a text message.")

    def to_list(
        self, *, list_id: int, message_id: int, at: datetime | None = None, sender_prefix: str | None = None,
        sender_number: str | None = None, **options: Unpack[CallOptions],
    ) -> Sent:  # fmt: skip
        """Send a text message to all subscribers of a list.

        Args:
            at: when to send, an aware datetime; by default now.
            sender_number: the sender: a number, or a name of at most 11 characters.

        Raises:
            ValueError: `at` has no time zone, or the sender is too long.
        """
        params = _send_params(at, sender_prefix, sender_number)
        return self._call(TO_LIST, params=params, list_id=list_id, message_id=message_id, options=options)

    def to_group(
        self, *, group_id: int, message_id: int, at: datetime | None = None, sender_prefix: str | None = None,
        sender_number: str | None = None, **options: Unpack[CallOptions],
    ) -> Sent:  # fmt: skip
        """Send a text message to the subscribers in a group. Other arguments and errors are those of `to_list`."""
        params = _send_params(at, sender_prefix, sender_number)
        return self._call(TO_GROUP, params=params, group_id=group_id, message_id=message_id, options=options)

    def to_number(
        self, *, prefix: str, number: str, message_id: int, fields: FieldValues | None = None,
        **options: Unpack[CallOptions],
    ) -> Sent:  # fmt: skip
        """Send a text message to one number, now.

        MailUp also subscribes the number to the message's list, and uses that list's sender: call it only for people
        who want to be on the list.

        Args:
            fields: values of personal fields for this message only, by id or by name.

        Raises:
            ValueError: the number is empty, or a field doesn't exist.
        """
        body = {
            "Number": arguments.text("number", number),
            "Prefix": prefix,
            "idMessage": arguments.positive("message_id", message_id),
        }
        return self._client.run(self._to_number(body, fields, options))

    immediate = paged_call(PagesTake.no_ids, IMMEDIATE, "Yield the sendings under way.")
    deferred = paged_call(PagesTake.no_ids, DEFERRED, "Yield the scheduled sendings.")
    undefined = paged_call(PagesTake.no_ids, UNDEFINED, "Yield the sendings without a time.")
    start_now = single_call(CallTakes.sending_id, START_NOW, "Start a waiting sending now, and return it.")
    earliest = single_call(CallTakes.sending_id, EARLIEST, "Return the earliest time to schedule a sending for.")

    def schedule(self, *, sending_id: int, at: datetime, **options: Unpack[CallOptions]) -> Sending:
        """Schedule a waiting sending, and return it. `at` is an aware datetime.

        Raises:
            ValueError: `at` has no time zone.
        """
        body = {"Date": arguments.moment("at", at)}
        return self._call(SCHEDULE, json=body, sending_id=sending_id, options=options)

    report = single_call(CallTakes.message_id, REPORT, "Return MailUp's report, in an undocumented form.")
    report_details = paged_call(PagesTake.message_id, REPORT_DETAILS, "Yield what became of each copy of a message.")

    def _import(
        self, operation: Operation[int], recipients: Iterable[NewRecipient], params: dict[str, str],
        options: CallOptions, **ids: int,
    ) -> Flow[int]:  # fmt: skip
        body = yield from json_list_flow(recipients, self._fields, options)
        for number, each in enumerate(body):
            if "MobileNumber" not in each:
                raise ValueError(f"recipients[{number}].mobile_number must not be empty.")
        return (yield from self._flow(operation, json=body, params=params, headers=None, options=options, **ids))

    def _update(
        self, changes: dict[str, Any], list_id: int, message_id: int, options: CallOptions
    ) -> Flow[TextMessage]:
        current = (yield from self._flow(GET, list_id=list_id, message_id=message_id, options=options)).raw
        body = update_body(current, WRITABLE, changes, _ARGUMENTS) | {"idList": list_id}
        return (yield from self._flow(UPDATE, json=body, list_id=list_id, message_id=message_id, options=options))

    def _to_number(self, body: dict[str, Any], fields: FieldValues | None, options: CallOptions) -> Flow[Sent]:
        personal = yield from self._fields.resolve_flow(fields, options)
        return (yield from self._flow(TO_NUMBER, json={**body, "Fields": personal}, options=options))


def _send_params(at: datetime | None, prefix: str | None, number: str | None) -> dict[str, Any]:
    if number is not None and not number.lstrip("+").isdigit():
        arguments.text("sender_number", number, max_length=arguments.MAX_SMS_SENDER)
    moment = f'"{arguments.moment("at", at)}"' if at is not None else None
    return arguments.without_none(datetime=moment, senderPrefix=prefix, senderNumber=number)
