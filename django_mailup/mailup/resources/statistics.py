"""Statistics by message and by recipient. MailUp adds up a message's statistics over all its sendings."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from ..methods import CallTakes, Method, PagesTake, paged_call, single_call
from ..operations import DOCUMENTED, MAILUP_CODE, Operation, Source
from ..paging import Paged
from ..parsing import whole_number
from ..records import R, Record, key
from ..resource_base import Resource

P = ParamSpec("P")


class RecipientCount(Record):
    """A recipient of a message, and the number of events. `count` is None if MailUp gives no number."""

    recipient_id: int | None = key("IdRecipient")
    email: str = key("Email")
    count: int | None = key("Count")


class LinkCount(Record):
    """A link of a message, and the number of clicks. `url` may be a label instead, such as `Unsubscribe`."""

    url: str = key("Url")
    count: int | None = key("Count")


class MessageCount(Record):
    """A message that was sent to a recipient, and the number of events."""

    message_id: int | None = key("IdMessage")
    list_id: int | None = key("IdList")
    subject: str = key("Subject")
    notes: str = key("Notes")
    count: int | None = key("Count")


def _rows(
    signature: Callable[P, None], name: str, source: Source, rows: str, returns: type[R], summary: str
) -> Method[P, Paged[R]]:
    """Return a method that yields the rows of a statistic. `rows` is the last part of the operation's path."""
    path = f"{_path_prefix(name)}/List/{rows}"
    return paged_call(signature, Operation(f"statistics.{name}", "GET", path, source, returns), summary)


def _count(signature: Callable[P, None], of: str, source: Source, rows: str) -> Method[P, int]:
    """Return a method that counts the rows of the statistic `of`."""
    path = f"{_path_prefix(of)}/Count/{rows}"
    operation = Operation(f"statistics.{of}_count", "GET", path, source, whole_number)
    return single_call(signature, operation, f"Return the number of rows of `{of}`.")


def _path_prefix(name: str) -> str:
    return "/Message/{message_id}" if name.startswith("message") else "/Recipient/{recipient_id}"


class Statistics(Resource):
    """The operations on statistics. A count is one call, and takes no filter."""

    # fmt: off
    message_recipients = _rows(PagesTake.message_id, "message_recipients", DOCUMENTED, "Recipients", RecipientCount,
        "Yield the recipients that a message was sent to. MailUp keeps them for at most a year.")
    message_recipients_count = _count(CallTakes.message_id, "message_recipients", DOCUMENTED, "Recipients")
    message_views = _rows(PagesTake.message_id, "message_views", DOCUMENTED, "Views", RecipientCount,
        "Yield the recipients who opened a message, and how often.")
    message_views_count = _count(CallTakes.message_id, "message_views", DOCUMENTED, "Views")
    message_clicks = _rows(PagesTake.message_id, "message_clicks", DOCUMENTED, "Clicks", RecipientCount,
        "Yield the recipients who clicked a link of a message, and how often.")
    message_clicks_count = _count(CallTakes.message_id, "message_clicks", DOCUMENTED, "Clicks")
    message_url_clicks = _rows(PagesTake.message_id, "message_url_clicks", DOCUMENTED, "UrlClicks", LinkCount,
        "Yield the links of a message, and how often each was clicked.")
    message_url_clicks_count = _count(CallTakes.message_id, "message_url_clicks", MAILUP_CODE, "UrlClicks")
    message_bounces = _rows(PagesTake.message_id, "message_bounces", DOCUMENTED, "Bounces", RecipientCount,
        "Yield the recipients whose copy of a message bounced. The rows aren't documented.")
    message_bounces_count = _count(CallTakes.message_id, "message_bounces", DOCUMENTED, "Bounces")
    message_unsubscriptions = _rows(PagesTake.message_id, "message_unsubscriptions", MAILUP_CODE, "Unsubscriptions",
        RecipientCount, "Yield the recipients who unsubscribed by a message. The rows aren't documented.")
    message_unsubscriptions_count = _count(CallTakes.message_id, "message_unsubscriptions", MAILUP_CODE,
        "Unsubscriptions")
    message_url_click_details = _rows(PagesTake.message_id, "message_url_click_details", DOCUMENTED, "UrlClickDetails",
        RecipientCount, "Yield the recipients who clicked a link, which is in `raw`. The rows aren't documented.")
    recipient_deliveries = _rows(PagesTake.recipient_id, "recipient_deliveries", DOCUMENTED, "Deliveries", MessageCount,
        "Yield the messages that were sent to a recipient.")
    recipient_deliveries_count = _count(CallTakes.recipient_id, "recipient_deliveries", DOCUMENTED, "Deliveries")
    recipient_views = _rows(PagesTake.recipient_id, "recipient_views", MAILUP_CODE, "Views", MessageCount,
        "Yield the messages that a recipient opened.")
    recipient_views_count = _count(CallTakes.recipient_id, "recipient_views", MAILUP_CODE, "Views")
    recipient_clicks = _rows(PagesTake.recipient_id, "recipient_clicks", MAILUP_CODE, "Clicks", MessageCount,
        "Yield the messages of which a recipient clicked a link.")
    recipient_clicks_count = _count(CallTakes.recipient_id, "recipient_clicks", MAILUP_CODE, "Clicks")
    recipient_bounces = _rows(PagesTake.recipient_id, "recipient_bounces", MAILUP_CODE, "Bounces", MessageCount,
        "Yield the messages to a recipient that bounced.")
    recipient_bounces_count = _count(CallTakes.recipient_id, "recipient_bounces", MAILUP_CODE, "Bounces")
    recipient_unsubscriptions = _rows(PagesTake.recipient_id, "recipient_unsubscriptions", MAILUP_CODE,
        "Unsubscriptions", MessageCount, "Yield the messages by which a recipient unsubscribed.")
    recipient_unsubscriptions_count = _count(CallTakes.recipient_id, "recipient_unsubscriptions", MAILUP_CODE,
        "Unsubscriptions")
    recipient_click_details = _rows(PagesTake.recipient_id, "recipient_click_details", MAILUP_CODE, "ClicksDetails",
        MessageCount, "Yield the clicks of a recipient. Details are in `raw`; the rows aren't documented.")
    recipient_bounce_details = _rows(PagesTake.recipient_id, "recipient_bounce_details", MAILUP_CODE, "BouncesDetails",
        MessageCount, "Yield the bounces of a recipient. Details are in `raw`; the rows aren't documented.")
    # fmt: on
