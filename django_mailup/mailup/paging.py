"""MailUp's page envelope, followed lazily. Resources import it; it knows no resource."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from ..exceptions import UnexpectedResponse

T = TypeVar("T")

PAGE_SIZE: Final = 1000
"""How many items are asked for at once. MailUp's own default is 20; calls are scarce, and 1000 is in use elsewhere."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page: its items, and where it lies. Pages count from zero; `total` is of all pages, as MailUp counts."""

    items: Sequence[T]
    number: int
    size: int
    total: int

    @classmethod
    def from_answer(cls, answer: object, *, asked: int) -> Page[Mapping[str, Any]]:
        """Read an envelope (`Items`, `PageNumber`, `PageSize`, `TotalElementsCount`).

        Raises:
            UnexpectedResponse: it isn't one.
        """
        if not isinstance(answer, dict) or not isinstance(answer.get("Items"), list):
            raise UnexpectedResponse("MailUp's answer is not a page of items.", status=200)
        items = [item for item in answer["Items"] if isinstance(item, dict)]
        return Page(
            items=items,
            number=_number(answer.get("PageNumber"), asked),
            size=_number(answer.get("PageSize"), len(items)),
            total=_number(answer.get("TotalElementsCount"), 0),
        )


class Paged(Iterator[T]):
    """The items of all pages, which asks for a page only when it is needed; `page` returns a single one.

    Args:
        fetch: gets a page number, from zero, and returns that page.
    """

    def __init__(self, fetch: Callable[[int], Page[T]]) -> None:
        self._fetch = fetch
        self._items = _items(fetch)

    def __next__(self) -> T:
        return next(self._items)

    def page(self, number: int = 0) -> Page[T]:
        """Return one page, by its number from zero. What the iterator has yielded so far makes no difference."""
        return self._fetch(number)


def follow(fetch: Callable[[int], object]) -> Iterator[Mapping[str, Any]]:
    """Yield every item of MailUp's decoded answers, as `Paged`.

    Args:
        fetch: gets a page number, from zero, and returns MailUp's decoded answer.

    Raises:
        UnexpectedResponse: an answer is no page, or the same page comes for another number.
    """
    return _items(lambda number: Page.from_answer(fetch(number), asked=number))


def _items(fetch: Callable[[int], Page[T]]) -> Iterator[T]:
    """Yield every item, asking for a page only when it is needed.

    It ends at an empty page, where the total is reached, and past the total at a page that isn't full, so that a list
    which grows, shrinks or miscounts itself meanwhile neither cuts the walk short nor prolongs it for ever.

    Raises:
        UnexpectedResponse: the same page comes for another number.
    """
    number, seen = 0, 0
    last: Sequence[T] | None = None
    while True:
        page = fetch(number)
        if not page.items:
            return
        if page.number != number or page.items == last:
            raise UnexpectedResponse(f"MailUp sent page {page.number} again when asked for page {number}.", status=200)
        yield from page.items
        seen += len(page.items)
        if seen == page.total or (seen > page.total and len(page.items) < page.size):
            return
        number, last = number + 1, page.items


def _number(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default
