"""Pages of MailUp's answers: parsing one, and iterating over the items of all, each page asked for when needed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeVar

from ..exceptions import MailUpUnavailable, UnexpectedResponse
from . import decoding, parsing
from .expressions import Order, Where
from .flow import Answer, CallOptions, Flow, is_timeout
from .page_cursor import Page, PageCursor
from .records import R

T = TypeVar("T")

PAGE_SIZE: Final = 500
"""Items per page by default. A published client reports that MailUp doesn't answer in time for pages of 1000. MailUp's
own default, 20, would use up the limit of calls."""


class PageOptions(CallOptions, total=False):
    """Options that every paged method takes by keyword."""

    where: Where
    """A filter: `Field("Email").contains("@example.com")`, or a string in MailUp's syntax."""

    order: Order
    """Names of MailUp's properties, descending if they begin with `-`; or None for MailUp's own order."""

    page_size: int
    """Items per page; PAGE_SIZE by default."""


class Ask(NamedTuple):
    """Which page to ask for.

    Attributes:
        number: its number, from 0.
        size: the number of items per page.
        repeat_timeouts: whether to ask again for the same page if MailUp doesn't answer in time.
    """

    number: int
    size: int
    repeat_timeouts: bool = True


@dataclass(frozen=True, slots=True)
class PageSource(Generic[T]):
    """How the pages of an operation are asked for.

    Attributes:
        flow: returns the flow that gets a page.
        size: the number of items per page that the caller wants.
        identify: returns what tells an item from all others, such as its id; None if nothing does.
    """

    flow: Callable[[Ask], Flow[Page[T]]]
    size: int
    identify: Callable[[T], Hashable] | None = None

    def cursor(self) -> PageCursor[T]:
        """Return a cursor before the first page."""
        return PageCursor(self.size, self.identify)

    def next_items(self, cursor: PageCursor[T]) -> Flow[Sequence[T]]:
        """Return the flow that gets the items of the cursor's next page, and moves the cursor on.

        If MailUp doesn't answer in time, the page is asked for in a smaller size instead of once more: what takes too
        long once would take too long again.
        """
        was_cut = False
        while True:
            ask = Ask(cursor.number, cursor.size, repeat_timeouts=not (was_cut or cursor.can_cut))
            try:
                page = yield from self.flow(ask)
            except MailUpUnavailable as failure:
                if not is_timeout(failure) or not cursor.can_cut:
                    raise
                cursor.cut()
                was_cut = True
            else:
                return cursor.take(page)

    def all_items(self) -> Flow[list[T]]:
        """Return the flow that gets the items of all pages."""
        cursor = self.cursor()
        found: list[T] = []
        while not cursor.is_over:
            found += yield from self.next_items(cursor)
        return found


def parse_page(answer: Answer, record: type[R], *, ask: Ask, arguments: Mapping[str, int] | None = None) -> Page[R]:
    """Parse MailUp's page: an object with `Items`, `PageNumber`, `PageSize` and `TotalElementsCount`.

    Args:
        answer: MailUp's answer.
        record: the class of its items.
        ask: which page was asked for. Its number and size are the page's where the answer gives none.
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
        number=_number(envelope, "PageNumber", ask.number),
        size=_number(envelope, "PageSize", ask.size),
        total=_number(envelope, "TotalElementsCount", 0),
    )


def _number(envelope: Mapping[str, Any], name: str, default: int) -> int:
    value = parsing.number(parsing.pick(envelope, name))
    return default if value is None else value


class Paged(Iterator[T]):
    """An iterator over the items of all pages. It asks for a page when the page's first item is needed.

    Args:
        source: how the pages are asked for.
        run: drives a flow to its end, and returns its result.

    Raises (during iteration):
        UnexpectedResponse: an answer isn't a page, or isn't the page that was asked for.
    """

    def __init__(self, source: PageSource[T], run: Callable[[Flow[Any]], Any]) -> None:
        self._source = source
        self._run = run
        self._cursor = source.cursor()
        self._items: Iterator[T] = iter(())

    def __next__(self) -> T:
        while True:
            for item in self._items:
                return item
            if self._cursor.is_over:
                raise StopIteration
            self._items = iter(self._run(self._source.next_items(self._cursor)))

    def page(self, number: int = 0) -> Page[T]:
        """Ask for one page, and return it. This doesn't change where the iteration is, nor the size of its pages.

        Args:
            number: the number of the page, from 0.

        Raises:
            ValueError: the number is negative, or not a whole number.
            UnexpectedResponse: the answer isn't a page.
        """
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise ValueError(f"number must be a whole number, at least 0, not {number!r}.")
        page: Page[T] = self._run(self._source.flow(Ask(number, self._source.size)))
        return page
