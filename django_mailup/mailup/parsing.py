"""Parsers of MailUp's JSON: for values that MailUp writes in several ways, for answers, and for pages of rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from operator import itemgetter
from typing import Any, Final, TypeVar

from ..exceptions import UnexpectedResponse

T = TypeVar("T")
MAX_SHARED_IDS: Final = 1000
"""The largest number of tuples of field ids that are kept for rows to share. An account has one tuple or a few."""

MAX_NESTING: Final = 100
"""How many arrays and objects of an answer may be inside each other. MailUp's have about five."""

_ID: Final = itemgetter("Id")
_VALUE: Final = itemgetter("Value")


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


# ------------------------------------------------------------------------------------------ values


def text(value: object) -> str:
    """Return a string; empty for None."""
    return "" if value is None else str(value)


def stripped(value: object) -> str:
    """Return a string without blanks around it; empty for None."""
    return text(value).strip()


def number(value: Any) -> int | None:
    """Return an integer, which MailUp may have written as text; None for anything else."""
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
    """Parse a date and time. Return an aware datetime; None for any other text, and for empty, null and the year 1.

    MailUp writes "never" as the year 1, and UTC without a time zone.
    """
    try:
        parsed = datetime.fromisoformat(text(value).strip())
    except ValueError:
        return None
    if parsed.year == 1:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def string_tuple(value: object) -> tuple[str, ...]:
    """Return an array of strings, or a single string, as a tuple, which is empty for None.

    Raises:
        UnexpectedResponse: the value is something else.
    """
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(str(each) for each in array(value or []))


def ids(value: object) -> tuple[int, ...]:
    """Return the integers in an array. Anything else in it is left out."""
    return tuple(each for each in value if isinstance(each, int)) if isinstance(value, list) else ()


def values_by_id(
    rows: object, *, id_names: tuple[str, ...], value_name: str, parse: Callable[[Any], T]
) -> dict[int, T]:
    """Return one value of each object in an array, by the object's id. Objects without an id are left out.

    Args:
        rows: MailUp's array. Anything in it that is not an object is left out; so is anything that is not an array.
        id_names: the names under which MailUp gives the id, the most usual first.
        value_name: the name under which MailUp gives the value.
        parse: a function from MailUp's value to the one returned.
    """
    found: dict[int, T] = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and (row_id := number(pick(row, *id_names))) is not None:
            found[row_id] = parse(pick(row, value_name))
    return found


class FieldTexts(Mapping[int, str]):
    """The values of personal fields, by id. Takes a fraction of a dictionary's memory, because rows share their ids."""

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
    """Return the values of a recipient's personal fields, by id. Anything else in the array is left out."""
    try:
        values = tuple(map(_VALUE, value))
        "".join(values)  # raises TypeError unless all are text
        ids = _shared_ids.get(tuple(map(_ID, value)))
    except (TypeError, KeyError):
        ids = None
    if ids is None:  # new ids, other spellings of the names, or values that must be parsed
        found = values_by_id(value, id_names=("Id",), value_name="Value", parse=text)
        ids, values = tuple(found), tuple(found.values())
        if len(_shared_ids) >= MAX_SHARED_IDS:
            _shared_ids.clear()
        ids = _shared_ids.setdefault(ids, ids)
    return FieldTexts(ids, values)


def find_key(row: Mapping[str, Any], *names: str) -> str | None:
    """Return the row's key for the first of the names that it has, whatever the letter case; None if it has none."""
    for name in names:
        if name in row:
            return name
    folded = {key.casefold(): key for key in row}
    return next((folded[name.casefold()] for name in names if name.casefold() in folded), None)


def pick(row: Mapping[str, Any], *names: str) -> Any:
    """Return the row's value for the first of the names that it has, whatever the letter case; None if it has none."""
    found = find_key(row, *names)
    return None if found is None else row[found]


# ------------------------------------------------------------------------------------ whole answers


def no_result(body: object) -> None:
    """Return None: the operation's answer has no meaning."""


def unchanged(body: Any) -> Any:
    """Return the answer as MailUp sent it."""
    return body


def mapping(body: object) -> Mapping[str, Any]:
    """Return an answer that is an object. Raise UnexpectedResponse if it is anything else."""
    if not isinstance(body, dict):
        raise UnexpectedResponse("MailUp's answer is not an object.", status=200)
    return body


def array(body: object) -> list[Any]:
    """Return an answer that is an array. Raise UnexpectedResponse if it is anything else."""
    if not isinstance(body, list):
        raise UnexpectedResponse("MailUp's answer is not an array.", status=200)
    return body


def string_list(body: object) -> list[str]:
    """Return an array of strings, or a single string, as a list. Raise UnexpectedResponse if the answer is neither."""
    return [body] if isinstance(body, str) else [str(each) for each in array(body)]


def whole_number(body: object) -> int:
    """Return an answer that is an integer or the text of one. Raise UnexpectedResponse otherwise."""
    found = number(body)
    if found is None:
        raise UnexpectedResponse("MailUp's answer is not a number.", status=200)
    return found


def decode(source: str) -> Any:
    """Return the decoded JSON of an answer; None if the text is blank, as MailUp's answers without a result are.

    Raises:
        ValueError: the text is not JSON, has NaN or Infinity, or is nested deeper than MAX_NESTING.
    """
    if not source.strip():
        return None
    try:
        value = _decoder.decode(source)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    _require_shallow(value, source, 0, len(source))
    return value


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
