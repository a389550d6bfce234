"""E-mail messages, templates, tags, attachments, images, trusted senders, and sending."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

from .calls import EMPTY, Call, Failed, operation
from .memory import Dispatch, Mail, stamp

SLOTS = 5
TEMPLATES = {1: ("Welcome", "<h1>Welcome</h1>"), 2: ("News of the month", "<h1>News</h1><p>[content]</p>")}


def mail_row(mail: Mail) -> dict[str, Any]:
    return {
        "CreationDate": stamp(mail.created_at), "Notes": mail.body.get("Notes") or "", "ServiceType": 0,
        "Subject": mail.body.get("Subject") or "", "idList": mail.list_id, "idMessage": mail.id,
    }  # fmt: skip


def public_row(mail: Mail) -> dict[str, Any]:
    sent = mail.history[-1]["StartDate"] if mail.history else stamp(None)
    return {**mail_row(mail), "LastSendDate": sent, "Url": f"https://sandbox.example/m/{mail.id}"}


def details(mail: Mail) -> dict[str, Any]:
    return {
        **mail_row(mail), "Content": mail.body.get("Content") or "", "Embed": mail.body.get("Embed", False),
        "Fields": mail.body.get("Fields") or [], "IsConfirmation": mail.body.get("IsConfirmation", False),
        "Tags": mail.body.get("Tags") or [], "TrackingInfo": mail.body.get("TrackingInfo"),
        "UseDynamicField": mail.body.get("UseDynamicField", False), "Attachments": attachment_rows(mail),
    }  # fmt: skip


def of_list(call: Call, list_id: str) -> list[Mail]:
    found = call.list(list_id)
    return [mail for mail in call.memory.mails.values() if mail.list_id == found.id]


def write(call: Call, list_id: str) -> dict[str, Any]:
    body = call.object()
    if not body.get("Subject") or body.get("Content") is None:
        raise Failed(400, "Subject and Content are mandatory.")
    known = call.memory.tags.get(int(list_id), {})
    for tag in body.get("Tags") or []:
        if int(tag["Id"]) not in known:
            raise Failed(400, f"Tag {tag['Id']} does not exist.")
    return body


@operation("GET", "/Console/List/{list_id}/Emails")
def mails(call: Call, list_id: str) -> Any:
    found = of_list(call, list_id)
    wanted = {name for name in call.query.get("tags", "").split(",") if name}
    if wanted:
        ids = {number for number, tag in call.memory.tags.get(int(list_id), {}).items() if tag["Name"] in wanted}
        found = [mail for mail in found if ids & {int(tag["Id"]) for tag in mail.body.get("Tags") or []}]
    return call.pages([mail_row(mail) for mail in found])


@operation("GET", "/Console/User/Emails")
def user_mails(call: Call) -> Any:
    return call.pages([mail_row(mail) for mail in call.memory.mails.values()])


@operation("GET", "/Console/List/{list_id}/Online/Emails")
def online(call: Call, list_id: str) -> Any:
    return call.pages([public_row(mail) for mail in of_list(call, list_id) if mail.visible])


@operation("GET", "/Console/List/{list_id}/Archived/Emails")
def archived(call: Call, list_id: str) -> Any:
    return call.pages([public_row(mail) for mail in of_list(call, list_id) if mail.visible and mail.history])


@operation("GET", "/Console/List/{list_id}/Email/{message_id}")
def mail(call: Call, list_id: str, message_id: str) -> Any:
    return details(call.mail(list_id, message_id))


@operation("POST", "/Console/List/{list_id}/Email")
def create(call: Call, list_id: str) -> Any:
    found, body = call.list(list_id), write(call, list_id)
    made = Mail(next(call.memory.ids), found.id, body, call.now)
    call.memory.mails[made.id] = made
    return mail_row(made)


@operation("PUT", "/Console/List/{list_id}/Email/{message_id}")
def update(call: Call, list_id: str, message_id: str) -> Any:
    found = call.mail(list_id, message_id)
    found.body |= write(call, list_id)
    return mail_row(found)


@operation("DELETE", "/Console/List/{list_id}/Email/{message_id}")
def delete(call: Call, list_id: str, message_id: str) -> Any:
    del call.memory.mails[call.mail(list_id, message_id).id]
    return EMPTY


@operation("POST", "/Console/List/{list_id}/Email/Template/{template_id}")
def from_template(call: Call, list_id: str, template_id: str) -> Any:
    found = call.list(list_id)
    title, content = template(template_id)
    made = Mail(next(call.memory.ids), found.id, {"Subject": title, "Content": content}, call.now)
    call.memory.mails[made.id] = made
    return mail_row(made)


@operation("PUT", "/Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/true")
def merge_on(call: Call, list_id: str, message_id: str) -> Any:
    found = call.mail(list_id, message_id)
    found.body["UseDynamicField"] = True
    return details(found)


@operation("PUT", "/Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/false")
def merge_off(call: Call, list_id: str, message_id: str) -> Any:
    found = call.mail(list_id, message_id)
    found.body["UseDynamicField"] = False
    return details(found)


@operation("PUT", "/Console/List/{list_id}/Email/{message_id}/Online/Visibility")
def visibility(call: Call, list_id: str, message_id: str) -> Any:
    if not isinstance(call.body, bool):
        raise Failed(400, "The request body must be true or false.")
    call.mail(list_id, message_id).visible = call.body
    return EMPTY


@operation("GET", "/Console/List/{list_id}/Email/{message_id}/SendHistory")
def history(call: Call, list_id: str, message_id: str) -> Any:
    return call.pages(call.mail(list_id, message_id).history)


# ------------------------------------------------------------------------- templates, tags, files


def template(template_id: str) -> tuple[str, str]:
    if int(template_id) not in TEMPLATES:
        raise Failed(404, f"Template {template_id} does not exist.")
    return TEMPLATES[int(template_id)]


@operation("GET", "/Console/List/{list_id}/Templates")
def templates(call: Call, list_id: str) -> Any:
    call.list(list_id)
    return call.pages([{"Id": number, "Title": title} for number, (title, _) in TEMPLATES.items()])


@operation("GET", "/Console/List/{list_id}/Templates/{template_id}")
def one_template(call: Call, list_id: str, template_id: str) -> Any:
    call.list(list_id)
    title, content = template(template_id)
    return {"Content": content, "Id": int(template_id), "Text": title, "Thumbnail": "", "Title": title}


@operation("GET", "/Console/List/{list_id}/Tags")
def tags(call: Call, list_id: str) -> Any:
    return call.pages(list(call.memory.tags.get(call.list(list_id).id, {}).values()))


@operation("POST", "/Console/List/{list_id}/Tag")
def create_tag(call: Call, list_id: str) -> Any:
    if not isinstance(call.body, str) or not call.body:
        raise Failed(400, "The request body must be a string in double quotes.")
    number = next(call.memory.ids)
    made = {"Enabled": True, "Id": number, "Name": call.body}
    call.memory.tags.setdefault(call.list(list_id).id, {})[number] = made
    return made


def tag(call: Call, list_id: str, tag_id: str) -> dict[str, Any]:
    found = call.memory.tags.get(call.list(list_id).id, {}).get(int(tag_id))
    if found is None:
        raise Failed(404, f"Tag {tag_id} does not exist.")
    return found


@operation("PUT", "/Console/List/{list_id}/Tag/{tag_id}")
def update_tag(call: Call, list_id: str, tag_id: str) -> Any:
    found, body = tag(call, list_id, tag_id), call.object()
    found |= {"Enabled": body.get("Enabled", True), "Name": body.get("Name", found["Name"])}
    return found


@operation("DELETE", "/Console/List/{list_id}/Tag/{tag_id}")
def delete_tag(call: Call, list_id: str, tag_id: str) -> Any:
    tag(call, list_id, tag_id)
    del call.memory.tags[int(list_id)][int(tag_id)]
    return EMPTY


def decoded(body: dict[str, Any]) -> bytes:
    data = str(body.get("Base64Data") or body.get("Data") or "")
    if not data or "\r" in data or "\n" in data:
        raise Failed(400, "Base64Data must be base64 without line breaks.")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise Failed(400, "Base64Data is not base64.") from None


def attachment_rows(mail: Mail) -> list[dict[str, Any]]:
    return [
        {"Name": name, "Path": f"/attachments/{mail.id}/{slot}/{name}", "Slot": slot}
        for slot, name in sorted(mail.attachments.items())
    ]


@operation("GET", "/Console/List/{list_id}/Email/{message_id}/Attachment")
def attachments(call: Call, list_id: str, message_id: str) -> Any:
    return attachment_rows(call.mail(list_id, message_id))


@operation("POST", "/Console/List/{list_id}/Email/{message_id}/Attachment/{slot}")
def add_attachment(call: Call, list_id: str, message_id: str, slot: str) -> Any:
    found, body = call.mail(list_id, message_id), call.object()
    if not 1 <= int(slot) <= SLOTS:
        raise Failed(400, f"There are {SLOTS} slots.")
    decoded(body)
    found.attachments[int(slot)] = str(body.get("Name") or "")
    return attachment_rows(found)


@operation("DELETE", "/Console/List/{list_id}/Email/{message_id}/Attachment/{slot}")
def delete_attachment(call: Call, list_id: str, message_id: str, slot: str) -> Any:
    found = call.mail(list_id, message_id)
    found.attachments.pop(int(slot), None)
    return attachment_rows(found)


def add_image(call: Call, list_id: int) -> list[str]:
    body = call.object()
    decoded(body)
    where = call.memory.images.setdefault(list_id, [])
    where.append(f"https://sandbox.example/images/{list_id}/{body.get('Name')}")
    return where


@operation("GET", "/Console/Images")
def images(call: Call) -> Any:
    return call.memory.images.get(0, [])


@operation("POST", "/Console/Images")
def create_image(call: Call) -> Any:
    return add_image(call, 0)


@operation("DELETE", "/Console/Images")
def delete_image(call: Call) -> Any:
    if call.body not in call.memory.images.get(0, []):
        raise Failed(404, "There is no such image.")
    call.memory.images[0].remove(call.body)
    return EMPTY


@operation("GET", "/Console/List/{list_id}/Images")
def list_images(call: Call, list_id: str) -> Any:
    return call.memory.images.get(call.list(list_id).id, [])


@operation("POST", "/Console/List/{list_id}/Images")
def create_list_image(call: Call, list_id: str) -> Any:
    return add_image(call, call.list(list_id).id)


# ---------------------------------------------------------------------------------------- sending


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
