"""Parsers of decoded JSON: for values that MailUp writes in several ways, and for whole answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Final, TypeVar

from ..exceptions import UnexpectedResponse

T = TypeVar("T")
MAX_SHARED_IDS: Final = 1000
"""The largest number of tuples of field ids that are kept for rows to share. An account has one tuple or a few."""

_ID: Final = itemgetter("Id")
_VALUE: Final = itemgetter("Value")


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
    """Return the integers in an array, which MailUp may have written as text. Anything else in it is left out."""
    found = map(number, value) if isinstance(value, list) else ()
    return tuple(each for each in found if each is not None)


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
