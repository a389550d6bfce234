"""Attachments of e-mail messages, in numbered slots."""

from __future__ import annotations

import base64
from typing import Any, Unpack

from .. import arguments, parsing
from ..declared import By, called
from ..flow import CallOptions
from ..operations import DOCUMENTED, MAILUP_CODE, Operation
from ..records import Record, key, list_of
from ..requester import Resource


class Attachment(Record):
    """A file that travels with a message."""

    slot: int = key("Slot", parse=parsing.count)
    name: str = key("Name")
    path: str = key("Path")


def _attachments(body: Any) -> list[Attachment]:
    return list_of(Attachment)([] if body is None else body)


# fmt: off
ALL = Operation("attachments.all", "GET", "/Console/List/{list_id}/Email/{message_id}/Attachment", DOCUMENTED,
    _attachments)
ADD = Operation("attachments.add", "POST", "/Console/List/{list_id}/Email/{message_id}/Attachment/{slot}", DOCUMENTED,
    _attachments)
DELETE = Operation("attachments.delete", "DELETE", "/Console/List/{list_id}/Email/{message_id}/Attachment/{slot}",
    MAILUP_CODE, _attachments)
# fmt: on


class Attachments(Resource):
    """The operations on attachments. Each returns all that the message has then."""

    all = called(By.list_and_message, ALL, "Return the attachments of a message.")

    def add(
        self, *, list_id: int, message_id: int, slot: int, name: str, content: bytes, **options: Unpack[CallOptions]
    ) -> list[Attachment]:
        """Put a file into a slot, from 1; how many there are isn't documented.

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
        return self._call(ADD, json=body, list_id=list_id, message_id=message_id, slot=slot, options=options)

    def delete(self, *, list_id: int, message_id: int, slot: int, **options: Unpack[CallOptions]) -> list[Attachment]:
        """Empty a slot."""
        return self._call(DELETE, list_id=list_id, message_id=message_id, slot=slot, options=options)
