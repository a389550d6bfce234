"""Attachments of e-mail messages. Only their names are kept."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ..accounts import Message
from ..api_call import Call
from ..errors import APIError
from .routes import route

SLOTS = 5
"""Attachments of one message are numbered from 1 to this."""


def decode_file(body: dict[str, Any]) -> bytes:
    """Return the content of a file that was sent as base64. Raise APIError (400) if it is malformed."""
    data = str(body.get("Base64Data") or body.get("Data") or "")
    if not data or "\r" in data or "\n" in data:
        raise APIError(400, "Base64Data must be base64 without line breaks.")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise APIError(400, "Base64Data is not base64.") from None


def attachments_json(message: Message) -> list[dict[str, Any]]:
    return [
        {"Name": name, "Path": f"/attachments/{message.id}/{slot}/{name}", "Slot": slot}
        for slot, name in sorted(message.attachments.items())
    ]


@route("GET", "/Console/List/{list_id}/Email/{message_id}/Attachment")
def all_attachments(call: Call, list_id: str, message_id: str) -> Any:
    return attachments_json(call.find_message(list_id, message_id))


@route("POST", "/Console/List/{list_id}/Email/{message_id}/Attachment/{slot}")
def add(call: Call, list_id: str, message_id: str, slot: str) -> Any:
    found, body = call.find_message(list_id, message_id), call.body_object()
    if not 1 <= int(slot) <= SLOTS:
        raise APIError(400, f"There are {SLOTS} slots.")
    decode_file(body)
    found.attachments[int(slot)] = str(body.get("Name") or "")
    return attachments_json(found)


@route("DELETE", "/Console/List/{list_id}/Email/{message_id}/Attachment/{slot}")
def delete(call: Call, list_id: str, message_id: str, slot: str) -> Any:
    found = call.find_message(list_id, message_id)
    found.attachments.pop(int(slot), None)
    return attachments_json(found)
