"""Mistakes that mypy and pyright must see. Each line that they must report, and no other, ends in `# mistake`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, assert_type

from django_mailup.mailup import (
    Group,
    MailUpClient,
    MessageCount,
    MessageDetails,
    Paged,
    Recipient,
    RecipientCount,
    Tag,
)


def records() -> None:
    tag = Tag(id=1, name="promo", enabled=True)
    assert_type(tag.id, int)
    assert_type(tag.raw, Mapping[str, Any])
    Tag(id=1, name="promo", enabled=True, raw={"Id": 1})
    Tag(id=1, name="promo", enabled=True, raw=1)  # mistake
    Tag(id="1", name="promo", enabled=True)  # mistake
    Tag(id=1, name="promo")  # mistake
    Tag(1, name="promo", enabled=True)  # mistake
    Tag(id=1, name="promo", enabled=True, colour="red")  # mistake
    tag.name = "autumn"  # mistake
    tag.raw = {}  # mistake
    tag.nmae  # mistake  # noqa: B018
    {tag}.add(Group(id=1, list_id=1, name="", notes="", deletable=True, count=None))  # mistake


def inherited(details: MessageDetails, recipient: Recipient) -> None:
    assert_type(details.subject, str)
    assert_type(details.tag_ids, tuple[int, ...])
    assert_type(details.last_sent_at, datetime | None)
    assert_type(recipient.fields, Mapping[int, str])
    assert_type(Recipient.parse({}), Recipient)
    recipient.fields["FirstName"]  # mistake


def methods(mailup: MailUpClient) -> None:
    assert_type(mailup.groups.all(list_id=1), Paged[Group])
    assert_type(mailup.groups.all(list_id=1).page(2).total, int)
    assert_type(next(mailup.statistics.message_views(message_id=1)), RecipientCount)
    assert_type(mailup.statistics.message_views_count(message_id=1, patience=0), int)
    walk: Iterator[MessageCount] = mailup.statistics.recipient_clicks(recipient_id=1, where="[Count==1]", page_size=5)
    for each in walk:
        each.email  # mistake  # noqa: B018
    mailup.statistics.message_views(recipient_id=1)  # mistake
    mailup.statistics.message_views_count(message_id=1, page_size=5)  # mistake
    mailup.groups.delete(list_id=1, group_id="1")  # mistake
    mailup.groups.delete(list_id=1)  # mistake
    mailup.groups.all(list_id=1, timeout="long")  # mistake
    mailup.recipients.import_many([], list_id=1, as_="optin")  # mistake
    mailup.imports.start(list_id=1, recipients=[], leave_other_groups=True)  # mistake
    mailup.lists.update(list_id=1, settings={1: "Charset"})  # mistake
