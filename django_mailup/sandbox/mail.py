"""E-mail messages, templates, tags, attachments and images."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from .calls import EMPTY, Call, Failed, operation
from .memory import Mail, stamp

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
