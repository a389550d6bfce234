"""Records: what MailUp answers, as frozen objects that parse themselves from JSON by their fields."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final, NamedTuple, Self, TypeVar, dataclass_transform, get_type_hints

from ..exceptions import UnexpectedResponse
from . import parsing

R = TypeVar("R", bound="Record")

MOST_SHAPES: Final = 100
"""How many shapes of rows are remembered for a class. MailUp's rows of one kind have one shape or a few."""

_PARSERS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    str: parsing.text,
    bool: parsing.flag,
    int: parsing.number,
    int | None: parsing.number,
    datetime | None: parsing.moment,
}
_SCALARS: Final = (str, int, datetime, type(None))


def key(
    *names: str,
    parse: Callable[[Any], Any] | None = None,
    lazy: bool = False,
    or_argument: str = "",
    repr: bool = True,  # noqa: A002 (as dataclasses.field has it)
) -> Any:
    """Declare a field of a record: where it is found in MailUp's row, and how it is parsed.

    Args:
        names: MailUp's spellings, the most usual first. Letter case doesn't count.
        parse: makes the field's value of MailUp's, which is None when it is missing. Unless given, the field's type
            decides: text (empty when missing), a number, a flag (false when missing), a moment. A field of type `int`
            must be there, since nothing could be done without an id.
        lazy: parse it when it is first asked for. For a value with a structure, which costs time and memory.
        or_argument: the argument of the call whose value stands for a missing number, such as `list_id`.
        repr: whether `repr` shows it.
    """
    return field(repr=repr, metadata={"key": _Key(names, parse, lazy, or_argument)})


class _Key(NamedTuple):
    names: tuple[str, ...]
    parse: Callable[[Any], Any] | None
    lazy: bool
    or_argument: str


class _Lazy:
    """A field that is parsed from a record's source when it is first asked for."""

    def __init__(self, slot: Any, parse: Callable[[Mapping[str, Any]], Any]) -> None:
        self._slot = slot
        self._parse = parse

    def __get__(self, record: Record | None, owner: type | None = None) -> Any:
        if record is None:
            return self
        try:
            return self._slot.__get__(record, owner)
        except AttributeError:
            value = self._parse(record.raw)
        self._slot.__set__(record, value)
        return value

    def __set__(self, record: Record, value: Any) -> None:
        self._slot.__set__(record, value)


class _Raw:
    """A record's original: the mapping it was made with, or its JSON, decoded each time, so that it needs no memory."""

    def __init__(self, slot: Any) -> None:
        self._slot = slot

    def __get__(self, record: Record | None, owner: type | None = None) -> Any:
        if record is None:
            return self
        source = self._slot.__get__(record, owner)
        return json.loads(source) if isinstance(source, str) else source

    def __set__(self, record: Record, value: Any) -> None:
        self._slot.__set__(record, value)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(key, field))
class RecordType(type):
    """Makes each record a frozen dataclass with slots."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> RecordType:
        made = super().__new__(cls, name, bases, namespace)
        if "__slots__" in namespace:
            return made  # the second time: a dataclass gets its slots by being made again
        made = dataclass(frozen=True, slots=True, kw_only=True, eq=False)(made)
        for each in fields(made):  # type: ignore[arg-type]
            about = each.metadata.get("key")
            slot = made.__dict__.get(each.name)
            if slot is not None and each.name == "raw":
                setattr(made, "raw", _Raw(slot))  # noqa: B010 (mypy: a type has no such attribute)
            elif slot is not None and about.lazy:
                setattr(made, each.name, _Lazy(slot, functools.partial(_parse_lazily, about)))
        return made


def _parse_lazily(about: _Key, row: Mapping[str, Any]) -> Any:
    assert about.parse is not None
    return about.parse(parsing.pick(row, *about.names))


class Record(metaclass=RecordType):
    """A row of MailUp's, parsed.

    Two are equal when class and fields are, the original aside. The hash is that of class and id (of class and simple
    fields where there is no id), so that records may be put into sets.

    `raw` is everything that MailUp sent, under MailUp's names.
    """

    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, row: object, *, source: str | None = None, arguments: Mapping[str, int] | None = None) -> Self:
        """Return the record of a decoded row.

        Args:
            row: MailUp's object.
            source: its JSON. With it, the record keeps that in place of the row, which needs less memory.
            arguments: the ids the operation was called with.

        Raises:
            UnexpectedResponse: it is no object, or has no id.
        """
        if not isinstance(row, dict):
            raise UnexpectedResponse("MailUp's answer is not an object.", status=200)
        plans = _plans(cls)
        shape = tuple(row)
        plan = plans.get(shape)
        if plan is None:
            if len(plans) >= MOST_SHAPES:
                plans.clear()
            plan = plans[shape] = _plan(cls, row)
        made = object.__new__(cls)
        for store, name, kind, parse in plan.present:
            value = row[name]
            store(made, value if type(value) is kind else parse(value))
        for store, value in plan.missing:
            store(made, value)
        for store, name, about in plan.required:
            value = parsing.number(row[name]) if name else None
            if about.or_argument:
                value = value or (arguments or {}).get(about.or_argument)
            if value is None:
                raise UnexpectedResponse(f"MailUp's answer has no {about.names[0]}.", status=200)
            store(made, value)
        plan.store_raw(made, row if source is None else source)
        return made

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _compared(type(self)))

    def __hash__(self) -> int:
        names = _compared(type(self))
        if "id" in names:
            return hash((type(self), getattr(self, "id")))  # noqa: B009 (mypy: not every record has one)
        values = (getattr(self, name) for name in names)
        return hash((type(self), *(value for value in values if isinstance(value, _SCALARS))))


class _Plan(NamedTuple):
    """How to parse rows of one shape: setters of slots, and MailUp's spelling of the keys."""

    present: tuple[tuple[Callable[[Any, Any], None], str, type | None, Callable[[Any], Any]], ...]
    missing: tuple[tuple[Callable[[Any, Any], None], Any], ...]
    required: tuple[tuple[Callable[[Any, Any], None], str | None, _Key], ...]
    store_raw: Callable[[Any, Any], None]


@functools.cache
def _plans(cls: type[Record]) -> dict[tuple[str, ...], _Plan]:
    return {}


@functools.cache
def _compared(cls: type[Record]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(cls) if each.name != "raw")


def _plan(cls: type[Record], row: Mapping[str, Any]) -> _Plan:
    types = get_type_hints(cls)
    present, missing, required = [], [], []
    for each in fields(cls):
        if each.name == "raw" or (about := each.metadata["key"]).lazy:
            continue
        store = getattr(cls, each.name).__set__
        name = parsing.spelling(row, *about.names)
        wanted = types[each.name]
        if about.parse is None and wanted is int:
            required.append((store, name, about))
            continue
        parse = about.parse or _PARSERS[wanted]
        if name is None:
            missing.append((store, parse(None)))
        else:
            as_it_is = about.parse is None and wanted in (str, bool, int | None)
            present.append((store, name, {str: str, bool: bool}.get(wanted, int) if as_it_is else None, parse))
    return _Plan(tuple(present), tuple(missing), tuple(required), cls.raw.__set__)


def list_of(record: type[R]) -> Callable[[Any], list[R]]:
    """Return a function that parses an array into records, in an envelope or without; other things are left out.

    The function raises UnexpectedResponse if there is no array, or a row has no id.
    """

    def parse(body: Any) -> list[R]:
        rows = parsing.array(body.get("Items") if isinstance(body, dict) else body)
        return [record.parse(row) for row in rows if isinstance(row, dict)]

    return parse
