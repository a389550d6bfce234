"""Attachments of e-mail messages, in numbered slots."""

from __future__ import annotations

import base64
from typing import Any, Final, Unpack

from .. import parsing
from ..flow import CallOptions
from ..operations import Operation, Source
from ..records import Record, key, list_of
from . import arguments
from .requester import Resource


class Attachment(Record):
    """A file that travels with a message."""

    slot: int = key("Slot", parse=parsing.count)
    name: str = key("Name")
    path: str = key("Path")


def _attachments(body: Any) -> list[Attachment]:
    return list_of(Attachment)([] if body is None else body)


ALL: Final = Operation(
    "attachments.all", "GET", "/Console/List/{list_id}/Email/{message_id}/Attachment", source=Source.DOCUMENTED,
    returns=_attachments,
)  # fmt: skip
ADD: Final = Operation(
    "attachments.add", "POST", "/Console/List/{list_id}/Email/{message_id}/Attachment/{slot}",
    source=Source.DOCUMENTED, returns=_attachments,
)  # fmt: skip
DELETE: Final = Operation(
    "attachments.delete", "DELETE", "/Console/List/{list_id}/Email/{message_id}/Attachment/{slot}",
    source=Source.MAILUP_CODE, returns=_attachments,
)  # fmt: skip


class Attachments(Resource):
    """The operations on attachments. Each returns all that the message has then."""

    def all(self, *, list_id: int, message_id: int, **options: Unpack[CallOptions]) -> list[Attachment]:
        """Return the attachments of a message. `GET /Console/List/{list_id}/Email/{message_id}/Attachment`."""
        return self._call(ALL, list_id=list_id, message_id=message_id, options=options)

    def add(
        self, *, list_id: int, message_id: int, slot: int, name: str, content: bytes, **options: Unpack[CallOptions]
    ) -> list[Attachment]:
        """Put a file into a slot, from 1; how many there are isn't documented.

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
        return self._call(ADD, json=body, list_id=list_id, message_id=message_id, slot=slot, options=options)

    def delete(
        self, *, list_id: int, message_id: int, slot: int, **options: Unpack[CallOptions]
    ) -> list[Attachment]:
        """Empty a slot. `DELETE /Console/List/{list_id}/Email/{message_id}/Attachment/{slot}`."""
        return self._call(DELETE, list_id=list_id, message_id=message_id, slot=slot, options=options)
