"""E-mail messages."""

from __future__ import annotations

import copy
from typing import Any

from ..accounts import Message, format_date
from ..api_call import EMPTY, Call
from ..errors import APIError
from .attachments import attachments_json
from .routes import route
from .templates import find_template


def message_json(message: Message) -> dict[str, Any]:
    return {
        "CreationDate": format_date(message.created_at), "Notes": message.body.get("Notes") or "", "ServiceType": 0,
        "Subject": message.body.get("Subject") or "", "idList": message.list_id, "idMessage": message.id,
    }  # fmt: skip


def published_json(message: Message) -> dict[str, Any]:
    sent = message.send_history[-1]["StartDate"] if message.send_history else format_date(None)
    return {**message_json(message), "LastSendDate": sent, "Url": f"https://sandbox.example/m/{message.id}"}


def details_json(message: Message) -> dict[str, Any]:
    return {
        **message_json(message), "Content": message.body.get("Content") or "",
        "Embed": message.body.get("Embed", False), "Fields": message.body.get("Fields") or [],
        "IsConfirmation": message.body.get("IsConfirmation", False),
        "Tags": message.body.get("Tags") or [], "TrackingInfo": message.body.get("TrackingInfo"),
        "UseDynamicField": message.body.get("UseDynamicField", False), "Attachments": attachments_json(message),
    }  # fmt: skip


def messages_of_list(call: Call, list_id: str) -> list[Message]:
    found = call.find_list(list_id)
    return [message for message in call.account.messages.values() if message.list_id == found.id]


def message_body(call: Call, list_id: str) -> dict[str, Any]:
    """Return the JSON of a message to be written. Raise APIError (400) if it is incomplete or has an unknown tag."""
    body = call.body_object()
    if not body.get("Subject") or body.get("Content") is None:
        raise APIError(400, "Subject and Content are mandatory.")
    known = call.account.tags.get(int(list_id), {})
    for tag in body.get("Tags") or []:
        if int(tag["Id"]) not in known:
            raise APIError(400, f"Tag {tag['Id']} does not exist.")
    return body


@route("GET", "/Console/List/{list_id}/Emails")
def all_messages(call: Call, list_id: str) -> Any:
    found = messages_of_list(call, list_id)
    wanted = {name for name in call.query.get("tags", "").split(",") if name}
    if wanted:
        ids = {number for number, tag in call.account.tags.get(int(list_id), {}).items() if tag["Name"] in wanted}
        found = [message for message in found if ids & {int(tag["Id"]) for tag in message.body.get("Tags") or []}]
    return call.page([message_json(message) for message in found])


@route("GET", "/Console/User/Emails")
def everywhere(call: Call) -> Any:
    return call.page([message_json(message) for message in call.account.messages.values()])


@route("GET", "/Console/List/{list_id}/Online/Emails")
def online(call: Call, list_id: str) -> Any:
    return call.page([published_json(message) for message in messages_of_list(call, list_id) if message.visible])


@route("GET", "/Console/List/{list_id}/Archived/Emails")
def archived(call: Call, list_id: str) -> Any:
    found = [message for message in messages_of_list(call, list_id) if message.visible and message.send_history]
    return call.page([published_json(message) for message in found])


@route("GET", "/Console/List/{list_id}/Email/{message_id}")
def get(call: Call, list_id: str, message_id: str) -> Any:
    return details_json(call.find_message(list_id, message_id))


@route("POST", "/Console/List/{list_id}/Email")
def create(call: Call, list_id: str) -> Any:
    found, body = call.find_list(list_id), message_body(call, list_id)
    made = Message(next(call.account.ids), found.id, body, call.now)
    call.account.messages[made.id] = made
    return message_json(made)


@route("PUT", "/Console/List/{list_id}/Email/{message_id}")
def update(call: Call, list_id: str, message_id: str) -> Any:
    found = call.find_message(list_id, message_id)
    message_body(call, list_id)
    found.body = call.updated(found.body)
    return message_json(found)


@route("DELETE", "/Console/List/{list_id}/Email/{message_id}")
def delete(call: Call, list_id: str, message_id: str) -> Any:
    del call.account.messages[call.find_message(list_id, message_id).id]
    return EMPTY


@route("POST", "/Console/List/{list_id}/Email/{message_id}")
def clone(call: Call, list_id: str, message_id: str) -> Any:
    found = call.find_message(list_id, message_id)
    made = Message(next(call.account.ids), found.list_id, copy.deepcopy(found.body), call.now, dict(found.attachments))
    call.account.messages[made.id] = made
    return message_json(made)


@route("POST", "/Console/List/{list_id}/Email/Template/{template_id}")
def create_from_template(call: Call, list_id: str, template_id: str) -> Any:
    found = call.find_list(list_id)
    title, content = find_template(template_id)
    made = Message(next(call.account.ids), found.id, {"Subject": title, "Content": content}, call.now)
    call.account.messages[made.id] = made
    return message_json(made)


@route("PUT", "/Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/true")
def enable_merge_fields(call: Call, list_id: str, message_id: str) -> Any:
    found = call.find_message(list_id, message_id)
    found.body["UseDynamicField"] = True
    return details_json(found)


@route("PUT", "/Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/false")
def disable_merge_fields(call: Call, list_id: str, message_id: str) -> Any:
    found = call.find_message(list_id, message_id)
    found.body["UseDynamicField"] = False
    return details_json(found)


@route("PUT", "/Console/List/{list_id}/Email/{message_id}/Online/Visibility")
def set_visibility(call: Call, list_id: str, message_id: str) -> Any:
    if not isinstance(call.body, bool):
        raise APIError(400, "The request body must be true or false.")
    call.find_message(list_id, message_id).visible = call.body
    return EMPTY


@route("GET", "/Console/List/{list_id}/Email/{message_id}/SendHistory")
def send_history(call: Call, list_id: str, message_id: str) -> Any:
    return call.page(call.find_message(list_id, message_id).send_history)
