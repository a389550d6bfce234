"""Parse MailUp's JSON: values that are written in several ways, and pages of rows. Knows no record and no resource."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from ..exceptions import UnexpectedResponse

T = TypeVar("T")
_scan: Final[Callable[[str, int], tuple[Any, int]]] = json.JSONDecoder().scan_once
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


def page(source: str) -> tuple[Any, list[tuple[Any, str | None]]]:
    """Return MailUp's page envelope without its `Items`, and each item beside its own piece of the source.

    A record keeps that piece and decodes it again when asked for its original: the decoded rows of a large export
    would need several times the memory of the records. What can't be split so is decoded as a whole, and its items
    have no source.

    Raises:
        ValueError: it isn't JSON.
    """
    try:
        found = _split(source)
    except (IndexError, StopIteration, ValueError):
        found = None
    if found is not None:
        return found
    body = load(source)
    if not isinstance(body, dict) or not isinstance(items := pick(body, "Items"), list):
        return None, []
    return body, [(each, None) for each in items]


def _split(source: str) -> tuple[dict[str, Any], list[tuple[Any, str | None]]] | None:
    """Decode the members of an object one by one, and those of its `Items` too; None if it isn't a page."""
    envelope: dict[str, Any] = {}
    items: list[tuple[Any, str | None]] | None = None
    at = _after(source, 0, "{")
    while True:
        if source[at] != '"':
            return None
        name, at = _scan(source, at)
        at = _after(source, at, ":")
        if name == "Items":
            if source[at] != "[":
                return None
            items, at = _elements(source, at)
        else:
            envelope[name], at = _scan(source, at)
        at = _skip(source, at)
        if source[at] == "}":
            break
        at = _after(source, at, ",")
    if items is None or source[at + 1 :].strip(" \t\n\r"):
        return None
    return envelope, items


def _elements(source: str, at: int) -> tuple[list[tuple[Any, str | None]], int]:
    """Return the elements of the array that begins at an index, each beside its source, and the index after it."""
    found: list[tuple[Any, str | None]] = []
    at = _after(source, at, "[")
    if source[at] == "]":
        return found, at + 1
    while True:
        begin = at
        value, at = _scan(source, at)
        found.append((value, source[begin:at]))
        if source[at] != ",":
            at = _skip(source, at)
            if source[at] == "]":
                return found, at + 1
        at = _after(source, at, ",")


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
