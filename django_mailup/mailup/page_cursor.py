"""PageCursor: which page to ask for next, while rows move and the sizes of pages change. Does no I/O."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from ..exceptions import UnexpectedResponse
from .records import Record

T = TypeVar("T")

MAX_CUTS: Final = 2
"""How often the size of pages is halved at most: 500, 250, 125."""
REMEMBERED_PAGES: Final = 6
"""For so many pages ids are remembered, to leave out items that have moved to a page that is read later."""


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


class PageCursor(Generic[T]):
    """Which page to ask for next.

    A page has a number and a size: it holds the items from the place `number * size` on. So the size can change between
    two pages, and counts as MailUp grants it: all that matters is the place up to which everything has been read.

    There is no next page after an empty page, and, once `total` items were returned, after a page that isn't full. So
    a list that grows or shrinks while its pages are read, or a wrong total, neither ends the iteration early nor makes
    it endless. MailUp's reports of text messages have 0 for size and total, and consist of one page.

    If `total` has fallen, items have moved towards the beginning: those that may have moved out of the page just read,
    to a place that counted as read, are read again. That takes items that can be told apart.

    Args:
        size: the number of items per page to ask for.
        identify: returns what tells an item from all others, such as its id; None if nothing does.

    Attributes:
        size: the number of items per page to ask for next.
        is_over: whether all pages have been read.
    """

    def __init__(self, size: int, identify: Callable[[T], Hashable] | None = None) -> None:
        self.size = size
        self.is_over = False
        self._identify = identify
        self._cuts = 0
        self._read_to = 0  # every place below has been read
        self._ahead: tuple[int, int] | None = None  # the places above that have been read too, from and to
        self._has_ended = False
        self._seen = 0  # so many items have been returned
        self._last: Page[T] = Page(items=(), number=-1, size=size, total=0)
        self._known: dict[Hashable, None] = {}
        self._remembered = 0

    @property
    def number(self) -> int:
        """The number of the page to ask for next."""
        return self._read_to // self.size

    @property
    def can_cut(self) -> bool:
        """Whether the size can be halved: page numbers stay whole only if it is even."""
        return self.size % 2 == 0 and self._cuts < MAX_CUTS

    def cut(self) -> None:
        """Halve the size."""
        self.size //= 2
        self._cuts += 1

    def take(self, page: Page[T]) -> Sequence[T]:
        """Return the items of the page that was asked for, without those that were returned before, and move on.

        Raises:
            UnexpectedResponse: MailUp sent another page than the one asked for, or the items of the page before.
        """
        asked, items = self.number, page.items
        if items and (page.number != asked or self._is_stuck(page)):
            if self._last.items and self._seen == self._last.total:  # all is there: MailUp ignores page numbers
                self.is_over = True
                return ()
            raise UnexpectedResponse(f"MailUp sent page {page.number} again when asked for page {asked}.", status=200)
        if page.size > 0 and len(items) <= page.size and (page.size < self.size or len(items) == page.size):
            self.size = page.size  # what MailUp grants; more than was asked for only if the page shows it
        start = asked * self.size
        is_only_page = page.size == 0 and page.total == 0
        self._advance(start, start + self.size, self._moved(page))
        fresh = items if self._identify is None else self._without_known(items, start, self._identify)
        self._seen += len(fresh)
        self._has_ended |= not items or is_only_page or (self._seen >= page.total and len(items) < self.size)
        self.is_over = self._has_ended and self._ahead is None
        self._last = page
        return fresh

    def _is_stuck(self, page: Page[T]) -> bool:
        """Return whether MailUp sent the page before under the next number. (Enough new rows also move a page on.)"""
        last = self._last
        return page.number > last.number and page.total <= last.total and _same(page.items, last.items)

    def _moved(self, page: Page[T]) -> int:
        """Return by how many places items may have moved since the last page; below 0: towards the beginning."""
        if self._identify is None or self._last.number < 0:
            return 0
        return max(page.total - self._last.total, -self.size)

    def _advance(self, start: int, end: int, moved: int) -> None:
        """Note that the places from `start` to `end` were read after items had moved."""
        self._read_to = max(self._read_to + min(moved, 0), 0)
        if self._ahead is not None:
            begin, finish = self._ahead[0] + max(moved, 0), self._ahead[1] + min(moved, 0)
            self._ahead = (begin, finish) if begin < finish else None
        if start > self._read_to:  # there is a gap before this page
            self._ahead = (start, end)
            return
        self._read_to = max(self._read_to, end)
        if self._ahead is not None and self._ahead[0] <= self._read_to:
            self._read_to = max(self._read_to, self._ahead[1])
            self._ahead = None

    def _without_known(self, items: Sequence[T], start: int, identify: Callable[[T], Hashable]) -> Sequence[T]:
        """Return the items that were not returned before. The first of them has the place `start`."""
        self._remembered = max(self._remembered, REMEMBERED_PAGES * self.size)
        long_read = max(self._read_to - self._remembered - start, 0)  # their ids are forgotten
        fresh = []
        for item in items[long_read:]:
            identity = identify(item)
            if identity not in self._known:
                self._known[identity] = None
                fresh.append(item)
        for identity in list(itertools.islice(self._known, max(len(self._known) - self._remembered, 0))):
            del self._known[identity]
        return fresh


def _same(items: Sequence[Any], others: Sequence[Any]) -> bool:
    return items == others and all(
        one.raw == other.raw if isinstance(one, Record) else True for one, other in zip(items, others, strict=True)
    )
