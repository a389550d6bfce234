"""Statistics of messages and of recipients. MailUp keeps them for each message, over all its sendings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..operations import Operation
from ..paging import PAGE_SIZE
from . import reading
from .requester import Order, Resource, Where

MESSAGE_RECIPIENTS: Final = Operation("statistics.message_recipients", "GET", "/Message/{message_id}/List/Recipients")
MESSAGE_RECIPIENTS_COUNT: Final = Operation(
    "statistics.message_recipients_count", "GET", "/Message/{message_id}/Count/Recipients"
)
MESSAGE_VIEWS: Final = Operation("statistics.message_views", "GET", "/Message/{message_id}/List/Views")
MESSAGE_VIEWS_COUNT: Final = Operation("statistics.message_views_count", "GET", "/Message/{message_id}/Count/Views")
MESSAGE_CLICKS: Final = Operation("statistics.message_clicks", "GET", "/Message/{message_id}/List/Clicks")
MESSAGE_CLICKS_COUNT: Final = Operation("statistics.message_clicks_count", "GET", "/Message/{message_id}/Count/Clicks")
MESSAGE_URL_CLICKS: Final = Operation("statistics.message_url_clicks", "GET", "/Message/{message_id}/List/UrlClicks")
MESSAGE_URL_CLICKS_COUNT: Final = Operation(
    "statistics.message_url_clicks_count", "GET", "/Message/{message_id}/Count/UrlClicks"
)
MESSAGE_BOUNCES: Final = Operation("statistics.message_bounces", "GET", "/Message/{message_id}/List/Bounces")
MESSAGE_BOUNCES_COUNT: Final = Operation(
    "statistics.message_bounces_count", "GET", "/Message/{message_id}/Count/Bounces"
)
MESSAGE_UNSUBSCRIPTIONS: Final = Operation(
    "statistics.message_unsubscriptions", "GET", "/Message/{message_id}/List/Unsubscriptions"
)
MESSAGE_UNSUBSCRIPTIONS_COUNT: Final = Operation(
    "statistics.message_unsubscriptions_count", "GET", "/Message/{message_id}/Count/Unsubscriptions"
)
MESSAGE_URL_CLICK_DETAILS: Final = Operation(
    "statistics.message_url_click_details", "GET", "/Message/{message_id}/List/UrlClickDetails"
)
RECIPIENT_DELIVERIES: Final = Operation(
    "statistics.recipient_deliveries", "GET", "/Recipient/{recipient_id}/List/Deliveries"
)
RECIPIENT_DELIVERIES_COUNT: Final = Operation(
    "statistics.recipient_deliveries_count", "GET", "/Recipient/{recipient_id}/Count/Deliveries"
)
RECIPIENT_VIEWS: Final = Operation("statistics.recipient_views", "GET", "/Recipient/{recipient_id}/List/Views")
RECIPIENT_VIEWS_COUNT: Final = Operation(
    "statistics.recipient_views_count", "GET", "/Recipient/{recipient_id}/Count/Views"
)
RECIPIENT_CLICKS: Final = Operation("statistics.recipient_clicks", "GET", "/Recipient/{recipient_id}/List/Clicks")
RECIPIENT_CLICKS_COUNT: Final = Operation(
    "statistics.recipient_clicks_count", "GET", "/Recipient/{recipient_id}/Count/Clicks"
)
RECIPIENT_BOUNCES: Final = Operation("statistics.recipient_bounces", "GET", "/Recipient/{recipient_id}/List/Bounces")
RECIPIENT_BOUNCES_COUNT: Final = Operation(
    "statistics.recipient_bounces_count", "GET", "/Recipient/{recipient_id}/Count/Bounces"
)
RECIPIENT_UNSUBSCRIPTIONS: Final = Operation(
    "statistics.recipient_unsubscriptions", "GET", "/Recipient/{recipient_id}/List/Unsubscriptions"
)
RECIPIENT_UNSUBSCRIPTIONS_COUNT: Final = Operation(
    "statistics.recipient_unsubscriptions_count", "GET", "/Recipient/{recipient_id}/Count/Unsubscriptions"
)
RECIPIENT_CLICK_DETAILS: Final = Operation(
    "statistics.recipient_click_details", "GET", "/Recipient/{recipient_id}/List/ClicksDetails"
)
RECIPIENT_BOUNCE_DETAILS: Final = Operation(
    "statistics.recipient_bounce_details", "GET", "/Recipient/{recipient_id}/List/BouncesDetails"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientCount:
    """A recipient of a message, and how often. `count` is None where MailUp tells none."""

    recipient_id: int | None
    email: str
    count: int | None
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCount:
    """A link of a message, and how often it was clicked. `url` may be a label, such as `Unsubscribe`."""

    url: str
    count: int | None
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCount:
    """A message that a recipient was sent, and how often."""

    message_id: int | None
    list_id: int | None
    subject: str
    notes: str
    count: int | None
    raw: Mapping[str, Any] = field(repr=False)


class Statistics(Resource):
    """The operations of MailUp's statistics. Counts are one call, and can't be filtered."""

    # ---------------------------------------------------------------------------------- of a message

    def message_recipients(
        self, *, message_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[RecipientCount]:
        """Yield who a message was sent to.

        (Documented by MailUp; kept as long as MailUp's console keeps them, a year at most.)

        `GET /Message/{message_id}/List/Recipients`.
        """
        rows = self._pages(MESSAGE_RECIPIENTS, where=where, order=order, page_size=page_size, message_id=message_id)
        return map(_recipient, rows)

    def message_recipients_count(self, *, message_id: int) -> int:
        """Return how many rows `message_recipients` has. `GET /Message/{message_id}/Count/Recipients`."""
        return reading.whole_number(self._call(MESSAGE_RECIPIENTS_COUNT, message_id=message_id))

    def message_views(
        self, *, message_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[RecipientCount]:
        """Yield who opened a message, and how often. (Documented by MailUp.)

        `GET /Message/{message_id}/List/Views`.
        """
        rows = self._pages(MESSAGE_VIEWS, where=where, order=order, page_size=page_size, message_id=message_id)
        return map(_recipient, rows)

    def message_views_count(self, *, message_id: int) -> int:
        """Return how many rows `message_views` has. `GET /Message/{message_id}/Count/Views`."""
        return reading.whole_number(self._call(MESSAGE_VIEWS_COUNT, message_id=message_id))

    def message_clicks(
        self, *, message_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[RecipientCount]:
        """Yield who clicked in a message, and how often. (Documented by MailUp.)

        `GET /Message/{message_id}/List/Clicks`.
        """
        rows = self._pages(MESSAGE_CLICKS, where=where, order=order, page_size=page_size, message_id=message_id)
        return map(_recipient, rows)

    def message_clicks_count(self, *, message_id: int) -> int:
        """Return how many rows `message_clicks` has. `GET /Message/{message_id}/Count/Clicks`."""
        return reading.whole_number(self._call(MESSAGE_CLICKS_COUNT, message_id=message_id))

    def message_url_clicks(
        self, *, message_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[LinkCount]:
        """Yield the links of a message, and how often each was clicked. (Documented by MailUp.)

        `GET /Message/{message_id}/List/UrlClicks`.
        """
        rows = self._pages(MESSAGE_URL_CLICKS, where=where, order=order, page_size=page_size, message_id=message_id)
        return map(_link, rows)

    def message_url_clicks_count(self, *, message_id: int) -> int:
        """Return how many rows `message_url_clicks` has. `GET /Message/{message_id}/Count/UrlClicks`."""
        return reading.whole_number(self._call(MESSAGE_URL_CLICKS_COUNT, message_id=message_id))

    def message_bounces(
        self, *, message_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[RecipientCount]:
        """Yield whom a message didn't reach. (The path is documented by MailUp, the rows aren't.)

        `GET /Message/{message_id}/List/Bounces`.
        """
        rows = self._pages(MESSAGE_BOUNCES, where=where, order=order, page_size=page_size, message_id=message_id)
        return map(_recipient, rows)

    def message_bounces_count(self, *, message_id: int) -> int:
        """Return how many rows `message_bounces` has. `GET /Message/{message_id}/Count/Bounces`."""
        return reading.whole_number(self._call(MESSAGE_BOUNCES_COUNT, message_id=message_id))

    def message_unsubscriptions(
        self, *, message_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[RecipientCount]:
        """Yield who unsubscribed from a message. (In MailUp's own SDK; the rows aren't documented.)

        `GET /Message/{message_id}/List/Unsubscriptions`.
        """
        rows = self._pages(
            MESSAGE_UNSUBSCRIPTIONS, where=where, order=order, page_size=page_size, message_id=message_id
        )
        return map(_recipient, rows)

    def message_unsubscriptions_count(self, *, message_id: int) -> int:
        """Return how many rows `message_unsubscriptions` has. `GET /Message/{message_id}/Count/Unsubscriptions`."""
        return reading.whole_number(self._call(MESSAGE_UNSUBSCRIPTIONS_COUNT, message_id=message_id))

    def message_url_click_details(
        self, *, message_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[RecipientCount]:
        """Yield who clicked which link; the rows aren't documented, so see `raw`. (Documented by MailUp.)

        `GET /Message/{message_id}/List/UrlClickDetails`.
        """
        rows = self._pages(
            MESSAGE_URL_CLICK_DETAILS, where=where, order=order, page_size=page_size, message_id=message_id
        )
        return map(_recipient, rows)

    # -------------------------------------------------------------------------------- of a recipient

    def recipient_deliveries(
        self, *, recipient_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[MessageCount]:
        """Yield the messages that were sent to a recipient. (Documented by MailUp.)

        `GET /Recipient/{recipient_id}/List/Deliveries`.
        """
        rows = self._pages(
            RECIPIENT_DELIVERIES, where=where, order=order, page_size=page_size, recipient_id=recipient_id
        )
        return map(_message, rows)

    def recipient_deliveries_count(self, *, recipient_id: int) -> int:
        """Return how many rows `recipient_deliveries` has. `GET /Recipient/{recipient_id}/Count/Deliveries`."""
        return reading.whole_number(self._call(RECIPIENT_DELIVERIES_COUNT, recipient_id=recipient_id))

    def recipient_views(
        self, *, recipient_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[MessageCount]:
        """Yield the messages that a recipient opened. (In MailUp's own SDK.)

        `GET /Recipient/{recipient_id}/List/Views`.
        """
        rows = self._pages(RECIPIENT_VIEWS, where=where, order=order, page_size=page_size, recipient_id=recipient_id)
        return map(_message, rows)

    def recipient_views_count(self, *, recipient_id: int) -> int:
        """Return how many rows `recipient_views` has. `GET /Recipient/{recipient_id}/Count/Views`."""
        return reading.whole_number(self._call(RECIPIENT_VIEWS_COUNT, recipient_id=recipient_id))

    def recipient_clicks(
        self, *, recipient_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[MessageCount]:
        """Yield the messages in which a recipient clicked. (In MailUp's own SDK.)

        `GET /Recipient/{recipient_id}/List/Clicks`.
        """
        rows = self._pages(RECIPIENT_CLICKS, where=where, order=order, page_size=page_size, recipient_id=recipient_id)
        return map(_message, rows)

    def recipient_clicks_count(self, *, recipient_id: int) -> int:
        """Return how many rows `recipient_clicks` has. `GET /Recipient/{recipient_id}/Count/Clicks`."""
        return reading.whole_number(self._call(RECIPIENT_CLICKS_COUNT, recipient_id=recipient_id))

    def recipient_bounces(
        self, *, recipient_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[MessageCount]:
        """Yield the messages that didn't reach a recipient. (In MailUp's own SDK.)

        `GET /Recipient/{recipient_id}/List/Bounces`.
        """
        rows = self._pages(RECIPIENT_BOUNCES, where=where, order=order, page_size=page_size, recipient_id=recipient_id)
        return map(_message, rows)

    def recipient_bounces_count(self, *, recipient_id: int) -> int:
        """Return how many rows `recipient_bounces` has. `GET /Recipient/{recipient_id}/Count/Bounces`."""
        return reading.whole_number(self._call(RECIPIENT_BOUNCES_COUNT, recipient_id=recipient_id))

    def recipient_unsubscriptions(
        self, *, recipient_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[MessageCount]:
        """Yield the messages from which a recipient unsubscribed. (In MailUp's own SDK.)

        `GET /Recipient/{recipient_id}/List/Unsubscriptions`.
        """
        rows = self._pages(
            RECIPIENT_UNSUBSCRIPTIONS, where=where, order=order, page_size=page_size, recipient_id=recipient_id
        )
        return map(_message, rows)

    def recipient_unsubscriptions_count(self, *, recipient_id: int) -> int:
        """Return how many rows `recipient_unsubscriptions` has.

        `GET /Recipient/{recipient_id}/Count/Unsubscriptions`.
        """
        return reading.whole_number(self._call(RECIPIENT_UNSUBSCRIPTIONS_COUNT, recipient_id=recipient_id))

    def recipient_click_details(
        self, *, recipient_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[MessageCount]:
        """Yield a recipient's clicks one by one; the rows aren't documented, so see `raw`. (In MailUp's own SDK.)

        `GET /Recipient/{recipient_id}/List/ClicksDetails`.
        """
        rows = self._pages(
            RECIPIENT_CLICK_DETAILS, where=where, order=order, page_size=page_size, recipient_id=recipient_id
        )
        return map(_message, rows)

    def recipient_bounce_details(
        self, *, recipient_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[MessageCount]:
        """Yield a recipient's bounces one by one; the rows aren't documented, so see `raw`. (In MailUp's own SDK.)

        `GET /Recipient/{recipient_id}/List/BouncesDetails`.
        """
        rows = self._pages(
            RECIPIENT_BOUNCE_DETAILS, where=where, order=order, page_size=page_size, recipient_id=recipient_id
        )
        return map(_message, rows)


def _recipient(raw: Mapping[str, Any]) -> RecipientCount:
    return RecipientCount(
        recipient_id=reading.number(raw, "IdRecipient"),
        email=reading.text(raw, "Email"),
        count=reading.number(raw, "Count"),
        raw=raw,
    )


def _link(raw: Mapping[str, Any]) -> LinkCount:
    return LinkCount(url=reading.text(raw, "Url"), count=reading.number(raw, "Count"), raw=raw)


def _message(raw: Mapping[str, Any]) -> MessageCount:
    return MessageCount(
        message_id=reading.number(raw, "IdMessage"),
        list_id=reading.number(raw, "IdList"),
        subject=reading.text(raw, "Subject"),
        notes=reading.text(raw, "Notes"),
        count=reading.number(raw, "Count"),
        raw=raw,
    )
