"""Attachments of e-mail messages, in numbered slots."""

from __future__ import annotations

from typing import Any, Unpack

from .. import arguments, parsing
from ..flow import CallOptions
from ..methods import CallTakes, single_call
from ..operations import DOCUMENTED, MAILUP_CODE, Operation
from ..records import Record, key, list_of
from ..resource_base import Resource


class Attachment(Record):
    """A file that is attached to a message."""

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
    """The operations on attachments. Each returns all attachments that the message has afterwards."""

    all = single_call(CallTakes.list_and_message, ALL, "Return the attachments of a message.")

    def add(
        self, *, list_id: int, message_id: int, slot: int, name: str, content: bytes, **options: Unpack[CallOptions]
    ) -> list[Attachment]:
        """Attach a file to a message.

        Args:
            slot: the number of the slot, from 1. How many slots a message has isn't documented.

        Raises:
            ValueError: the name or the content is empty.
            BadRequest: there is no such slot.
        """
        body = {
            "Base64Data": arguments.file_content("content", content),
            "Name": arguments.text("name", name),
            "Slot": slot,
            "idList": list_id,
            "idMessage": message_id,
        }
        return self._call(ADD, json=body, list_id=list_id, message_id=message_id, slot=slot, options=options)

    def delete(self, *, list_id: int, message_id: int, slot: int, **options: Unpack[CallOptions]) -> list[Attachment]:
        """Delete the attachment in a slot."""
        return self._call(DELETE, list_id=list_id, message_id=message_id, slot=slot, options=options)
