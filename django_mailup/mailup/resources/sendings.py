"""Sending e-mail messages, now or later, and the queues. A call to send that may have arrived is never repeated."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Unpack

from .. import arguments, parsing
from ..arguments import FieldValues
from ..flow import CallOptions, Flow
from ..methods import CallTakes, PagesTake, paged_call, single_call
from ..operations import DOCUMENTED, MAILUP_CODE, RECORDED, Operation
from ..parsing import no_result
from ..records import Record, key
from ..resource_base import Driver, Resource
from .fields import Fields


class Sent(Record):
    """The result of a call to send: the number of recipients, and those left out. `sending_id` is None for SMS."""

    sending_id: int | None = key("Id")
    message_id: int | None = key("idMessage")
    sent: int = key("Sent", parse=parsing.count)
    invalid_recipients: tuple[str, ...] = key("InvalidRecipients", parse=parsing.string_tuple)
    unprocessed_recipients: tuple[str, ...] = key("UnprocessedRecipients", parse=parsing.string_tuple)


class Sending(Record):
    """A message in one of MailUp's queues. The values of `state` and `type` aren't documented."""

    id: int = key("Id")
    list_id: int | None = key("IdList")
    message_id: int | None = key("IdMessage")
    subject: str = key("Subject")
    notes: str = key("Notes")
    start_at: datetime | None = key("StartDate")
    state: str = key("State")
    type: str = key("Type")


# fmt: off
TO_LIST = Operation("sendings.to_list", "POST", "/Console/List/{list_id}/Email/{message_id}/Send", DOCUMENTED, Sent)
TO_GROUP = Operation("sendings.to_group", "POST", "/Console/Group/{group_id}/Email/{message_id}/Send", DOCUMENTED, Sent)
TO_RECIPIENT = Operation("sendings.to_recipient", "POST", "/Console/Email/Send", RECORDED, Sent)
IMMEDIATE = Operation("sendings.immediate", "GET", "/Console/Email/Sendings/Immediate", MAILUP_CODE, Sending)
DEFERRED = Operation("sendings.deferred", "GET", "/Console/Email/Sendings/Deferred", MAILUP_CODE, Sending)
UNDEFINED = Operation("sendings.undefined", "GET", "/Console/Email/Sendings/Undefined", MAILUP_CODE, Sending)
START_NOW = Operation("sendings.start_now", "POST", "/Console/Email/Sendings/{sending_id}/Immediate", DOCUMENTED,
    Sending)
EARLIEST = Operation("sendings.earliest", "GET", "/Console/Email/Sendings/{sending_id}/Deferred", MAILUP_CODE,
    parsing.moment)
SCHEDULE = Operation("sendings.schedule", "POST", "/Console/Email/Sendings/{sending_id}/Deferred", MAILUP_CODE, Sending)
CANCEL = Operation("sendings.cancel", "DELETE", "/Console/Email/Sendings/{sending_id}", DOCUMENTED, no_result)
STOP = Operation("sendings.stop", "POST", "/Console/Email/Sendings/{sending_id}/Stop", DOCUMENTED, no_result)
# fmt: on


class Sendings(Resource):
    """The operations that send e-mail messages, and those on MailUp's queues.

    If a call to send raises MailUpUnavailable with `may_have_arrived`, look at the queues and the message's
    `send_history` before you call again.
    """

    def __init__(self, client: Driver, fields: Fields) -> None:
        super().__init__(client)
        self._fields = fields

    def to_list(
        self, *, list_id: int, message_id: int, at: datetime | None = None, sender_name: str | None = None,
        sender_email: str | None = None, **options: Unpack[CallOptions],
    ) -> Sent:  # fmt: skip
        """Send a message to all subscribers of a list.

        Args:
            at: when to send, an aware datetime; by default now.
            sender_name, sender_email: the sender, by default the list's. (Found in MailUp's own SDK.)

        Raises:
            ValueError: `at` has no time zone, or the sender's address is not an e-mail address.
            MailUpUnavailable: there was no answer. See Sendings for what to do.
        """
        params = _send_params(at, sender_name, sender_email)
        return self._call(TO_LIST, params=params, list_id=list_id, message_id=message_id, options=options)

    def to_group(
        self, *, group_id: int, message_id: int, at: datetime | None = None, sender_name: str | None = None,
        sender_email: str | None = None, **options: Unpack[CallOptions],
    ) -> Sent:  # fmt: skip
        """Send a message to the subscribers in a group. Other arguments and errors are those of `to_list`."""
        params = _send_params(at, sender_name, sender_email)
        return self._call(TO_GROUP, params=params, group_id=group_id, message_id=message_id, options=options)

    def to_recipient(
        self, *, email: str, message_id: int, fields: FieldValues | None = None, **options: Unpack[CallOptions]
    ) -> Sent:
        """Send a message to one address, now.

        Args:
            fields: values of personal fields for this message only, by id or by name.

        Raises:
            ValueError: the address is not an e-mail address, or a field doesn't exist.
        """
        body = {"Email": arguments.email("email", email), "idMessage": arguments.positive("message_id", message_id)}
        return self._client.run(self._to_recipient(body, fields, options))

    immediate = paged_call(PagesTake.no_ids, IMMEDIATE, "Yield the sendings under way.")
    deferred = paged_call(PagesTake.no_ids, DEFERRED, "Yield the scheduled sendings.")
    undefined = paged_call(PagesTake.no_ids, UNDEFINED, "Yield the sendings without a time, such as confirmations.")
    start_now = single_call(CallTakes.sending_id, START_NOW, "Start a waiting sending now, and return it.")
    earliest = single_call(CallTakes.sending_id, EARLIEST, "Return the earliest time to schedule a sending for.")

    def schedule(self, *, sending_id: int, at: datetime, **options: Unpack[CallOptions]) -> Sending:
        """Schedule a waiting sending, and return it. `at` is an aware datetime.

        Raises:
            ValueError: `at` has no time zone.
        """
        body = {"Date": arguments.moment("at", at)}
        return self._call(SCHEDULE, json=body, sending_id=sending_id, options=options)

    cancel = single_call(
        CallTakes.sending_id, CANCEL, "Delete a scheduled sending. MailUp allows one call in 30 seconds."
    )
    stop = single_call(CallTakes.sending_id, STOP, "Stop a sending under way. MailUp allows one call in 30 seconds.")

    def _to_recipient(self, body: dict[str, Any], fields: FieldValues | None, options: CallOptions) -> Flow[Sent]:
        personal = yield from self._fields.resolve_flow(fields, options)
        return (yield from self._flow(TO_RECIPIENT, json={**body, "Fields": personal}, options=options))


def _send_params(at: datetime | None, sender_name: str | None, sender_email: str | None) -> dict[str, Any]:
    return arguments.without_none(
        datetime=f'"{arguments.moment("at", at)}"' if at is not None else None,
        SenderName=sender_name,
        SenderAddress=arguments.email("sender_email", sender_email) if sender_email is not None else None,
    )
