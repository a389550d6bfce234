"""Sending e-mail messages, now or later. No call of these is ever sent twice by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Unpack

from .. import arguments, parsing
from ..arguments import FieldValues
from ..declared import By, Rows, called, paged
from ..flow import CallOptions, Steps
from ..operations import DOCUMENTED, MAILUP_CODE, RECORDED, Operation
from ..records import Record, key
from ..requester import Requester, Resource
from .fields import Fields


class Sent(Record):
    """What a call to send came to. `sending_id` is None where MailUp tells none (SMS)."""

    sending_id: int | None = key("Id")
    message_id: int | None = key("idMessage")
    sent: int = key("Sent", parse=parsing.count)
    invalid_recipients: tuple[str, ...] = key("InvalidRecipients", parse=parsing.texts)
    unprocessed_recipients: tuple[str, ...] = key("UnprocessedRecipients", parse=parsing.texts)


class Sending(Record):
    """A sending in one of MailUp's queues. The values of `state` and `type` aren't documented."""

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
# fmt: on


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
        sender_email: str | None = None, **options: Unpack[CallOptions],
    ) -> Sent:  # fmt: skip
        """Send a message to all subscribers of a list.

        Args:
            at: when; at once unless given.
            sender_name, sender_email: instead of the list's own. (In MailUp's own SDK.)

        Raises:
            ValueError: `at` has no time zone, or the sender is no address.
            MailUpUnavailable: see the class.
        """
        params = _when(at, sender_name, sender_email)
        return self._call(TO_LIST, params=params, list_id=list_id, message_id=message_id, options=options)

    def to_group(
        self, *, group_id: int, message_id: int, at: datetime | None = None, sender_name: str | None = None,
        sender_email: str | None = None, **options: Unpack[CallOptions],
    ) -> Sent:  # fmt: skip
        """Send a message to a group. As `to_list`."""
        params = _when(at, sender_name, sender_email)
        return self._call(TO_GROUP, params=params, group_id=group_id, message_id=message_id, options=options)

    def to_recipient(
        self, *, email: str, message_id: int, fields: FieldValues | None = None, **options: Unpack[CallOptions]
    ) -> Sent:
        """Send a message to one address, now.

        Args:
            fields: personal fields for this message alone, by id or by name.

        Raises:
            ValueError: no proper address, or no such field.
        """
        body = {"Email": arguments.email("email", email), "idMessage": arguments.positive("message_id", message_id)}
        return self._client.run(self._to_recipient(body, fields, options))

    immediate = paged(Rows.of_all, IMMEDIATE, "Yield what is being sent now.")
    deferred = paged(Rows.of_all, DEFERRED, "Yield what is scheduled.")
    undefined = paged(Rows.of_all, UNDEFINED, "Yield what waits for a decision, such as mails that ask to confirm.")
    start_now = called(By.sending, START_NOW, "Send what was waiting, and return it.")
    earliest = called(By.sending, EARLIEST, "Return when a sending may be scheduled at the earliest.")

    def schedule(self, *, sending_id: int, at: datetime, **options: Unpack[CallOptions]) -> Sending:
        """Set when a sending begins, and return it.

        Raises:
            ValueError: `at` has no time zone.
        """
        body = {"Date": arguments.moment("at", at)}
        return self._call(SCHEDULE, json=body, sending_id=sending_id, options=options)

    def _to_recipient(self, body: dict[str, Any], fields: FieldValues | None, options: CallOptions) -> Steps[Sent]:
        personal = yield from self._fields.resolving(fields, options)
        return (yield from self._steps(TO_RECIPIENT, json={**body, "Fields": personal}, options=options))


def _when(at: datetime | None, sender_name: str | None, sender_email: str | None) -> dict[str, Any]:
    return arguments.given(
        datetime=f'"{arguments.moment("at", at)}"' if at is not None else None,
        SenderName=sender_name,
        SenderAddress=arguments.email("sender_email", sender_email) if sender_email is not None else None,
    )
