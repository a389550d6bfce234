"""Decode MailUp's JSON, within limits: whole answers, and pages of rows one row at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any, Final, TypeVar

from .parsing import pick

T = TypeVar("T")
MAX_NESTING: Final = 100
"""How many arrays and objects of an answer may be inside each other. MailUp's have about five."""
MAX_VALUES: Final = 2_000_000
"""How many arrays and objects an answer may have. The text of an empty one takes 3 bytes, the decoded one about 80."""


def _finite(source: str) -> float:
    """Return a number of JSON. Raise ValueError for NaN and Infinity, which Python accepts, and for what is too large.

    They aren't JSON (RFC 8259 section 6), and no database or other service takes them as JSON again.
    """
    found = float(source)
    if not isfinite(found):
        raise ValueError("the JSON has a number that isn't finite")
    return found


_decoder: Final[Any] = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)
_scan: Final[Callable[[str, int], tuple[Any, int]]] = _decoder.scan_once
"""Return the JSON value that begins at an index of a text, and the index after it. Implemented in C."""

_space: Final = re.compile(r"[ \t\n\r]*").match


def decode(source: str) -> Any:
    """Return the decoded JSON of an answer; None if the text is blank, as MailUp's answers without a result are.

    Raises:
        ValueError: the text is not JSON, has NaN or Infinity, is nested deeper than MAX_NESTING, or has more arrays and
            objects than MAX_VALUES.
    """
    if not source.strip():
        return None
    _require_few(source)
    try:
        value = _decoder.decode(source)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    _require_shallow(value, source, 0, len(source))
    return value


def _require_few(source: str) -> None:
    """Raise ValueError if a text may have more arrays and objects than MAX_VALUES. Brackets in texts count as well."""
    if len(source) > MAX_VALUES and source.count("{") + source.count("[") > MAX_VALUES:
        raise ValueError("the JSON has too many arrays and objects")


def _require_shallow(value: Any, source: str, begin: int, end: int) -> None:
    """Raise ValueError if a decoded value is nested deeper than MAX_NESTING.

    Args:
        value: the value.
        source: the text that has its JSON between the indexes `begin` and `end`.
    """
    if source.count("{", begin, end) + source.count("[", begin, end) <= MAX_NESTING:
        return
    level = [value]
    for _ in range(MAX_NESTING + 1):
        level = [each for each in level if isinstance(each, (dict, list))]
        if not level:
            return
        level = [each for parent in level for each in (parent.values() if isinstance(parent, dict) else parent)]
    raise ValueError("the JSON is nested too deeply")


# ------------------------------------------------------------------------------------------- pages


RowsWithSource = Iterable[tuple[dict[str, Any], str | None]]
"""Decoded rows, each with its own JSON text; None instead of the text where that is not known."""


def decode_page(source: str, collect: Callable[[RowsWithSource], list[T]]) -> tuple[Any, list[T]]:
    """Decode a page of rows. Return its envelope without `Items`, and the items that `collect` returned.

    The envelope is None, and there are no items, if the JSON is not an object with an array `Items`.

    Args:
        source: the JSON text of the page.
        collect: a function from rows to the items. It gets each row with the row's own text, so that a record can
            keep the text and decode it when somebody asks for `raw`: the decoded rows of a large export would take
            several times the memory of the records. If the text cannot be split into rows, the page is decoded as a
            whole, and the rows come without their text.

    Raises:
        ValueError: the text is not JSON, or not such that `decode` accepts it.
    """
    _require_few(source)
    try:
        found = _split(source, collect)
    except (IndexError, StopIteration, RuntimeError, ValueError):
        found = None
    if found is not None:
        return found
    body = decode(source)
    if not isinstance(body, dict) or not isinstance(items := pick(body, "Items"), list):
        return None, []
    return body, collect((each, None) for each in items if isinstance(each, dict))


def _split(source: str, collect: Callable[[RowsWithSource], list[T]]) -> tuple[dict[str, Any], list[T]] | None:
    """Do as `decode_page`, one member and one item at a time. Return None if the text is not such a page."""
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
            begin = at
            envelope[name], at = _scan(source, begin)
            _require_shallow(envelope[name], source, begin, at)
        at = _skip(source, at)
        if source[at] == "}":
            break
        at = _after(source, at, ",")
    if items is None or source[at + 1 :].strip(" \t\n\r"):
        return None
    return envelope, items


def _elements(source: str, at: int, ends: list[int]) -> RowsWithSource:
    """Yield each object of the array that begins at an index, with its text. Append the array's end to `ends`.

    Each object is decoded when it is asked for, so that the decoded rows of a page are never in memory together.
    """
    at = _after(source, at, "[")
    scan, ended = _scan, source[at] == "]"
    while not ended:
        begin = at
        value, at = scan(source, at)
        _require_shallow(value, source, begin, at)
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
    """Return the index after a mark and the blanks around it. Raise ValueError if the mark isn't there."""
    if source[at] != mark:
        at = _skip(source, at)
        if source[at] != mark:
            raise ValueError(f"{mark} expected")
    at += 1
    return at if source[at] not in " \t\n\r" else _skip(source, at)


def _skip(source: str, at: int) -> int:
    """Return the index of the first character at or after an index that isn't blank."""
    found = _space(source, at)
    assert found is not None
    return found.end()
