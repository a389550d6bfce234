"""Attachments of e-mail messages, in numbered slots."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..operations import Operation
from . import arguments, reading
from .requester import Resource

ALL: Final = Operation("attachments.all", "GET", "/Console/List/{list_id}/Email/{message_id}/Attachment")
ADD: Final = Operation("attachments.add", "POST", "/Console/List/{list_id}/Email/{message_id}/Attachment/{slot}")
DELETE: Final = Operation(
    "attachments.delete", "DELETE", "/Console/List/{list_id}/Email/{message_id}/Attachment/{slot}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that travels with a message."""

    slot: int
    name: str
    path: str
    raw: Mapping[str, Any] = field(repr=False)


class Attachments(Resource):
    """The operations on attachments. Each returns all that the message has then."""

    def all(self, *, list_id: int, message_id: int) -> list[Attachment]:
        """Return the attachments of a message. (Documented by MailUp.)

        `GET /Console/List/{list_id}/Email/{message_id}/Attachment`.
        """
        return _attachments(self._call(ALL, list_id=list_id, message_id=message_id))

    def add(self, *, list_id: int, message_id: int, slot: int, name: str, content: bytes) -> list[Attachment]:
        """Put a file into a slot, from 1; how many there are isn't documented. (Documented by MailUp.)

        `POST /Console/List/{list_id}/Email/{message_id}/Attachment/{slot}`.

        Raises:
            ValueError: no name, or an empty file.
            BadRequest: there is no such slot.
        """
        if not content:
            raise ValueError("content must not be empty.")
        body = {
            "Base64Data": base64.b64encode(content).decode(),  # without line breaks, which MailUp refuses
            "Name": arguments.text("name", name),
            "Slot": slot,
            "idList": list_id,
            "idMessage": message_id,
        }
        return _attachments(self._call(ADD, json=body, list_id=list_id, message_id=message_id, slot=slot))

    def delete(self, *, list_id: int, message_id: int, slot: int) -> list[Attachment]:
        """Empty a slot. `DELETE /Console/List/{list_id}/Email/{message_id}/Attachment/{slot}`.

        (In MailUp's own SDK.)
        """
        return _attachments(self._call(DELETE, list_id=list_id, message_id=message_id, slot=slot))


def _attachments(answer: object) -> list[Attachment]:
    return [
        Attachment(
            slot=reading.number(raw, "Slot") or 0, name=reading.text(raw, "Name"), path=reading.text(raw, "Path"),
            raw=raw,
        )
        for raw in reading.records([] if answer is None else answer)
    ]  # fmt: skip
