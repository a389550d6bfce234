"""Pages of MailUp's answers: parsing one, and iterating over the items of all, each page asked for when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

from ..exceptions import UnexpectedResponse
from . import decoding, parsing
from .expressions import Order, Where
from .flow import Answer, CallOptions
from .records import R, Record

T = TypeVar("T")

PAGE_SIZE: Final = 1000
"""Items per page by default. Other clients use 1000; MailUp's own default, 20, would use up the limit of calls."""


class PageOptions(CallOptions, total=False):
    """Options that every paged method takes by keyword."""

    where: Where
    """A filter: `Field("Email").contains("@example.com")`, or a string in MailUp's syntax."""

    order: Order
    """Names of MailUp's properties, descending if they begin with `-`; or None for MailUp's own order."""

    page_size: int
    """Items per page; PAGE_SIZE by default."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a paged operation.

    Attributes:
        items: its items, in MailUp's order.
        number: its number, from 0.
        size: the number of items per page, as MailUp gives it.
        total: the number of items on all pages, as MailUp counts them.
    """

    items: Sequence[T]
    number: int
    size: int
    total: int


def parse_page(answer: Answer, record: type[R], *, asked: int, arguments: Mapping[str, int] | None = None) -> Page[R]:
    """Parse MailUp's page: an object with `Items`, `PageNumber`, `PageSize` and `TotalElementsCount`.

    Args:
        answer: MailUp's answer.
        record: the class of its items.
        asked: the number of the page that was asked for. It is the page's number if the answer gives none.
        arguments: the ids with which the operation was called.

    Raises:
        UnexpectedResponse: the answer is not such an object, or an item has no id.
    """
    try:
        envelope, items = decoding.decode_page(answer.text, partial(record.parse_rows, arguments=arguments))
    except ValueError:
        raise answer.unexpected() from None
    if envelope is None:
        raise UnexpectedResponse("MailUp's answer is not a page of items.", status=answer.status)
    return Page(
        items=items,
        number=_number(envelope, "PageNumber", asked),
        size=_number(envelope, "PageSize", len(items)),
        total=_number(envelope, "TotalElementsCount", 0),
    )


def _number(envelope: Mapping[str, Any], name: str, default: int) -> int:
    value = parsing.pick(envelope, name)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


class PageCursor(Generic[T]):
    """Which page to ask for next. Does no I/O.

    There is no next page after an empty page, after exactly `total` items, and, if there were more items than `total`,
    after a page that isn't full. So a list that grows or shrinks while its pages are read, or a wrong total, neither
    ends the iteration early nor makes it endless.

    Attributes:
        next_number: the number of the page to ask for; None if there is no next page.
    """

    def __init__(self) -> None:
        self.next_number: int | None = 0
        self._seen = 0
        self._last: Sequence[T] = ()

    def take(self, page: Page[T]) -> Sequence[T]:
        """Return the items of the page that was asked for, and move on to the next page.

        Raises:
            UnexpectedResponse: MailUp sent another page than the one asked for, or the items of the page before.
        """
        asked, items = self.next_number or 0, page.items
        if items and (page.number != asked or _same(items, self._last)):
            raise UnexpectedResponse(f"MailUp sent page {page.number} again when asked for page {asked}.", status=200)
        self._seen += len(items)
        over = self._seen == page.total or (self._seen > page.total and len(items) < page.size)
        self.next_number, self._last = None if over or not items else asked + 1, items
        return items


def _same(items: Sequence[Any], others: Sequence[Any]) -> bool:
    return items == others and all(
        one.raw == other.raw if isinstance(one, Record) else True for one, other in zip(items, others, strict=True)
    )


class Paged(Iterator[T]):
    """An iterator over the items of all pages. It asks for a page when the page's first item is needed.

    Args:
        fetch: returns the page of a number.

    Raises (during iteration):
        UnexpectedResponse: an answer isn't a page, or isn't the page that was asked for.
    """

    def __init__(self, fetch: Callable[[int], Page[T]]) -> None:
        self._fetch = fetch
        self._cursor: PageCursor[T] = PageCursor()
        self._items: Iterator[T] = iter(())

    def __next__(self) -> T:
        while True:
            for item in self._items:
                return item
            if self._cursor.next_number is None:
                raise StopIteration
            self._items = iter(self._cursor.take(self._fetch(self._cursor.next_number)))

    def page(self, number: int = 0) -> Page[T]:
        """Ask for one page, and return it. This doesn't change where the iteration is.

        Args:
            number: the number of the page, from 0.

        Raises:
            ValueError: the number is negative, or not a whole number.
            UnexpectedResponse: the answer isn't a page.
        """
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise ValueError(f"number must be a whole number, at least 0, not {number!r}.")
        return self._fetch(number)
