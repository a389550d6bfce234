"""The SMS channel: recipients by number, text messages, and sending them."""

from __future__ import annotations

from typing import Any

from . import mail, recipients, sending
from .calls import Call, Failed, operation
from .memory import Mail, opt_stamp, stamp


@operation("POST", "/Console/Sms/List/{list_id}/Recipients")
def import_to_list(call: Call, list_id: str) -> Any:
    return recipients.upload(call, call.list(list_id).id, None, "sms")


@operation("POST", "/Console/Sms/Group/{group_id}/Recipients")
def import_to_group(call: Call, group_id: str) -> Any:
    return recipients.upload(call, call.group(group_id).id, int(group_id), "sms")


@operation("GET", "/Console/Sms/List/{list_id}/Recipients/Subscribed")
def subscribed(call: Call, list_id: str) -> Any:
    return recipients.standing_with(call, list_id, "subscribed", "sms")


@operation("GET", "/Console/Sms/List/{list_id}/Recipients/Unsubscribed")
def unsubscribed(call: Call, list_id: str) -> Any:
    return recipients.standing_with(call, list_id, "unsubscribed", "sms")


@operation("GET", "/Console/Sms/List/{list_id}/Recipients/Pending")
def pending(call: Call, list_id: str) -> Any:
    return recipients.standing_with(call, list_id, "pending", "sms")


@operation("GET", "/Console/Sms/List/{list_id}/Recipients/SmsOptins")
def opt_ins(call: Call, list_id: str) -> Any:
    found = call.list(list_id)
    return call.pages(
        [
            {
                "MobileNumber": person.number, "MobilePrefix": person.prefix, "Optin_Date": opt_stamp(standing.since),
                "Status": recipients.STATUS[standing.status], "idRecipient": person.id,
            }
            for person in call.memory.people.values()
            if (standing := person.sms.get(found.id)) is not None
        ]
    )  # fmt: skip


def row(found: Mail) -> dict[str, Any]:
    return {
        "Content": found.body.get("Content") or "", "CreationDate": stamp(found.created_at),
        "Notes": found.body.get("Notes") or "", "Subject": found.body.get("Subject") or "", "idList": found.list_id,
        "idMessage": found.id,
    }  # fmt: skip


@operation("POST", "/Console/Sms/List/{list_id}/Message")
def create(call: Call, list_id: str) -> Any:
    found, body = call.list(list_id), mail.write(call, list_id)
    made = Mail(next(call.memory.ids), found.id, body, call.now)
    call.memory.texts[made.id] = made
    return row(made)


@operation("GET", "/Console/Sms/List/{list_id}/Messages")
def messages(call: Call, list_id: str) -> Any:
    found = call.list(list_id)
    return call.pages([row(each) for each in call.memory.texts.values() if each.list_id == found.id])


@operation("GET", "/Console/Sms/List/{list_id}/Message/{message_id}")
def message(call: Call, list_id: str, message_id: str) -> Any:
    return row(call.mail(list_id, message_id, texts=True))


@operation("PUT", "/Console/Sms/List/{list_id}/Message/{message_id}")
def update(call: Call, list_id: str, message_id: str) -> Any:
    found = call.mail(list_id, message_id, texts=True)
    found.body |= mail.write(call, list_id)
    return row(found)


@operation("POST", "/Console/Sms/List/{list_id}/Message/{message_id}/Send")
def send_to_list(call: Call, list_id: str, message_id: str) -> Any:
    found = call.mail(list_id, message_id, texts=True)
    made = sending.dispatch(call, "sms", found, sending.subscribers(call, found.list_id, "sms"))
    return sending.sent(made, with_id=False)


@operation("POST", "/Console/Sms/Group/{group_id}/Message/{message_id}/Send")
def send_to_group(call: Call, group_id: str, message_id: str) -> Any:
    found, parent = sending.of_group(call, group_id, message_id, texts=True), call.group(group_id)
    made = sending.dispatch(call, "sms", found, sending.subscribers(call, parent.id, "sms", int(group_id)))
    return sending.sent(made, with_id=False)


@operation("POST", "/Console/Sms/Send")
def send_to_number(call: Call) -> Any:
    body = call.object()
    found = call.memory.texts.get(int(body.get("idMessage") or 0))
    if found is None:
        raise Failed(404, "The message does not exist.")
    number = str(body.get("Number") or "")
    if not number.isdigit():
        raise Failed(400, "Number is mandatory.")
    person, _ = call.memory.take({"MobileNumber": number, "MobilePrefix": body.get("Prefix")}, call.now)
    return sending.sent(sending.dispatch(call, "sms", found, [person.id]), with_id=False)


@operation("GET", "/Console/Sms/Sendings/Immediate")
def immediate(call: Call) -> Any:
    return sending.queue(call, "sms", "immediate")


@operation("GET", "/Console/Sms/Sendings/Deferred")
def deferred(call: Call) -> Any:
    return sending.queue(call, "sms", "deferred")


@operation("GET", "/Console/Sms/Sendings/Undefined")
def undefined(call: Call) -> Any:
    return sending.queue(call, "sms", "undefined")


@operation("POST", "/Console/Sms/Sendings/{sending_id}/Immediate")
def send_now(call: Call, sending_id: str) -> Any:
    return sending.start_now(call, sending_id, "sms")


@operation("GET", "/Console/Sms/Sendings/{sending_id}/Deferred")
def earliest(call: Call, sending_id: str) -> Any:
    sending.waiting(call, sending_id, "sms")
    return stamp(call.now + 60)


@operation("POST", "/Console/Sms/Sendings/{sending_id}/Deferred")
def send_later(call: Call, sending_id: str) -> Any:
    return sending.schedule(call, sending_id, "sms")


def report_of(call: Call, message_id: str) -> Mail:
    found = call.memory.texts.get(int(message_id))
    if found is None:
        raise Failed(404, f"Message {message_id} does not exist.")
    return found


@operation("GET", "/Console/Sms/{message_id}/Sendings/Report")
def report(call: Call, message_id: str) -> Any:
    return {"Sent": sum(report_of(call, message_id).delivered.values()), "idMessage": int(message_id)}


@operation("GET", "/Console/Sms/{message_id}/Sendings/ReportDetails")
def report_details(call: Call, message_id: str) -> Any:
    found = report_of(call, message_id)
    return call.pages([{"Count": count, "idRecipient": number} for number, count in found.delivered.items()])
