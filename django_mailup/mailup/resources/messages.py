"""E-mail messages: reading and writing them. `sendings` sends them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Unpack

from .. import arguments, parsing
from ..flow import CallOptions, Flow
from ..methods import CallTakes, PagesTake, paged_call, single_call
from ..operations import DOCUMENTED, MAILUP_CODE, Operation
from ..paging import Paged, PageOptions
from ..parsing import no_result
from ..records import Record, key
from ..resource_base import Resource
from ..updates import as_written, update_body


class Message(Record):
    """A message without its content. Only `online` and `archived` give `last_sent_at` and `url`."""

    id: int = key("idMessage")
    list_id: int | None = key("idList", "ListId")
    subject: str = key("Subject")
    notes: str = key("Notes")
    created_at: datetime | None = key("CreationDate")
    last_sent_at: datetime | None = key("LastSendDate")
    url: str = key("Url")


class MessageDetails(Message):
    """A message with its content, which is HTML. MailUp's other settings of the message are in `raw`."""

    content: str = key("Content")
    is_confirmation: bool = key("IsConfirmation")
    tag_ids: tuple[int, ...] = key(
        "Tags",
        parse=lambda tags: tuple(parsing.values_by_id(tags, id_names=("Id",), value_name="Name", parse=parsing.text)),
    )


class SendRecord(Record):
    """One sending of a message, in its history."""

    message_id: int | None = key("idMessage")
    started_at: datetime | None = key("StartDate")
    ended_at: datetime | None = key("EndDate")
    recipients: int | None = key("Recipients")
    kilobytes: int | None = key("Kb_transferred")
    sender_name: str = key("SenderName")
    sender_email: str = key("SenderEmail")


BY_ID: Final = ("idMessage",)
WRITABLE: Final = (
    "Subject", "Content", "Notes", "Embed", "IsConfirmation", "Fields", "Tags", "TrackingInfo", "UseDynamicField",
    "PreHeader", "Head", "Body", "Structure",
)  # fmt: skip
"""MailUp's names of what an update sends."""

_ARGUMENTS: Final = {
    "Embed": "embed_images", "IsConfirmation": "is_confirmation", "Notes": "notes", "TrackingInfo": "track",
    "Tags": "tag_ids", "UseDynamicField": "merge_fields", "PreHeader": "pre_header", "Subject": "subject",
    "Content": "content",
}  # fmt: skip
_TRACKING: Final = {"Enabled": True, "Protocols": ["http:", "https:", "ftp:", "news:"], "CustomParams": ""}
# fmt: off
ALL = Operation("messages.all", "GET", "/Console/List/{list_id}/Emails", DOCUMENTED, Message, BY_ID)
EVERYWHERE = Operation("messages.everywhere", "GET", "/Console/User/Emails", MAILUP_CODE, Message, BY_ID)
ONLINE = Operation("messages.online", "GET", "/Console/List/{list_id}/Online/Emails", DOCUMENTED, Message, BY_ID)
ARCHIVED = Operation("messages.archived", "GET", "/Console/List/{list_id}/Archived/Emails", DOCUMENTED, Message, BY_ID)
GET = Operation("messages.get", "GET", "/Console/List/{list_id}/Email/{message_id}", DOCUMENTED, MessageDetails)
CREATE = Operation("messages.create", "POST", "/Console/List/{list_id}/Email", DOCUMENTED, Message)
UPDATE = Operation("messages.update", "PUT", "/Console/List/{list_id}/Email/{message_id}", DOCUMENTED, Message)
DELETE = Operation("messages.delete", "DELETE", "/Console/List/{list_id}/Email/{message_id}", MAILUP_CODE, no_result)
CLONE = Operation("messages.clone", "POST", "/Console/List/{list_id}/Email/{message_id}", DOCUMENTED, Message)
FROM_TEMPLATE = Operation("messages.create_from_template", "POST",
    "/Console/List/{list_id}/Email/Template/{template_id}", MAILUP_CODE, Message)
MERGE_ON = Operation("messages.enable_merge_fields", "PUT",
    "/Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/true", DOCUMENTED, no_result)
MERGE_OFF = Operation("messages.disable_merge_fields", "PUT",
    "/Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/false", DOCUMENTED, no_result)
VISIBILITY = Operation("messages.set_visibility", "PUT",
    "/Console/List/{list_id}/Email/{message_id}/Online/Visibility", MAILUP_CODE, no_result)
HISTORY = Operation("messages.send_history", "GET", "/Console/List/{list_id}/Email/{message_id}/SendHistory",
    DOCUMENTED, SendRecord)
# fmt: on


class Messages(Resource):
    """The operations on e-mail messages."""

    def all(self, *, list_id: int, tags: Iterable[str] = (), **options: Unpack[PageOptions]) -> Paged[Message]:
        """Yield the messages of a list.

        Args:
            tags: names of tags; only messages with at least one of them are returned. (Seen in one client.)
        """
        wanted = ",".join(tags)
        return self._pages(ALL, params={"tags": wanted} if wanted else {}, list_id=list_id, options=options)

    everywhere = paged_call(PagesTake.no_ids, EVERYWHERE, "Yield the messages of all lists.")
    online = paged_call(PagesTake.list_id, ONLINE, "Yield the public messages; none if the list isn't public.")
    archived = paged_call(PagesTake.list_id, ARCHIVED, "Yield the messages in the public archive.")
    get = single_call(CallTakes.list_and_message, GET, "Return a message with its content.")

    def create(
        self, *, list_id: int, subject: str, content: str, notes: str = "", merge_fields: bool = True,
        is_confirmation: bool = False, embed_images: bool = False, track: bool = True, tag_ids: Iterable[int] = (),
        pre_header: str = "", **options: Unpack[CallOptions],
    ) -> Message:  # fmt: skip
        """Create a message, and return it. Nothing is sent.

        MailUp adds up a message's statistics over all its sendings, so create or `clone` a message for every campaign.

        Args:
            content: HTML.
            merge_fields: whether MailUp replaces `[name]` and the like by personal fields.
            is_confirmation: whether the message asks recipients to confirm a subscription.
            embed_images: whether images are sent as part of the message.
            track: whether MailUp counts opens and clicks.
            tag_ids: the ids of existing tags.

        Raises:
            ValueError: subject or content is empty.
        """
        body = _body(subject, content, notes, merge_fields, is_confirmation, embed_images, track, tag_ids, pre_header)
        return self._call(CREATE, json=body, list_id=list_id, options=options)

    def update(
        self, *, list_id: int, message_id: int, subject: str | None = None, content: str | None = None,
        notes: str | None = None, merge_fields: bool | None = None, is_confirmation: bool | None = None,
        embed_images: bool | None = None, track: bool | None = None, tag_ids: Iterable[int] | None = None,
        pre_header: str | None = None, **options: Unpack[CallOptions],
    ) -> Message:  # fmt: skip
        """Change a message, and return it. What is left out stays: the message is read first, by one call more.

        If two change a message at once, the last one wins. Other arguments are those of `create`.

        Raises:
            ValueError: subject or content is empty, or MailUp doesn't give back what is to be changed. No document says
                that it gives `pre_header` back; whether MailUp keeps what an update doesn't send isn't documented.
        """
        changes = arguments.without_none(
            Subject=None if subject is None else arguments.text("subject", subject),
            Content=None if content is None else arguments.text("content", content),
            Notes=notes, Embed=embed_images, IsConfirmation=is_confirmation,
            Tags=None if tag_ids is None else _tags(tag_ids), UseDynamicField=merge_fields, PreHeader=pre_header,
        )  # fmt: skip
        return self._client.run(self._update(changes, track, list_id, message_id, options))

    delete = single_call(CallTakes.list_and_message, DELETE, "Delete a message.")
    clone = single_call(
        CallTakes.list_and_message, CLONE, "Copy a message, such as for a new campaign; return the copy."
    )
    create_from_template = single_call(CallTakes.list_and_template, FROM_TEMPLATE, "Create a message from a template.")
    enable_merge_fields = single_call(CallTakes.list_and_message, MERGE_ON, "Replace `[name]` by personal fields.")
    disable_merge_fields = single_call(CallTakes.list_and_message, MERGE_OFF, "Send `[name]` unchanged.")

    def set_visibility(self, *, list_id: int, message_id: int, visible: bool, **options: Unpack[CallOptions]) -> None:
        """Set whether a message is public."""
        return self._call(VISIBILITY, json=bool(visible), list_id=list_id, message_id=message_id, options=options)

    send_history = paged_call(PagesTake.list_and_message, HISTORY, "Yield the past sendings of a message.")

    def _update(
        self, changes: dict[str, Any], track: bool | None, list_id: int, message_id: int, options: CallOptions
    ) -> Flow[Message]:
        current = (yield from self._flow(GET, list_id=list_id, message_id=message_id, options=options)).raw
        if track is not None:
            changes["TrackingInfo"] = {**_TRACKING, **_tracking(current), "Enabled": track}
        body = update_body(current, WRITABLE, changes, _ARGUMENTS) | {"idMessage": message_id}
        return (yield from self._flow(UPDATE, json=body, list_id=list_id, message_id=message_id, options=options))


def _body(
    subject: str, content: str, notes: str, merge_fields: bool, is_confirmation: bool, embed_images: bool, track: bool,
    tag_ids: Iterable[int], pre_header: str,
) -> dict[str, Any]:  # fmt: skip
    return {
        "Subject": arguments.text("subject", subject),
        "Content": arguments.text("content", content),
        "Notes": notes,
        "Embed": embed_images,
        "IsConfirmation": is_confirmation,
        "Fields": [],
        "Tags": _tags(tag_ids) or None,
        "TrackingInfo": {**_TRACKING, "Enabled": track},
        "UseDynamicField": merge_fields,
        "PreHeader": pre_header,
    }


def _tracking(message: Mapping[str, Any]) -> Mapping[str, Any]:
    found = as_written(parsing.pick(message, "TrackingInfo"))
    return found if isinstance(found, dict) else {}


def _tags(tag_ids: Iterable[int]) -> list[dict[str, Any]]:
    return [{"Id": arguments.positive("tag_ids", each), "Enabled": True, "Name": ""} for each in tag_ids]
