"""E-mail messages: writing and reading them. Sending is a resource of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from ..operations import Operation
from ..paging import PAGE_SIZE
from . import arguments, reading
from .requester import Order, Resource, Where

ALL: Final = Operation("messages.all", "GET", "/Console/List/{list_id}/Emails")
EVERYWHERE: Final = Operation("messages.everywhere", "GET", "/Console/User/Emails")
ONLINE: Final = Operation("messages.online", "GET", "/Console/List/{list_id}/Online/Emails")
ARCHIVED: Final = Operation("messages.archived", "GET", "/Console/List/{list_id}/Archived/Emails")
GET: Final = Operation("messages.get", "GET", "/Console/List/{list_id}/Email/{message_id}")
CREATE: Final = Operation("messages.create", "POST", "/Console/List/{list_id}/Email")
UPDATE: Final = Operation("messages.update", "PUT", "/Console/List/{list_id}/Email/{message_id}")
DELETE: Final = Operation("messages.delete", "DELETE", "/Console/List/{list_id}/Email/{message_id}")
FROM_TEMPLATE: Final = Operation(
    "messages.create_from_template", "POST", "/Console/List/{list_id}/Email/Template/{template_id}"
)
MERGE_ON: Final = Operation(
    "messages.enable_merge_fields", "PUT", "/Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/true"
)
MERGE_OFF: Final = Operation(
    "messages.disable_merge_fields", "PUT", "/Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/false"
)
VISIBILITY: Final = Operation(
    "messages.set_visibility", "PUT", "/Console/List/{list_id}/Email/{message_id}/Online/Visibility"
)
HISTORY: Final = Operation("messages.send_history", "GET", "/Console/List/{list_id}/Email/{message_id}/SendHistory")

BY_ID: Final = ("idMessage",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message without its content. `last_sent_at` and `url` are told of online and archived ones alone."""

    id: int
    list_id: int | None
    subject: str
    notes: str
    created_at: datetime | None
    last_sent_at: datetime | None
    url: str
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDetails(Message):
    """A message with its content, which is HTML. What else MailUp says of it is in `raw`."""

    content: str
    is_confirmation: bool
    tag_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRecord:
    """One time that a message was sent."""

    message_id: int | None
    started_at: datetime | None
    ended_at: datetime | None
    recipients: int | None
    kilobytes: int | None
    sender_name: str
    sender_email: str
    raw: Mapping[str, Any] = field(repr=False)


class Messages(Resource):
    """The operations on e-mail messages."""

    def all(
        self, *, list_id: int, tags: Iterable[str] = (), where: Where = None, order: Order = BY_ID,
        page_size: int = PAGE_SIZE,
    ) -> Iterator[Message]:  # fmt: skip
        """Yield the messages of a list. `GET /Console/List/{list_id}/Emails`. (Documented by MailUp.)

        `tags`: only those with one of these. (Seen in one client.)
        """
        wanted = ",".join(tags)
        params = {"tags": wanted} if wanted else {}
        rows = self._pages(ALL, where=where, order=order, page_size=page_size, params=params, list_id=list_id)
        return map(_message, rows)

    def everywhere(self, *, where: Where = None, order: Order = BY_ID, page_size: int = PAGE_SIZE) -> Iterator[Message]:
        """Yield the messages of all lists. `GET /Console/User/Emails`. (In MailUp's own gem.)"""
        return map(_message, self._pages(EVERYWHERE, where=where, order=order, page_size=page_size))

    def online(
        self, *, list_id: int, where: Where = None, order: Order = BY_ID, page_size: int = PAGE_SIZE
    ) -> Iterator[Message]:
        """Yield the messages that the public may read. `GET /Console/List/{list_id}/Online/Emails`.

        (Documented by MailUp.)

        Empty when the list's public visibility is off.
        """
        return map(_message, self._pages(ONLINE, where=where, order=order, page_size=page_size, list_id=list_id))

    def archived(
        self, *, list_id: int, where: Where = None, order: Order = BY_ID, page_size: int = PAGE_SIZE
    ) -> Iterator[Message]:
        """Yield the messages of the public archive. `GET /Console/List/{list_id}/Archived/Emails`.

        (Documented by MailUp.)
        """
        return map(_message, self._pages(ARCHIVED, where=where, order=order, page_size=page_size, list_id=list_id))

    def get(self, *, list_id: int, message_id: int) -> MessageDetails:
        """Return a message with its content. `GET /Console/List/{list_id}/Email/{message_id}`. (Documented by MailUp.)

        Raises:
            NotFound: there is no such message in this list.
        """
        return _details(reading.record(self._call(GET, list_id=list_id, message_id=message_id)))

    def create(
        self, *, list_id: int, subject: str, content: str, notes: str = "", merge_fields: bool = True,
        is_confirmation: bool = False, embed_images: bool = False, track: bool = True, tag_ids: Iterable[int] = (),
        pre_header: str = "",
    ) -> Message:  # fmt: skip
        """Write a message, and return it. Nothing is sent. `POST /Console/List/{list_id}/Email`.

        (Documented by MailUp.)

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
            BadRequest, NotFound: MailUp refuses; there is no such list.
        """
        body = _body(subject, content, notes, merge_fields, is_confirmation, embed_images, track, tag_ids, pre_header)
        return _message(reading.record(self._call(CREATE, json=body, list_id=list_id)))

    def update(
        self, *, list_id: int, message_id: int, subject: str, content: str, notes: str = "", merge_fields: bool = True,
        is_confirmation: bool = False, embed_images: bool = False, track: bool = True, tag_ids: Iterable[int] = (),
        pre_header: str = "",
    ) -> Message:  # fmt: skip
        """Write a message anew, and return it. `PUT /Console/List/{list_id}/Email/{message_id}`.

        (Documented by MailUp.)

        Args and raises as `create`.
        """
        body = _body(subject, content, notes, merge_fields, is_confirmation, embed_images, track, tag_ids, pre_header)
        answer = self._call(UPDATE, json={**body, "idMessage": message_id}, list_id=list_id, message_id=message_id)
        return _message(reading.record(answer))

    def delete(self, *, list_id: int, message_id: int) -> None:
        """Delete a message. `DELETE /Console/List/{list_id}/Email/{message_id}`. (In MailUp's own gem.)"""
        self._call(DELETE, list_id=list_id, message_id=message_id)

    def create_from_template(self, *, list_id: int, template_id: int) -> Message:
        """Make a message of a template, and return it. (In MailUp's own samples.)

        `POST /Console/List/{list_id}/Email/Template/{template_id}`.
        """
        return _message(reading.record(self._call(FROM_TEMPLATE, list_id=list_id, template_id=template_id)))

    def enable_merge_fields(self, *, list_id: int, message_id: int) -> None:
        """Let `[name]` and the like stand for personal fields. (Documented by MailUp.)

        `PUT /Console/List/{list_id}/Email/{message_id}/EnableDynamicFields/true`.
        """
        self._call(MERGE_ON, list_id=list_id, message_id=message_id)

    def disable_merge_fields(self, *, list_id: int, message_id: int) -> None:
        """Let `[name]` and the like stand as they are. `…/EnableDynamicFields/false`. (Documented by MailUp.)"""
        self._call(MERGE_OFF, list_id=list_id, message_id=message_id)

    def set_visibility(self, *, list_id: int, message_id: int, visible: bool) -> None:
        """Say whether the public may read a message. (In MailUp's own gem.)

        `PUT /Console/List/{list_id}/Email/{message_id}/Online/Visibility`.
        """
        self._call(VISIBILITY, json=bool(visible), list_id=list_id, message_id=message_id)

    def send_history(
        self, *, list_id: int, message_id: int, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[SendRecord]:
        """Yield when and to how many a message was sent. (Documented by MailUp.)

        `GET /Console/List/{list_id}/Email/{message_id}/SendHistory`.
        """
        rows = self._pages(HISTORY, order=order, page_size=page_size, list_id=list_id, message_id=message_id)
        return map(_record, rows)


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


def _common(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": reading.identifier(raw, "idMessage"),
        "list_id": reading.number(raw, "idList", "ListId"),
        "subject": reading.text(raw, "Subject"),
        "notes": reading.text(raw, "Notes"),
        "created_at": reading.moment(raw, "CreationDate"),
        "last_sent_at": reading.moment(raw, "LastSendDate"),
        "url": reading.text(raw, "Url"),
        "raw": raw,
    }


def _message(raw: Mapping[str, Any]) -> Message:
    return Message(**_common(raw))


def _details(raw: Mapping[str, Any]) -> MessageDetails:
    tags = reading.pick(raw, "Tags")
    ids = [reading.number(each, "Id") for each in tags if isinstance(each, dict)] if isinstance(tags, list) else []
    return MessageDetails(
        **_common(raw),
        content=reading.text(raw, "Content"),
        is_confirmation=reading.flag(raw, "IsConfirmation"),
        tag_ids=tuple(each for each in ids if each is not None),
    )


def _record(raw: Mapping[str, Any]) -> SendRecord:
    return SendRecord(
        message_id=reading.number(raw, "idMessage"),
        started_at=reading.moment(raw, "StartDate"),
        ended_at=reading.moment(raw, "EndDate"),
        recipients=reading.number(raw, "Recipients"),
        kilobytes=reading.number(raw, "Kb_transferred"),
        sender_name=reading.text(raw, "SenderName"),
        sender_email=reading.text(raw, "SenderEmail"),
        raw=raw,
    )
