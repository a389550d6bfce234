"""Record: the base class of what MailUp's JSON is parsed into. The fields of a record say how it is parsed."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final, NamedTuple, Self, TypeVar, cast, dataclass_transform, get_type_hints

from ..exceptions import UnexpectedResponse
from . import decoding, parsing

R = TypeVar("R", bound="Record")

MAX_SHAPES: Final = 100
"""The largest number of plans that are kept for a class. Each is for one set of keys; rows of one kind have a few."""

_PARSERS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    str: parsing.text,
    bool: parsing.flag,
    int | None: parsing.number,
    datetime | None: parsing.moment,
}
_UNPARSED_TYPES: Final[Mapping[Any, type]] = {str: str, bool: bool, int: int, int | None: int}
"""The type of the values that are stored without parsing, by the type of the field."""

_SCALARS: Final = (str, int, datetime, type(None))


def key(
    *names: str,
    parse: Callable[[Any], Any] | None = None,
    fallback_argument: str = "",
    repr: bool = True,  # noqa: A002 (as dataclasses.field has it)
) -> Any:
    """Return a field of a record: under which key of MailUp's row its value is found, and how it is parsed.

    Args:
        names: MailUp's names of the key, the most usual first. Letter case is ignored.
        parse: a function from MailUp's value, None if the key is missing, to the field's value. By default the field's
            type decides: `str` (empty if missing), `bool` (false if missing), `int | None`, `datetime | None`, and
            `int`, whose key must be there because it is an id.
        fallback_argument: for an `int`, the argument of the call that gives the value if the key is missing, such as
            `list_id`.
        repr: whether `repr` shows the field.
    """
    return field(repr=repr, metadata={"key": _Key(names, parse, fallback_argument)})


class _Key(NamedTuple):
    names: tuple[str, ...]
    parse: Callable[[Any], Any] | None
    fallback_argument: str


class _Raw:
    """The attribute `raw`: the mapping that was stored, or the JSON text that was stored, decoded at each access."""

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
            return made  # second call: to add slots, dataclass makes the class again
        record: Any = dataclass(frozen=True, slots=True, kw_only=True, eq=False)(made)
        if "raw" in vars(record):
            record.raw = _Raw(record.raw)
        return cast(RecordType, record)


class _Frozen(metaclass=RecordType):
    """Gives Record its metaclass. (mypy takes fields for writable in a class that names its metaclass itself.)"""


class Record(_Frozen):
    """A parsed row of MailUp's JSON. `raw` is everything that MailUp sent in it, under MailUp's names.

    Two records are equal if their classes and all fields but `raw` are. Records can be put into sets: the hash is made
    from the class and the id, or from the class and the text, number and date fields if there is no field `id`.
    """

    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, row: object, *, source: str | None = None, arguments: Mapping[str, int] | None = None) -> Self:
        """Return the record of a decoded row.

        Args:
            row: MailUp's object.
            source: the JSON text of the row. If given, the record stores it for `raw` instead of the row, to save
                memory.
            arguments: the ids with which the operation was called, for fields with a `fallback_argument`.

        Raises:
            UnexpectedResponse: the row is not an object, or an id is missing.
        """
        if not isinstance(row, dict):
            raise UnexpectedResponse("MailUp's answer is not an object.", status=200)
        return cls.parse_rows([(row, source)], arguments=arguments)[0]

    @classmethod
    def parse_rows(cls, rows: decoding.RowsWithSource, *, arguments: Mapping[str, int] | None = None) -> list[Self]:
        """Return the records of decoded rows. Arguments are those of `parse`.

        Raises:
            UnexpectedResponse: an id is missing.
        """
        plans, create, found = _plans(cls), object.__new__, []
        for row, source in rows:
            shape = tuple(row)
            plan = plans.get(shape)
            if plan is None:
                if len(plans) >= MAX_SHAPES:
                    plans.clear()
                plan = plans[shape] = _plan(cls, row)
            record = create(cls)
            for store, name, kind, parse in plan.present:
                value = row[name]
                store(record, value if type(value) is kind else parse(value))
            for store, value in plan.missing:
                store(record, value)
            for store, row_key, declared in plan.from_call:
                value = parsing.number(row[row_key]) if row_key is not None else None
                store(record, value or _required(declared.names[0], (arguments or {}).get(declared.fallback_argument)))
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
    """How a record is parsed from rows that have the same keys.

    Attributes:
        present: for each field whose key the rows have: the setter of its slot, the key as MailUp writes it, the type
            of values that are stored without parsing, and the parser of other values.
        missing: for each field whose key the rows lack: the setter of its slot, and its value.
        from_call: for each field with a `fallback_argument`: the setter of its slot, the rows' key or None, and how
            the field was declared.
        store_raw: the setter of the slot of `raw`.
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
        declared: _Key = each.metadata["key"]
        store = vars(_owner(cls, each.name))[each.name].__set__
        name, kind = parsing.find_key(row, *declared.names), types[each.name]
        if declared.fallback_argument:
            from_call.append((store, name, declared))
            continue
        parse = declared.parse or (functools.partial(_required, declared.names[0]) if kind is int else _PARSERS[kind])
        if name is None:
            missing.append((store, parse(None)))
        else:
            present.append((store, name, None if declared.parse else _UNPARSED_TYPES.get(kind), parse))
    return _Plan(tuple(present), tuple(missing), tuple(from_call), vars(Record)["raw"].__set__)


def _owner(cls: type, name: str) -> type:
    return next(each for each in cls.__mro__ if name in vars(each))


def list_of(record: type[R]) -> Callable[[Any], list[R]]:
    """Return a function that parses an array, or the `Items` of an object, into records. It skips what isn't an object.

    The function raises UnexpectedResponse if there is no array, or if a row has no id.
    """

    def parse(body: Any) -> list[R]:
        rows = parsing.array(parsing.pick(body, "Items") if isinstance(body, dict) else body)
        return record.parse_rows((row, None) for row in rows if isinstance(row, dict))

    return parse
