"""Records: what MailUp answers, as frozen objects that parse themselves from JSON by their fields."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final, NamedTuple, Self, TypeVar, cast, dataclass_transform, get_type_hints

from ..exceptions import UnexpectedResponse
from . import parsing

R = TypeVar("R", bound="Record")

MOST_SHAPES: Final = 100
"""How many shapes of rows are remembered for a class. MailUp's rows of one kind have one shape or a few."""

_PARSERS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    str: parsing.text,
    bool: parsing.flag,
    int | None: parsing.number,
    datetime | None: parsing.moment,
}
_AS_THEY_ARE: Final[Mapping[Any, type]] = {str: str, bool: bool, int: int, int | None: int}
"""Which type of a value needs no parsing, by the type of the field."""

_SCALARS: Final = (str, int, datetime, type(None))


def key(
    *names: str,
    parse: Callable[[Any], Any] | None = None,
    or_argument: str = "",
    repr: bool = True,  # noqa: A002 (as dataclasses.field has it)
) -> Any:
    """Declare a field of a record: where it is found in MailUp's row, and how it is parsed.

    Args:
        names: MailUp's spellings, the most usual first. Letter case doesn't count.
        parse: makes the field's value of MailUp's, which is None when it is missing. Unless given, the field's type
            decides: text (empty when missing), a number, a flag (false when missing), a moment. A field of type `int`
            must be there, since nothing could be done without an id.
        or_argument: the argument of the call whose value stands for a missing number, such as `list_id`.
        repr: whether `repr` shows it.
    """
    return field(repr=repr, metadata={"key": _Key(names, parse, or_argument)})


class _Key(NamedTuple):
    names: tuple[str, ...]
    parse: Callable[[Any], Any] | None
    or_argument: str


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
        record: Any = dataclass(frozen=True, slots=True, kw_only=True, eq=False)(made)
        if "raw" in vars(record):
            record.raw = _Raw(record.raw)
        return cast(RecordType, record)


class _Frozen(metaclass=RecordType):
    """Makes Record one of its classes: mypy takes the fields of a class that names a metaclass for writable."""


class Record(_Frozen):
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
        return cls.parse_all([(row, source)], arguments=arguments)[0]

    @classmethod
    def parse_all(cls, rows: parsing.Rows, *, arguments: Mapping[str, int] | None = None) -> list[Self]:
        """Return the records of decoded rows, each beside its JSON if the record is to keep that in place of the row.

        Raises:
            UnexpectedResponse: one has no id.
        """
        plans, create, found = _plans(cls), object.__new__, []
        for row, source in rows:
            shape = tuple(row)
            plan = plans.get(shape)
            if plan is None:
                if len(plans) >= MOST_SHAPES:
                    plans.clear()
                plan = plans[shape] = _plan(cls, row)
            record = create(cls)
            for store, name, kind, parse in plan.present:
                value = row[name]
                store(record, value if type(value) is kind else parse(value))
            for store, value in plan.missing:
                store(record, value)
            for store, spelled, about in plan.from_call:
                value = parsing.number(row[spelled]) if spelled is not None else None
                store(record, value or _required(about.names[0], (arguments or {}).get(about.or_argument)))
            plan.store_raw(record, row if source is None else source)
            found.append(record)
        return found

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
    """How to parse rows of one shape.

    Attributes:
        present: for each value in the row, the setter of its slot, its key as MailUp spells it, the type of a value
            that needs no parsing, and the parser of others.
        missing: the setter and the value of each field that the row lacks.
        from_call: the setter and the key of each number that an argument of the call may stand for.
    """

    present: tuple[tuple[Callable[[Any, Any], None], str, type | None, Callable[[Any], Any]], ...]
    missing: tuple[tuple[Callable[[Any, Any], None], Any], ...]
    from_call: tuple[tuple[Callable[[Any, Any], None], str | None, _Key], ...]
    store_raw: Callable[[Any, Any], None]


def _required(name: str, value: object) -> int:
    found = parsing.number(value)
    if found is None:
        raise UnexpectedResponse(f"MailUp's answer has no {name}.", status=200)
    return found


@functools.cache
def _plans(cls: type[Record]) -> dict[tuple[str, ...], _Plan]:
    return {}


@functools.cache
def _compared(cls: type[Record]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(cls) if each.name != "raw")


def _plan(cls: type[Record], row: Mapping[str, Any]) -> _Plan:
    types = get_type_hints(cls)
    present, missing, from_call = [], [], []
    for each in fields(cls):
        if each.name == "raw":
            continue
        about: _Key = each.metadata["key"]
        store = vars(_owner(cls, each.name))[each.name].__set__
        name, kind = parsing.spelling(row, *about.names), types[each.name]
        if about.or_argument:
            from_call.append((store, name, about))
            continue
        parse = about.parse or (functools.partial(_required, about.names[0]) if kind is int else _PARSERS[kind])
        if name is None:
            missing.append((store, parse(None)))
        else:
            present.append((store, name, None if about.parse else _AS_THEY_ARE.get(kind), parse))
    return _Plan(tuple(present), tuple(missing), tuple(from_call), vars(Record)["raw"].__set__)


def _owner(cls: type, name: str) -> type:
    return next(each for each in cls.__mro__ if name in vars(each))


def list_of(record: type[R]) -> Callable[[Any], list[R]]:
    """Return a function that parses an array into records, in an envelope or without; other things are left out.

    The function raises UnexpectedResponse if there is no array, or a row has no id.
    """

    def parse(body: Any) -> list[R]:
        rows = parsing.array(body.get("Items") if isinstance(body, dict) else body)
        return record.parse_all((row, None) for row in rows if isinstance(row, dict))

    return parse
