"""Parse MailUp's JSON: values that are written in several ways, and pages of rows. Knows no record and no resource."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Final, TypeVar

from ..exceptions import UnexpectedResponse

T = TypeVar("T")
MOST_SHARED: Final = 1000
"""How many different sets of ids of personal fields are kept to be shared. An account has one or a few."""

_ID: Final = itemgetter("Id")
_VALUE: Final = itemgetter("Value")
_decoder: Final[Any] = json.JSONDecoder()
_scan: Final[Callable[[str, int], tuple[Any, int]]] = _decoder.scan_once
"""Decode the value that begins at an index, in C, and return the index after it."""

_space: Final = re.compile(r"[ \t\n\r]*").match


# ------------------------------------------------------------------------------------------ values


def text(value: object) -> str:
    """Return a string; empty for None."""
    return "" if value is None else str(value)


def stripped(value: object) -> str:
    """Return a string without blanks around it; empty for None."""
    return text(value).strip()


def number(value: Any) -> int | None:
    """Return an integer, also one that MailUp wrote as text; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def count(value: Any) -> int:
    """Return an integer as `number` does, with zero in place of None."""
    return number(value) or 0


def flag(value: object) -> bool:
    """Return whether a value is JSON's `true`."""
    return value is True


def moment(value: object) -> datetime | None:
    """Return an aware datetime; None for what isn't one and for MailUp's "never" (empty, null, the year 1).

    MailUp writes UTC without saying so.
    """
    try:
        parsed = datetime.fromisoformat(text(value).strip())
    except ValueError:
        return None
    if parsed.year == 1:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def texts(value: object) -> tuple[str, ...]:
    """Return the strings of an array of them, or of a single one; none for None.

    Raises:
        UnexpectedResponse: it is something else.
    """
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(str(each) for each in array(value or []))


def ids(value: object) -> tuple[int, ...]:
    """Return the integers of an array; whatever else it holds is left out."""
    return tuple(each for each in value if isinstance(each, int)) if isinstance(value, list) else ()


def table(value: object, *, of: Callable[[Any], T], under: str, by: tuple[str, ...]) -> dict[int, T]:
    """Return an array of objects as a dictionary from numbers to values.

    Objects without a number, and whatever else the array holds, are left out.

    Args:
        of: makes a value of MailUp's.
        under: the name of MailUp's value in each object.
        by: names of the number in each object.
    """
    found: dict[int, T] = {}
    for row in value if isinstance(value, list) else []:
        if isinstance(row, dict) and (own := number(pick(row, *by))) is not None:
            found[own] = of(pick(row, under))
    return found


class FieldTexts(Mapping[int, str]):
    """Personal fields, from id to text. Needs a fraction of a dictionary's memory, since most rows share their ids."""

    __slots__ = ("_ids", "_texts")

    def __init__(self, ids: tuple[int, ...], values: tuple[str, ...]) -> None:
        self._ids = ids
        self._texts = values

    def __getitem__(self, number: int) -> str:
        try:
            return self._texts[self._ids.index(number)]
        except ValueError:
            raise KeyError(number) from None

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return repr(dict(self))


_shared_ids: Final[dict[tuple[int, ...], tuple[int, ...]]] = {}


def field_texts(value: Any) -> FieldTexts:
    """Return the personal fields of a recipient, by id. Whatever else the array holds is left out."""
    try:
        values = tuple(map(_VALUE, value))
        "".join(values)  # a TypeError where one isn't text
        ids = _shared_ids.get(tuple(map(_ID, value)))
    except (TypeError, KeyError):
        ids = None
    if ids is None:  # ids that are new, other spellings, or values that must be parsed
        found = table(value, of=text, under="Value", by=("Id",))
        ids, values = tuple(found), tuple(found.values())
        if len(_shared_ids) >= MOST_SHARED:
            _shared_ids.clear()
        ids = _shared_ids.setdefault(ids, ids)
    return FieldTexts(ids, values)


def spelling(keys: Mapping[str, Any], *names: str) -> str | None:
    """Return the first of the names among the keys, as it is spelled there, in any letter case; None without one."""
    for name in names:
        if name in keys:
            return name
    folded = {key.casefold(): key for key in keys}
    return next((folded[name.casefold()] for name in names if name.casefold() in folded), None)


def pick(row: Mapping[str, Any], *names: str) -> Any:
    """Return the value under the first of the names, in any letter case (`idList`, `IdList`), else None."""
    found = spelling(row, *names)
    return None if found is None else row[found]


# ------------------------------------------------------------------------------------ whole answers


def nothing(body: object) -> None:
    """Return None, whatever the answer is."""


def anything(body: Any) -> Any:
    """Return the answer as it is."""
    return body


def mapping(body: object) -> Mapping[str, Any]:
    """Return an answer that is an object. Raise UnexpectedResponse if it is something else."""
    if not isinstance(body, dict):
        raise UnexpectedResponse("MailUp's answer is not an object.", status=200)
    return body


def array(body: object) -> list[Any]:
    """Return an answer that is an array. Raise UnexpectedResponse if it is something else."""
    if not isinstance(body, list):
        raise UnexpectedResponse("MailUp's answer is not an array.", status=200)
    return body


def strings(body: object) -> list[str]:
    """Return the strings of an answer that is an array of them, or a single one. Raise UnexpectedResponse otherwise."""
    return [body] if isinstance(body, str) else [str(each) for each in array(body)]


def whole_number(body: object) -> int:
    """Return an answer that is a number, also one written as text. Raise UnexpectedResponse otherwise."""
    found = number(body)
    if found is None:
        raise UnexpectedResponse("MailUp's answer is not a number.", status=200)
    return found


def load(source: str) -> Any:
    """Return the decoded JSON of an answer; None when it is blank, which is how MailUp says nothing.

    Raises:
        ValueError: it isn't JSON.
    """
    return json.loads(source) if source.strip() else None


# ------------------------------------------------------------------------------------------- pages


Rows = Iterable[tuple[dict[str, Any], str | None]]


def page(source: str, collect: Callable[[Rows], list[T]]) -> tuple[Any, list[T]]:
    """Return MailUp's page envelope without its `Items`, and what is made of these; None if there is no such envelope.

    Args:
        source: the JSON.
        collect: is given the objects among the items, one by one, each beside its own piece of the source. A record
            keeps that piece and decodes it again when asked for its original: the decoded rows of a large export would
            need several times the memory of the records. If the source can't be split so, it is decoded as a whole, and
            the items have no piece.

    Raises:
        ValueError: it isn't JSON.
    """
    try:
        found = _split(source, collect)
    except (IndexError, StopIteration, RuntimeError, ValueError):
        found = None
    if found is not None:
        return found
    body = load(source)
    if not isinstance(body, dict) or not isinstance(items := pick(body, "Items"), list):
        return None, []
    return body, collect((each, None) for each in items if isinstance(each, dict))


def _split(source: str, collect: Callable[[Rows], list[T]]) -> tuple[dict[str, Any], list[T]] | None:
    """Decode the members of an object one by one, and those of its `Items` too; None if it isn't a page."""
    envelope: dict[str, Any] = {}
    items: list[T] | None = None
    at = _after(source, 0, "{")
    while True:
        if source[at] != '"':
            return None
        name, at = _scan(source, at)
        at = _after(source, at, ":")
        if name == "Items":
            ends: list[int] = []
            items = collect(_elements(source, at, ends))
            at = ends[0]
        else:
            envelope[name], at = _scan(source, at)
        at = _skip(source, at)
        if source[at] == "}":
            break
        at = _after(source, at, ",")
    if items is None or source[at + 1 :].strip(" \t\n\r"):
        return None
    return envelope, items


def _elements(source: str, at: int, ends: list[int]) -> Rows:
    """Yield the objects in the array that begins at an index, each beside its source; put the index after it in `ends`.

    Each is decoded when it is asked for, so that a page's rows are never in memory at once.
    """
    at = _after(source, at, "[")
    scan, ended = _scan, source[at] == "]"
    while not ended:
        begin = at
        value, at = scan(source, at)
        if type(value) is dict:
            yield value, source[begin:at]
        if source[at] == "," and source[at + 1] == "{":
            at += 1
            continue
        at = _skip(source, at)
        ended = source[at] == "]"
        if not ended:
            at = _after(source, at, ",")
    ends.append(at + 1)


def _after(source: str, at: int, mark: str) -> int:
    """Return the index of what follows a mark, blanks around it passed over. Raise ValueError if it isn't there."""
    if source[at] != mark:
        at = _skip(source, at)
        if source[at] != mark:
            raise ValueError(f"{mark} expected")
    at += 1
    return at if source[at] not in " \t\n\r" else _skip(source, at)


def _skip(source: str, at: int) -> int:
    """Return the index of the first character from an index on that isn't blank."""
    found = _space(source, at)
    assert found is not None
    return found.end()
