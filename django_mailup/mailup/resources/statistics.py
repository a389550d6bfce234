"""Statistics of messages and of recipients. MailUp keeps them for each message, over all its sendings."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from ..declared import By, Method, Rows, called, paged
from ..operations import DOCUMENTED, MAILUP_CODE, Operation, Source
from ..paging import Paged
from ..parsing import whole_number
from ..records import R, Record, key
from ..requester import Resource

P = ParamSpec("P")


class RecipientCount(Record):
    """A recipient of a message, and how often. `count` is None where MailUp tells none."""

    recipient_id: int | None = key("IdRecipient")
    email: str = key("Email")
    count: int | None = key("Count")


class LinkCount(Record):
    """A link of a message, and how often it was clicked. `url` may be a label, such as `Unsubscribe`."""

    url: str = key("Url")
    count: int | None = key("Count")


class MessageCount(Record):
    """A message that a recipient was sent, and how often."""

    message_id: int | None = key("IdMessage")
    list_id: int | None = key("IdList")
    subject: str = key("Subject")
    notes: str = key("Notes")
    count: int | None = key("Count")


def _rows(
    like: Callable[P, None], name: str, source: Source, rows: str, returns: type[R], summary: str
) -> Method[P, Paged[R]]:
    """Declare a method that yields the rows of a statistic."""
    path = f"{_owner(name)}/List/{rows}"
    return paged(like, Operation(f"statistics.{name}", "GET", path, source, returns), summary)


def _count(like: Callable[P, None], of: str, source: Source, rows: str) -> Method[P, int]:
    """Declare a method that returns how many rows a statistic has."""
    path = f"{_owner(of)}/Count/{rows}"
    operation = Operation(f"statistics.{of}_count", "GET", path, source, whole_number)
    return called(like, operation, f"Return how many rows `{of}` has.")


def _owner(name: str) -> str:
    return "/Message/{message_id}" if name.startswith("message") else "/Recipient/{recipient_id}"


class Statistics(Resource):
    """The operations of MailUp's statistics. Counts are one call, and can't be filtered."""

    # fmt: off
    message_recipients = _rows(Rows.of_message, "message_recipients", DOCUMENTED, "Recipients", RecipientCount,
        "Yield the recipients that a message was sent to. MailUp keeps them for a year at most.")
    message_recipients_count = _count(By.message, "message_recipients", DOCUMENTED, "Recipients")
    message_views = _rows(Rows.of_message, "message_views", DOCUMENTED, "Views", RecipientCount,
        "Yield the recipients who opened a message, and how often.")
    message_views_count = _count(By.message, "message_views", DOCUMENTED, "Views")
    message_clicks = _rows(Rows.of_message, "message_clicks", DOCUMENTED, "Clicks", RecipientCount,
        "Yield the recipients who clicked in a message, and how often.")
    message_clicks_count = _count(By.message, "message_clicks", DOCUMENTED, "Clicks")
    message_url_clicks = _rows(Rows.of_message, "message_url_clicks", DOCUMENTED, "UrlClicks", LinkCount,
        "Yield the links of a message, and how often each was clicked.")
    message_url_clicks_count = _count(By.message, "message_url_clicks", MAILUP_CODE, "UrlClicks")
    message_bounces = _rows(Rows.of_message, "message_bounces", DOCUMENTED, "Bounces", RecipientCount,
        "Yield the recipients that a message didn't reach; the rows aren't documented.")
    message_bounces_count = _count(By.message, "message_bounces", DOCUMENTED, "Bounces")
    message_unsubscriptions = _rows(Rows.of_message, "message_unsubscriptions", MAILUP_CODE, "Unsubscriptions",
        RecipientCount, "Yield the recipients who unsubscribed from a message; the rows aren't documented.")
    message_unsubscriptions_count = _count(By.message, "message_unsubscriptions", MAILUP_CODE, "Unsubscriptions")
    message_url_click_details = _rows(Rows.of_message, "message_url_click_details", DOCUMENTED, "UrlClickDetails",
        RecipientCount, "Yield the recipients who clicked a link, with the link in `raw`: the rows aren't documented.")
    recipient_deliveries = _rows(Rows.of_recipient, "recipient_deliveries", DOCUMENTED, "Deliveries", MessageCount,
        "Yield the messages that were sent to a recipient.")
    recipient_deliveries_count = _count(By.recipient, "recipient_deliveries", DOCUMENTED, "Deliveries")
    recipient_views = _rows(Rows.of_recipient, "recipient_views", MAILUP_CODE, "Views", MessageCount,
        "Yield the messages that a recipient opened.")
    recipient_views_count = _count(By.recipient, "recipient_views", MAILUP_CODE, "Views")
    recipient_clicks = _rows(Rows.of_recipient, "recipient_clicks", MAILUP_CODE, "Clicks", MessageCount,
        "Yield the messages in which a recipient clicked.")
    recipient_clicks_count = _count(By.recipient, "recipient_clicks", MAILUP_CODE, "Clicks")
    recipient_bounces = _rows(Rows.of_recipient, "recipient_bounces", MAILUP_CODE, "Bounces", MessageCount,
        "Yield the messages that didn't reach a recipient.")
    recipient_bounces_count = _count(By.recipient, "recipient_bounces", MAILUP_CODE, "Bounces")
    recipient_unsubscriptions = _rows(Rows.of_recipient, "recipient_unsubscriptions", MAILUP_CODE, "Unsubscriptions",
        MessageCount, "Yield the messages from which a recipient unsubscribed.")
    recipient_unsubscriptions_count = _count(By.recipient, "recipient_unsubscriptions", MAILUP_CODE, "Unsubscriptions")
    recipient_click_details = _rows(Rows.of_recipient, "recipient_click_details", MAILUP_CODE, "ClicksDetails",
        MessageCount, "Yield a recipient's clicks one by one, details in `raw`: the rows aren't documented.")
    recipient_bounce_details = _rows(Rows.of_recipient, "recipient_bounce_details", MAILUP_CODE, "BouncesDetails",
        MessageCount, "Yield a recipient's bounces one by one, details in `raw`: the rows aren't documented.")
    # fmt: on
