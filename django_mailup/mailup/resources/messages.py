"""E-mail messages: writing and reading them. Sending is a resource of its own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Unpack

from .. import arguments, parsing
from ..declared import By, Rows, called, paged
from ..flow import CallOptions
from ..operations import DOCUMENTED, MAILUP_CODE, Operation
from ..paging import Paged, PageOptions
from ..parsing import nothing
from ..records import Record, key
from ..requester import Resource


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
# fmt: off
ALL = Operation("messages.all", "GET", "/Console/List/{list_id}/Emails", DOCUMENTED, Message, BY_ID)
EVERYWHERE = Operation("messages.everywhere", "GET", "/Console/User/Emails", MAILUP_CODE, Message, BY_ID)
ONLINE = Operation("messages.online", "GET", "/Console/List/{list_id}/Online/Emails", DOCUMENTED, Message, BY_ID)
ARCHIVED = Operation("messages.archived", "GET", "/Console/List/{list_id}/Archived/Emails", DOCUMENTED, Message, BY_ID)
GET = Operation("messages.get", "GET", "/Console/List/{list_id}/Email/{message_id}", DOCUMENTED, MessageDetails)
CREATE = Operation("messages.create", "POST", "/Console/List/{list_id}/Email", DOCUMENTED, Message)
UPDATE = Operation("messages.update", "PUT", "/Console/List/{list_id}/Email/{message_id}", DOCUMENTED, Message)
DELETE = Operation("messages.delete", "DELETE", "/Console/List/{list_id}/Email/{message_id}", MAILUP_CODE, nothing)
FROM_TEMPLATE = Operation("messages.create_from_template", "POST",
    "/Console/List/{list_id}/Email/Template/{template_id}", MAILUP_CODE, Message)
MERGE_ON = Operation("messages.enable_merge_fields", "PUT",
    "/Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/true", DOCUMENTED, nothing)
MERGE_OFF = Operation("messages.disable_merge_fields", "PUT",
    "/Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/false", DOCUMENTED, nothing)
VISIBILITY = Operation("messages.set_visibility", "PUT",
    "/Console/List/{list_id}/Email/{message_id}/Online/Visibility", MAILUP_CODE, nothing)
HISTORY = Operation("messages.send_history", "GET", "/Console/List/{list_id}/Email/{message_id}/SendHistory",
    DOCUMENTED, SendRecord)
# fmt: on


class Messages(Resource):
    """The operations on e-mail messages."""

    def all(self, *, list_id: int, tags: Iterable[str] = (), **options: Unpack[PageOptions]) -> Paged[Message]:
        """Yield the messages of a list.

        Args:
            tags: only those with one of these. (Seen in one client.)
        """
        wanted = ",".join(tags)
        return self._pages(ALL, params={"tags": wanted} if wanted else {}, list_id=list_id, options=options)

    everywhere = paged(Rows.of_all, EVERYWHERE, "Yield the messages of all lists.")
    online = paged(Rows.of_list, ONLINE, "Yield the messages that the public may read; none if the list isn't public.")
    archived = paged(Rows.of_list, ARCHIVED, "Yield the messages of the public archive.")
    get = called(By.list_and_message, GET, "Return a message with its content.")

    def create(
        self, *, list_id: int, subject: str, content: str, notes: str = "", merge_fields: bool = True,
        is_confirmation: bool = False, embed_images: bool = False, track: bool = True, tag_ids: Iterable[int] = (),
        pre_header: str = "", **options: Unpack[CallOptions],
    ) -> Message:  # fmt: skip
        """Write a message, and return it. Nothing is sent.

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
        """Write a message anew, and return it. Arguments and errors are those of `create`."""
        body = _body(subject, content, notes, merge_fields, is_confirmation, embed_images, track, tag_ids, pre_header)
        body["idMessage"] = message_id
        return self._call(UPDATE, json=body, list_id=list_id, message_id=message_id, options=options)

    delete = called(By.list_and_message, DELETE, "Delete a message.")
    create_from_template = called(By.template, FROM_TEMPLATE, "Create a message from a template, and return it.")
    enable_merge_fields = called(By.list_and_message, MERGE_ON, "Let `[name]` and the like stand for personal fields.")
    disable_merge_fields = called(By.list_and_message, MERGE_OFF, "Let `[name]` and the like stand as they are.")

    def set_visibility(self, *, list_id: int, message_id: int, visible: bool, **options: Unpack[CallOptions]) -> None:
        """Set whether the public may read a message."""
        return self._call(VISIBILITY, json=bool(visible), list_id=list_id, message_id=message_id, options=options)

    send_history = paged(Rows.of_list_and_message, HISTORY, "Yield when and to how many a message was sent.")


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
