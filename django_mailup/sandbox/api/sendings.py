"""Sending messages to recipients, and the queues of sendings, in both channels."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..accounts import Message, Sending, format_date
from ..api_call import EMPTY, Call
from ..errors import APIError
from .routes import route


def parse_date(text: str) -> float:
    """Return a date in MailUp's form and in UTC as seconds since 1970. Raise APIError (400) if it has another form."""
    try:
        found = datetime.strptime(text.strip('"'), "%Y-%m-%d %H:%M:%SZ")
    except ValueError:
        raise APIError(400, "A date is written yyyy-MM-dd HH:mm:ssZ.") from None
    return found.replace(tzinfo=UTC).timestamp()


def create_sending(call: Call, channel: str, message: Message, recipient_ids: list[int]) -> Sending:
    """Send a message to recipients, now or at the query parameter `datetime`. Return the sending."""
    start_at = parse_date(call.query["datetime"]) if call.query.get("datetime") else call.now
    made = Sending(next(call.account.ids), channel, message, recipient_ids, start_at)
    call.account.sendings[made.id] = made
    call.account.send_due(call.now)
    return made


def sent_json(made: Sending, *, with_id: bool = True) -> dict[str, Any]:
    answer = {
        "InvalidRecipients": [], "Sent": len(made.recipient_ids), "UnprocessedRecipients": [],
        "idMessage": made.message.id,
    }  # fmt: skip
    return {"Id": made.id, **answer} if with_id else answer


def subscriber_ids(call: Call, list_id: int, channel: str = "email", group_id: int | None = None) -> list[int]:
    """Return the ids of the recipients who are subscribed to a list, or of those among them in a group."""
    return [
        recipient.id
        for recipient in call.account.recipients.values()
        if (opt_in := recipient.opt_ins(channel).get(list_id)) is not None
        and opt_in.status == "subscribed"
        and (group_id is None or group_id in recipient.group_ids)
    ]


@route("POST", "/Console/List/{list_id}/Email/{message_id}/Send")
def to_list(call: Call, list_id: str, message_id: str) -> Any:
    found = call.find_message(list_id, message_id)
    return sent_json(create_sending(call, "email", found, subscriber_ids(call, found.list_id)))


@route("POST", "/Console/Group/{group_id}/Email/{message_id}/Send")
def to_group(call: Call, group_id: str, message_id: str) -> Any:
    parent = call.find_list_of_group(group_id)
    found = call.find_message_by_id(message_id)
    return sent_json(create_sending(call, "email", found, subscriber_ids(call, parent.id, group_id=int(group_id))))


@route("POST", "/Console/Email/Send")
def to_recipient(call: Call) -> Any:
    body = call.body_object()
    found = call.account.messages.get(int(body.get("idMessage") or 0))
    if found is None:
        raise APIError(404, "The message does not exist.")
    if "@" not in str(body.get("Email") or ""):
        raise APIError(400, "Email is mandatory.")
    recipient, _ = call.save_recipient({"Email": body["Email"]})
    return sent_json(create_sending(call, "email", found, [recipient.id]))


def queue_page(call: Call, channel: str, queue: str) -> Any:
    """Return one page of a queue of a channel.

    `deferred` holds sendings that have a time, `undefined` those without; `immediate` is always empty, because the
    sandbox sends at once.
    """

    def belongs(each: Sending) -> bool:
        if each.channel != channel or each.done:
            return False
        return each.start_at is None if queue == "undefined" else queue == "deferred" and each.start_at is not None

    return call.page([sending_json(each) for each in call.account.sendings.values() if belongs(each)])


def sending_json(each: Sending) -> dict[str, Any]:
    return {
        "Id": each.id, "IdList": each.message.list_id, "IdMessage": each.message.id, "Notes": each.notes,
        "StartDate": format_date(each.start_at), "State": "done" if each.done else "waiting",
        "Subject": each.message.body.get("Subject") or "", "Type": each.channel,
    }  # fmt: skip


def find_waiting(call: Call, sending_id: str, channel: str) -> Sending:
    """Return a sending that has not been sent yet. Raise APIError: 404 if there is none, 400 if it has been sent."""
    found = call.account.sendings.get(int(sending_id))
    if found is None or found.channel != channel:
        raise APIError(404, f"Sending {sending_id} does not exist.")
    if found.done:
        raise APIError(400, f"Sending {sending_id} is over.")
    return found


def start_sending(call: Call, sending_id: str, channel: str) -> Any:
    found = find_waiting(call, sending_id, channel)
    found.start_at = call.now
    call.account.send(found, call.now)
    return sending_json(found)


def schedule_sending(call: Call, sending_id: str, channel: str) -> Any:
    found = find_waiting(call, sending_id, channel)
    found.start_at = parse_date(str(call.body_object().get("Date") or ""))
    return sending_json(found)


@route("GET", "/Console/Email/Sendings/Immediate")
def immediate(call: Call) -> Any:
    return queue_page(call, "email", "immediate")


@route("GET", "/Console/Email/Sendings/Deferred")
def deferred(call: Call) -> Any:
    return queue_page(call, "email", "deferred")


@route("GET", "/Console/Email/Sendings/Undefined")
def undefined(call: Call) -> Any:
    return queue_page(call, "email", "undefined")


@route("POST", "/Console/Email/Sendings/{sending_id}/Immediate")
def start_now(call: Call, sending_id: str) -> Any:
    return start_sending(call, sending_id, "email")


@route("DELETE", "/Console/Email/Sendings/{sending_id}")
def cancel(call: Call, sending_id: str) -> Any:
    del call.account.sendings[find_waiting(call, sending_id, "email").id]
    return EMPTY


@route("POST", "/Console/Email/Sendings/{sending_id}/Stop")
def stop(call: Call, sending_id: str) -> Any:
    """Take a sending's time away. None is ever under way here, because the sandbox sends at once."""
    find_waiting(call, sending_id, "email").start_at = None
    return EMPTY


@route("GET", "/Console/Email/Sending/{sending_id}/Deferred")
@route("GET", "/Console/Email/Sendings/{sending_id}/Deferred")
def earliest(call: Call, sending_id: str) -> Any:
    find_waiting(call, sending_id, "email")
    return format_date(call.now + 60)


@route("POST", "/Console/Email/Sendings/{sending_id}/Deferred")
def schedule(call: Call, sending_id: str) -> Any:
    return schedule_sending(call, sending_id, "email")
