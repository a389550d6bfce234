"""E-mail messages: writing and reading them. Sending is a resource of its own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Unpack

from .. import parsing
from ..flow import CallOptions
from ..operations import Operation, Source
from ..paging import Paged
from ..records import Record, key
from . import arguments
from .requester import PageOptions, Resource


class Message(Record):
    """A message without its content. `last_sent_at` and `url` are told of online and archived ones alone."""

    id: int = key("idMessage")
    list_id: int | None = key("idList", "ListId")
    subject: str = key("Subject")
    notes: str = key("Notes")
    created_at: datetime | None = key("CreationDate")
    last_sent_at: datetime | None = key("LastSendDate")
    url: str = key("Url")


class MessageDetails(Message):
    """A message with its content, which is HTML. What else MailUp says of it is in `raw`."""

    content: str = key("Content")
    is_confirmation: bool = key("IsConfirmation")
    tag_ids: tuple[int, ...] = key(
        "Tags", parse=lambda tags: tuple(parsing.table(tags, of=parsing.text, under="Name", by=("Id",)))
    )


class SendRecord(Record):
    """One time that a message was sent."""

    message_id: int | None = key("idMessage")
    started_at: datetime | None = key("StartDate")
    ended_at: datetime | None = key("EndDate")
    recipients: int | None = key("Recipients")
    kilobytes: int | None = key("Kb_transferred")
    sender_name: str = key("SenderName")
    sender_email: str = key("SenderEmail")


BY_ID: Final = ("idMessage",)
ALL: Final = Operation(
    "messages.all", "GET", "/Console/List/{list_id}/Emails", source=Source.DOCUMENTED, returns=Message, order=BY_ID
)
EVERYWHERE: Final = Operation(
    "messages.everywhere", "GET", "/Console/User/Emails", source=Source.MAILUP_CODE, returns=Message, order=BY_ID
)
ONLINE: Final = Operation(
    "messages.online", "GET", "/Console/List/{list_id}/Online/Emails", source=Source.DOCUMENTED, returns=Message,
    order=BY_ID,
)  # fmt: skip
ARCHIVED: Final = Operation(
    "messages.archived", "GET", "/Console/List/{list_id}/Archived/Emails", source=Source.DOCUMENTED, returns=Message,
    order=BY_ID,
)  # fmt: skip
GET: Final = Operation(
    "messages.get", "GET", "/Console/List/{list_id}/Email/{message_id}", source=Source.DOCUMENTED,
    returns=MessageDetails,
)  # fmt: skip
CREATE: Final = Operation(
    "messages.create", "POST", "/Console/List/{list_id}/Email", source=Source.DOCUMENTED, returns=Message
)
UPDATE: Final = Operation(
    "messages.update", "PUT", "/Console/List/{list_id}/Email/{message_id}", source=Source.DOCUMENTED, returns=Message
)
DELETE: Final = Operation(
    "messages.delete", "DELETE", "/Console/List/{list_id}/Email/{message_id}", source=Source.MAILUP_CODE,
    returns=parsing.nothing,
)  # fmt: skip
FROM_TEMPLATE: Final = Operation(
    "messages.create_from_template", "POST", "/Console/List/{list_id}/Email/Template/{template_id}",
    source=Source.MAILUP_CODE, returns=Message,
)  # fmt: skip
MERGE_ON: Final = Operation(
    "messages.enable_merge_fields", "PUT", "/Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/true",
    source=Source.DOCUMENTED, returns=parsing.nothing,
)  # fmt: skip
MERGE_OFF: Final = Operation(
    "messages.disable_merge_fields", "PUT", "/Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/false",
    source=Source.DOCUMENTED, returns=parsing.nothing,
)  # fmt: skip
VISIBILITY: Final = Operation(
    "messages.set_visibility", "PUT", "/Console/List/{list_id}/Email/{message_id}/Online/Visibility",
    source=Source.MAILUP_CODE, returns=parsing.nothing,
)  # fmt: skip
HISTORY: Final = Operation(
    "messages.send_history", "GET", "/Console/List/{list_id}/Email/{message_id}/SendHistory",
    source=Source.DOCUMENTED, returns=SendRecord,
)  # fmt: skip


class Messages(Resource):
    """The operations on e-mail messages."""

    def all(self, *, list_id: int, tags: Iterable[str] = (), **options: Unpack[PageOptions]) -> Paged[Message]:
        """Yield the messages of a list. `GET /Console/List/{list_id}/Emails`.

        Args:
            tags: only those with one of these. (Seen in one client.)
        """
        wanted = ",".join(tags)
        return self._pages(ALL, params={"tags": wanted} if wanted else {}, list_id=list_id, options=options)

    def everywhere(self, **options: Unpack[PageOptions]) -> Paged[Message]:
        """Yield the messages of all lists. `GET /Console/User/Emails`."""
        return self._pages(EVERYWHERE, options=options)

    def online(self, *, list_id: int, **options: Unpack[PageOptions]) -> Paged[Message]:
        """Yield the messages that the public may read. `GET /Console/List/{list_id}/Online/Emails`.

        Empty when the list's public visibility is off.
        """
        return self._pages(ONLINE, list_id=list_id, options=options)

    def archived(self, *, list_id: int, **options: Unpack[PageOptions]) -> Paged[Message]:
        """Yield the messages of the public archive. `GET /Console/List/{list_id}/Archived/Emails`."""
        return self._pages(ARCHIVED, list_id=list_id, options=options)

    def get(self, *, list_id: int, message_id: int, **options: Unpack[CallOptions]) -> MessageDetails:
        """Return a message with its content. `GET /Console/List/{list_id}/Email/{message_id}`.

        Raises:
            NotFound: there is no such message in this list.
        """
        return self._call(GET, list_id=list_id, message_id=message_id, options=options)

    def create(
        self, *, list_id: int, subject: str, content: str, notes: str = "", merge_fields: bool = True,
        is_confirmation: bool = False, embed_images: bool = False, track: bool = True, tag_ids: Iterable[int] = (),
        pre_header: str = "", **options: Unpack[CallOptions],
    ) -> Message:  # fmt: skip
        """Write a message, and return it. Nothing is sent. `POST /Console/List/{list_id}/Email`.

        Statistics are kept for each message and add up over sendings: make a new one for every campaign.

        Args:
            content: HTML.
            merge_fields: whether `[name]` and the like stand for personal fields.
            is_confirmation: whether it is the mail that asks to confirm a subscription.
            embed_images: whether images travel inside.
            track: whether opens and clicks are counted.
            tag_ids: tags that exist already.

        Raises:
            ValueError: subject or content is empty.
        """
        body = _body(subject, content, notes, merge_fields, is_confirmation, embed_images, track, tag_ids, pre_header)
        return self._call(CREATE, json=body, list_id=list_id, options=options)

    def update(
        self, *, list_id: int, message_id: int, subject: str, content: str, notes: str = "", merge_fields: bool = True,
        is_confirmation: bool = False, embed_images: bool = False, track: bool = True, tag_ids: Iterable[int] = (),
        pre_header: str = "", **options: Unpack[CallOptions],
    ) -> Message:  # fmt: skip
        """Write a message anew, and return it. `PUT /Console/List/{list_id}/Email/{message_id}`.

        Arguments and errors are those of `create`.
        """
        body = _body(subject, content, notes, merge_fields, is_confirmation, embed_images, track, tag_ids, pre_header)
        body["idMessage"] = message_id
        return self._call(UPDATE, json=body, list_id=list_id, message_id=message_id, options=options)

    def delete(self, *, list_id: int, message_id: int, **options: Unpack[CallOptions]) -> None:
        """Delete a message. `DELETE /Console/List/{list_id}/Email/{message_id}`."""
        return self._call(DELETE, list_id=list_id, message_id=message_id, options=options)

    def create_from_template(self, *, list_id: int, template_id: int, **options: Unpack[CallOptions]) -> Message:
        """Create a message from a template, and return it. `POST /Console/List/{list_id}/Email/Template/{template_id}`."""
        return self._call(FROM_TEMPLATE, list_id=list_id, template_id=template_id, options=options)

    def enable_merge_fields(self, *, list_id: int, message_id: int, **options: Unpack[CallOptions]) -> None:
        """Let `[name]` and the like stand for personal fields.

        `PUT /Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/true`.
        """
        return self._call(MERGE_ON, list_id=list_id, message_id=message_id, options=options)

    def disable_merge_fields(self, *, list_id: int, message_id: int, **options: Unpack[CallOptions]) -> None:
        """Let `[name]` and the like stand as they are.

        `PUT /Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/false`.
        """
        return self._call(MERGE_OFF, list_id=list_id, message_id=message_id, options=options)

    def set_visibility(
        self, *, list_id: int, message_id: int, visible: bool, **options: Unpack[CallOptions]
    ) -> None:
        """Set whether the public may read a message.

        `PUT /Console/List/{list_id}/Email/{message_id}/Online/Visibility`.
        """
        return self._call(VISIBILITY, json=bool(visible), list_id=list_id, message_id=message_id, options=options)

    def send_history(self, *, list_id: int, message_id: int, **options: Unpack[PageOptions]) -> Paged[SendRecord]:
        """Yield when and to how many a message was sent.

        `GET /Console/List/{list_id}/Email/{message_id}/SendHistory`.
        """
        return self._pages(HISTORY, list_id=list_id, message_id=message_id, options=options)


def _body(
    subject: str, content: str, notes: str, merge_fields: bool, is_confirmation: bool, embed_images: bool, track: bool,
    tag_ids: Iterable[int], pre_header: str,
) -> dict[str, Any]:  # fmt: skip
    tags = [{"Id": arguments.positive("tag_ids", each), "Enabled": True, "Name": ""} for each in tag_ids]
    return {
        "Subject": arguments.text("subject", subject),
        "Content": arguments.text("content", content),
        "Notes": notes,
        "Embed": embed_images,
        "IsConfirmation": is_confirmation,
        "Fields": [],
        "Tags": tags or None,
        "TrackingInfo": {"Enabled": track, "Protocols": ["http:", "https:", "ftp:", "news:"], "CustomParams": ""},
        "UseDynamicField": merge_fields,
        "PreHeader": pre_header,
    }
