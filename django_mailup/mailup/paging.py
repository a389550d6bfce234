"""MailUp's page envelope, followed lazily. Resources import it; it knows no resource."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

from ..exceptions import UnexpectedResponse
from . import parsing
from .expressions import Order, Where
from .flow import Answer, CallOptions
from .records import R, Record

T = TypeVar("T")

PAGE_SIZE: Final = 1000
"""How many items are asked for at once. MailUp's own default is 20; calls are scarce, and 1000 is in use elsewhere."""


class PageOptions(CallOptions, total=False):
    """What every paged method takes beside its own arguments."""

    where: Where
    """A filter: `Field("Email").contains("@example.com")`, or a string as MailUp takes it."""

    order: Order
    """Names of MailUp's properties; `-Name` descends. None: MailUp's own order."""

    page_size: int
    """How many items are asked for at once, `PAGE_SIZE` unless given."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page.

    Attributes:
        items: what is on it.
        number: which it is, counted from zero.
        size: how many items MailUp puts on a page.
        total: how many items there are on all pages, as MailUp counts them.
    """

    items: Sequence[T]
    number: int
    size: int
    total: int


def parse_page(answer: Answer, record: type[R], *, asked: int, arguments: Mapping[str, int] | None = None) -> Page[R]:
    """Return the page that an envelope holds (`Items`, `PageNumber`, `PageSize`, `TotalElementsCount`).

    Args:
        answer: MailUp's answer.
        record: what its items are.
        asked: the number of the page that was asked for, which counts where the envelope names none.
        arguments: the ids the operation was called with.

    Raises:
        UnexpectedResponse: it isn't an envelope, or an item has no id.
    """
    try:
        envelope, items = parsing.page(answer.text, partial(record.parse_all, arguments=arguments))
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


class Progress(Generic[T]):
    """Which page comes next, without I/O.

    A walk ends at an empty page, where the total is reached, and past the total at a page that isn't full, so that a
    list which grows, shrinks or miscounts itself meanwhile neither cuts the walk short nor prolongs it for ever.

    Attributes:
        next: the number of the page to ask for, None at the end.
    """

    def __init__(self) -> None:
        self.next: int | None = 0
        self._seen = 0
        self._last: Sequence[T] = ()

    def take(self, page: Page[T]) -> Sequence[T]:
        """Note the page that was asked for, and return its items.

        Raises:
            UnexpectedResponse: it is another page, or the one before it again.
        """
        asked, items = self.next or 0, page.items
        if items and (page.number != asked or _same(items, self._last)):
            raise UnexpectedResponse(f"MailUp sent page {page.number} again when asked for page {asked}.", status=200)
        self._seen += len(items)
        over = self._seen == page.total or (self._seen > page.total and len(items) < page.size)
        self.next, self._last = None if over or not items else asked + 1, items
        return items


def _same(items: Sequence[Any], others: Sequence[Any]) -> bool:
    return items == others and all(
        one.raw == other.raw if isinstance(one, Record) else True for one, other in zip(items, others, strict=True)
    )


class Paged(Iterator[T]):
    """All items of a paged operation; a page is asked for when its first item is needed.

    Args:
        fetch: asks for a page by its number.

    Raises (while it is iterated over):
        UnexpectedResponse: an answer is no page, or the same page comes for another number.
    """

    def __init__(self, fetch: Callable[[int], Page[T]]) -> None:
        self._fetch = fetch
        self._progress: Progress[T] = Progress()
        self._items: Iterator[T] = iter(())

    def __next__(self) -> T:
        while True:
            for item in self._items:
                return item
            if self._progress.next is None:
                raise StopIteration
            self._items = iter(self._progress.take(self._fetch(self._progress.next)))

    def page(self, number: int = 0) -> Page[T]:
        """Ask for one page, and return it; the iteration goes on where it was.

        Args:
            number: which, counted from zero.

        Raises:
            UnexpectedResponse: the answer is no page.
        """
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise ValueError(f"number must be a whole number from zero, not {number!r}.")
        return self._fetch(number)
