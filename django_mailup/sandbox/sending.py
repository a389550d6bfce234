"""Sending e-mail, MailUp's queues, trusted senders and SMTP+ users. Text messages use its machinery."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .calls import Call, Failed, operation
from .memory import Dispatch, Mail, stamp


def when(text: str) -> float:
    try:
        found = datetime.strptime(text.strip('"'), "%Y-%m-%d %H:%M:%SZ")
    except ValueError:
        raise Failed(400, "A date is written yyyy-MM-dd HH:mm:ssZ.") from None
    return found.replace(tzinfo=UTC).timestamp()


def dispatch(call: Call, channel: str, mail: Mail, people: list[int]) -> Dispatch:
    """Send a message to people, now or at the `datetime` that the call asks for."""
    at = when(call.query["datetime"]) if call.query.get("datetime") else call.now
    made = Dispatch(next(call.memory.ids), channel, mail, people, at)
    call.memory.dispatches[made.id] = made
    call.memory.settle(call.now)
    return made


def sent(made: Dispatch, *, with_id: bool = True) -> dict[str, Any]:
    told = {"InvalidRecipients": [], "Sent": len(made.people), "UnprocessedRecipients": [], "idMessage": made.mail.id}
    return {"Id": made.id, **told} if with_id else told


def subscribers(call: Call, list_id: int, channel: str = "email", group_id: int | None = None) -> list[int]:
    return [
        person.id
        for person in call.memory.people.values()
        if (standing := getattr(person, channel).get(list_id)) is not None
        and standing.status == "subscribed"
        and (group_id is None or group_id in person.groups)
    ]


@operation("POST", "/Console/List/{list_id}/Email/{message_id}/Send")
def send_to_list(call: Call, list_id: str, message_id: str) -> Any:
    found = call.mail(list_id, message_id)
    return sent(dispatch(call, "email", found, subscribers(call, found.list_id)))


def of_group(call: Call, group_id: str, message_id: str, *, texts: bool = False) -> Mail:
    call.group(group_id)
    found = (call.memory.texts if texts else call.memory.mails).get(int(message_id))
    if found is None:
        raise Failed(404, f"Message {message_id} does not exist.")
    return found


@operation("POST", "/Console/Group/{group_id}/Email/{message_id}/Send")
def send_to_group(call: Call, group_id: str, message_id: str) -> Any:
    found, parent = of_group(call, group_id, message_id), call.group(group_id)
    return sent(dispatch(call, "email", found, subscribers(call, parent.id, group_id=int(group_id))))


@operation("POST", "/Console/Email/Send")
def send_to_recipient(call: Call) -> Any:
    body = call.object()
    found = call.memory.mails.get(int(body.get("idMessage") or 0))
    if found is None:
        raise Failed(404, "The message does not exist.")
    if "@" not in str(body.get("Email") or ""):
        raise Failed(400, "Email is mandatory.")
    person, _ = call.memory.take({"Email": body["Email"]}, call.now)
    return sent(dispatch(call, "email", found, [person.id]))


def queue(call: Call, channel: str, kind: str) -> Any:
    def belongs(each: Dispatch) -> bool:
        if each.channel != channel or each.done:
            return False
        return each.at is None if kind == "undefined" else kind == "deferred" and each.at is not None

    return call.pages([queue_row(each) for each in call.memory.dispatches.values() if belongs(each)])


def queue_row(each: Dispatch) -> dict[str, Any]:
    return {
        "Id": each.id, "IdList": each.mail.list_id, "IdMessage": each.mail.id, "Notes": each.note,
        "StartDate": stamp(each.at), "State": "done" if each.done else "waiting",
        "Subject": each.mail.body.get("Subject") or "", "Type": each.channel,
    }  # fmt: skip


def waiting(call: Call, sending_id: str, channel: str) -> Dispatch:
    found = call.memory.dispatches.get(int(sending_id))
    if found is None or found.channel != channel:
        raise Failed(404, f"Sending {sending_id} does not exist.")
    if found.done:
        raise Failed(400, f"Sending {sending_id} is over.")
    return found


def start_now(call: Call, sending_id: str, channel: str) -> Any:
    found = waiting(call, sending_id, channel)
    found.at = call.now
    call.memory.deliver(found, call.now)
    return queue_row(found)


def schedule(call: Call, sending_id: str, channel: str) -> Any:
    found = waiting(call, sending_id, channel)
    found.at = when(str(call.object().get("Date") or ""))
    return queue_row(found)


@operation("GET", "/Console/Email/Sendings/Immediate")
def immediate(call: Call) -> Any:
    return queue(call, "email", "immediate")


@operation("GET", "/Console/Email/Sendings/Deferred")
def deferred(call: Call) -> Any:
    return queue(call, "email", "deferred")


@operation("GET", "/Console/Email/Sendings/Undefined")
def undefined(call: Call) -> Any:
    return queue(call, "email", "undefined")


@operation("POST", "/Console/Email/Sendings/{sending_id}/Immediate")
def send_now(call: Call, sending_id: str) -> Any:
    return start_now(call, sending_id, "email")


@operation("GET", "/Console/Email/Sendings/{sending_id}/Deferred")
def earliest(call: Call, sending_id: str) -> Any:
    waiting(call, sending_id, "email")
    return stamp(call.now + 60)


@operation("POST", "/Console/Email/Sendings/{sending_id}/Deferred")
def send_later(call: Call, sending_id: str) -> Any:
    return schedule(call, sending_id, "email")


# ---------------------------------------------------------------------------------------- senders


@operation("POST", "/Console/TrustedSenders")
def trust(call: Call) -> Any:
    address = str(call.object().get("Email") or "")
    if "@" not in address:
        raise Failed(400, "Email is mandatory.")
    made = {
        "AuthorizationDate": "", "CreationDate": stamp(call.now), "EmailAddress": address,
        "IdTrustedSender": str(next(call.memory.ids)), "StatusCode": 0, "StatusDescription": "Waiting for confirmation",
        "UpdateDate": "",
    }  # fmt: skip
    call.memory.trusted.append(made)
    return made


@operation("GET", "/Console/TrustedSenders")
def trusted(call: Call) -> Any:
    return call.pages(call.memory.trusted)


@operation("GET", "/Console/SmtpPlusPriorities")
def priorities(call: Call) -> Any:
    names = ["VeryHigh", "High", "Normal", "Low", "VeryLow"]
    return [{"PriorityCode": code, "PriorityName": name} for code, name in enumerate(names, 1)]


@operation("POST", "/Console/List/{list_id}/SmtpPlus")
def smtp_user(call: Call, list_id: str) -> Any:
    body = call.object()
    confirmed = {each["EmailAddress"] for each in call.memory.trusted if each["StatusCode"] == 1}
    unconfirmed = [each for each in body.get("TrustedSenders") or [] if each not in confirmed]
    if unconfirmed:
        raise Failed(400, f"{unconfirmed[0]} is not confirmed.")
    return {
        **body,
        "Username": f"s{call.account.uid}_{next(call.memory.ids)}",
        "Secret": "sandbox",
        "IdList": int(list_id),
    }
