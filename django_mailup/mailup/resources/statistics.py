"""Statistics of messages and of recipients. MailUp keeps them for each message, over all its sendings."""

from __future__ import annotations

import inspect
from typing import Any, Generic, Protocol, TypeVar, Unpack, cast

from .. import parsing
from ..flow import CallOptions
from ..operations import Operation, Source
from ..paging import Paged
from ..records import R, Record, key
from .requester import PageOptions, Resource

Method = TypeVar("Method")
R_co = TypeVar("R_co", bound=Record, covariant=True)
DOCUMENTED, IN_CODE = Source.DOCUMENTED, Source.MAILUP_CODE


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


class OfMessage(Protocol[R_co]):
    def __call__(self, *, message_id: int, **options: Unpack[PageOptions]) -> Paged[R_co]: ...


class OfRecipient(Protocol[R_co]):
    def __call__(self, *, recipient_id: int, **options: Unpack[PageOptions]) -> Paged[R_co]: ...


class CountOfMessage(Protocol):
    def __call__(self, *, message_id: int, **options: Unpack[CallOptions]) -> int: ...


class CountOfRecipient(Protocol):
    def __call__(self, *, recipient_id: int, **options: Unpack[CallOptions]) -> int: ...


class Statistic(Generic[Method]):
    """A method of Statistics that is declared instead of written. `Method` is how it is called.

    Args:
        path: of the operation.
        called_as: the protocol that `Method` is.
        returns: what the operation returns.
        summary: the first line of the method's docstring.
        source: how sure the operation is.
    """

    def __init__(self, path: str, called_as: Any, returns: Any, summary: str, source: Source) -> None:
        self._declared = path, called_as, returns, summary, source

    def __set_name__(self, owner: type, name: str) -> None:
        path, called_as, returns, summary, source = self._declared
        self.operation: Operation[Any] = Operation(f"statistics.{name}", "GET", path, source=source, returns=returns)
        self._method = _method(self.operation, called_as)
        self._method.__name__, self._method.__qualname__ = name, f"{owner.__qualname__}.{name}"
        self._method.__doc__ = f"{summary} `GET {path}`."

    def __get__(self, statistics: Resource | None, owner: type) -> Method:
        return cast(Method, self._method.__get__(statistics, owner))


def _method(operation: Operation[Any], called_as: Any) -> Any:
    signature = inspect.signature(called_as.__call__)
    (id_name, _) = list(signature.parameters)[1:]
    paged = operation.returns is not parsing.whole_number

    def method(self: Statistics, *args: Any, **arguments: Any) -> Any:
        signature.bind(self, *args, **arguments)  # a TypeError, as any other method has it
        ids = {id_name: arguments.pop(id_name)}
        call: Any = self._pages if paged else self._call
        return call(operation, options=arguments, **ids)

    vars(method)["__signature__"] = signature
    return method


def of_message(rows: str, returns: type[R], summary: str, source: Source = DOCUMENTED) -> Statistic[OfMessage[R]]:
    """Declare a method that yields rows of a message."""
    return Statistic(f"/Message/{{message_id}}/List/{rows}", OfMessage, returns, summary, source)


def count_of_message(rows: str, method: str, source: Source = DOCUMENTED) -> Statistic[CountOfMessage]:
    """Declare a method that returns how many rows another one has."""
    summary = f"Return how many rows `{method}` has."
    return Statistic(f"/Message/{{message_id}}/Count/{rows}", CountOfMessage, parsing.whole_number, summary, source)


def of_recipient(rows: str, summary: str, source: Source = IN_CODE) -> Statistic[OfRecipient[MessageCount]]:
    """Declare a method that yields messages of a recipient."""
    return Statistic(f"/Recipient/{{recipient_id}}/List/{rows}", OfRecipient, MessageCount, summary, source)


def count_of_recipient(rows: str, method: str, source: Source = IN_CODE) -> Statistic[CountOfRecipient]:
    """Declare a method that returns how many rows another one has."""
    summary, path = f"Return how many rows `{method}` has.", f"/Recipient/{{recipient_id}}/Count/{rows}"
    return Statistic(path, CountOfRecipient, parsing.whole_number, summary, source)


class Statistics(Resource):
    """The operations of MailUp's statistics. Counts are one call, and can't be filtered."""

    message_recipients = of_message(
        "Recipients",
        RecipientCount,
        "Yield the recipients that a message was sent to; MailUp keeps them as long as its console does, a year at most.",
    )
    message_recipients_count = count_of_message("Recipients", "message_recipients")
    message_views = of_message("Views", RecipientCount, "Yield the recipients who opened a message, and how often.")
    message_views_count = count_of_message("Views", "message_views")
    message_clicks = of_message("Clicks", RecipientCount, "Yield the recipients who clicked in a message, and how often.")
    message_clicks_count = count_of_message("Clicks", "message_clicks")
    message_url_clicks = of_message("UrlClicks", LinkCount, "Yield the links of a message, and how often each was clicked.")
    message_url_clicks_count = count_of_message("UrlClicks", "message_url_clicks", IN_CODE)
    message_bounces = of_message(
        "Bounces", RecipientCount, "Yield the recipients that a message didn't reach; the rows aren't documented."
    )
    message_bounces_count = count_of_message("Bounces", "message_bounces")
    message_unsubscriptions = of_message(
        "Unsubscriptions",
        RecipientCount,
        "Yield the recipients who unsubscribed from a message; the rows aren't documented.",
        IN_CODE,
    )
    message_unsubscriptions_count = count_of_message("Unsubscriptions", "message_unsubscriptions", IN_CODE)
    message_url_click_details = of_message(
        "UrlClickDetails",
        RecipientCount,
        "Yield the recipients who clicked a link, with the link in `raw`: the rows aren't documented.",
    )

    recipient_deliveries = of_recipient("Deliveries", "Yield the messages that were sent to a recipient.", DOCUMENTED)
    recipient_deliveries_count = count_of_recipient("Deliveries", "recipient_deliveries", DOCUMENTED)
    recipient_views = of_recipient("Views", "Yield the messages that a recipient opened.")
    recipient_views_count = count_of_recipient("Views", "recipient_views")
    recipient_clicks = of_recipient("Clicks", "Yield the messages in which a recipient clicked.")
    recipient_clicks_count = count_of_recipient("Clicks", "recipient_clicks")
    recipient_bounces = of_recipient("Bounces", "Yield the messages that didn't reach a recipient.")
    recipient_bounces_count = count_of_recipient("Bounces", "recipient_bounces")
    recipient_unsubscriptions = of_recipient(
        "Unsubscriptions", "Yield the messages from which a recipient unsubscribed."
    )
    recipient_unsubscriptions_count = count_of_recipient("Unsubscriptions", "recipient_unsubscriptions")
    recipient_click_details = of_recipient(
        "ClicksDetails", "Yield a recipient's clicks one by one, with details in `raw`: the rows aren't documented."
    )
    recipient_bounce_details = of_recipient(
        "BouncesDetails", "Yield a recipient's bounces one by one, with details in `raw`: the rows aren't documented."
    )
