"""Filtering and ordering rows by `filterby` and `orderby`, as far as MailUp documents them (.NET dynamic LINQ)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Row = Mapping[str, Any]
Test = Callable[[Row], Any]

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+)|(?P<word>\w+)|(?P<sign>&&|\|\||==|!=|<=|>=|[&|=<>!().,\[\]]))"
)
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": lambda a, b: a == b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_CALL: Final[dict[str, Callable[..., Any]]] = {
    "contains": lambda value, part: part in value,
    "startswith": lambda value, part: value.startswith(part),
    "endswith": lambda value, part: value.endswith(part),
    "equals": lambda value, part: value == part,
    "trim": lambda value: value.strip(),
}


class Malformed(Exception):
    """The expression is invalid; the text says why."""


def _has_part(value: Any, part: Any) -> bool:
    return part in value if isinstance(value, str) and isinstance(part, str) else bool(value == part)


_COMPARE_PARTS: Final = _COMPARE | {"==": _has_part, "=": _has_part}


def filter_rows(rows: Sequence[Row], expression: str, *, by_part: bool = False) -> list[Row]:
    """Return the rows for which an expression is true, such as `Name.Contains('a')`.

    Args:
        by_part: whether a text equals each text that contains it.

    Raises:
        Malformed: the expression is invalid, names an unknown property or compares different types.
    """
    test = _Parser(_without_quotes(expression), _COMPARE_PARTS if by_part else _COMPARE).parse()
    try:
        return [row for row in rows if test(row)]
    except (TypeError, AttributeError):
        raise Malformed("The filter compares what can't be compared.") from None


def order_rows(rows: Sequence[Row], order: str) -> list[Row]:
    """Return the rows in an order such as `Name asc;idGroup desc`.

    Raises:
        Malformed: a direction is neither `asc` nor `desc`, or a property is unknown.
    """
    found = list(rows)
    for key in reversed(_without_quotes(order).split(";")):
        name, _, direction = key.strip().partition(" ")
        if direction.strip().casefold() not in ("", "asc", "desc"):
            raise Malformed(f"{direction} is no direction.")
        found.sort(
            key=lambda row, name=name: _sort_key(_property(row, name)),  # type: ignore[misc]
            reverse=direction.strip().casefold() == "desc",
        )
    return found


def _sort_key(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def _without_quotes(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and (text[0], text[-1]) in (('"', '"'), ("[", "]")):
        return text[1:-1]
    return text


def _property(row: Row, name: str) -> Any:
    for key, value in row.items():
        if key.casefold() == name.casefold():
            return value
    raise Malformed(f"No property or field '{name}' exists.")


def _either(left: Test, right: Test) -> Test:
    return lambda row: left(row) or right(row)


def _both(left: Test, right: Test) -> Test:
    return lambda row: left(row) and right(row)


_LEVELS: Final = (("||", _either), ("&&", _both), ("|", _either), ("&", _both))
"""The signs that combine tests, weakest first, as C# orders them. MailUp's page on filters names all four."""


class _Parser:
    """A recursive descent parser. The levels, weakest first: _LEVELS, not, comparison, value with method calls."""

    def __init__(self, text: str, comparisons: Mapping[str, Callable[[Any, Any], bool]]) -> None:
        self._comparisons = comparisons
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if match is None:
                raise Malformed(f"Syntax error at position {position}.")
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            position = match.end()
        self._position = 0

    def parse(self) -> Test:
        found = self._combined()
        if self._position != len(self._tokens):
            raise Malformed("Syntax error.")
        return found

    def _peek(self) -> str:
        return self._tokens[self._position][1] if self._position < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self._position == len(self._tokens):
            raise Malformed("The expression ends too early.")
        self._position += 1
        return self._tokens[self._position - 1]

    def _expect(self, sign: str) -> None:
        if self._next()[1] != sign:
            raise Malformed(f"'{sign}' expected.")

    def _combined(self, level: int = 0) -> Test:
        """Parse what the signs of this level of _LEVELS, and of the stronger ones, combine."""
        if level == len(_LEVELS):
            return self._not()
        sign, combine = _LEVELS[level]
        left = self._combined(level + 1)
        while self._peek() == sign:
            self._next()
            left = combine(left, self._combined(level + 1))
        return left

    def _not(self) -> Test:
        if self._peek() == "!":
            self._next()
            inner = self._not()
            return lambda row: not inner(row)
        if self._peek() == "(":
            self._next()
            inner = self._combined()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Test:
        left = self._value()
        if self._peek() in self._comparisons:
            compare, right = self._comparisons[self._next()[1]], self._value()
            return lambda row: compare(left(row), right(row))
        return left

    def _value(self) -> Test:
        kind, text = self._next()
        if kind == "text":
            literal: Any = text[1:-1].replace("''", "'")
            return lambda row: literal
        if kind == "number":
            number = int(text)
            return lambda row: number
        if kind != "word":
            raise Malformed(f"'{text}' is not expected here.")
        if text in ("true", "false"):
            return lambda row: text == "true"
        found: Test = lambda row: _property(row, text)  # noqa: E731
        while self._peek() == ".":
            self._next()
            found = self._call(found)
        return found

    def _call(self, subject: Test) -> Test:
        method = _CALL.get(self._next()[1].casefold())
        if method is None:
            raise Malformed("No such method.")
        self._expect("(")
        arguments: list[Test] = []
        while self._peek() != ")":
            arguments.append(self._value())
            if self._peek() == ",":
                self._next()
        self._expect(")")
        return lambda row: method(subject(row) or "", *[each(row) for each in arguments])
