"""Filters and orders of paged operations, as MailUp's documents write them ("Paging and filtering")."""

from __future__ import annotations

from collections.abc import Iterable

Value = str | int | bool


class Expression:
    """A filter. Expressions are combined with `&`, `|` and `~`; `str()` is what MailUp is sent."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Expression({self._text!r})"

    def __and__(self, other: Expression) -> Expression:
        return Expression(f"({self} && {other})")

    def __or__(self, other: Expression) -> Expression:
        return Expression(f"({self} || {other})")

    def __invert__(self) -> Expression:
        return Expression(f"!({self})")


class Field:
    """A property of an answer's items, as MailUp spells it there: `Field("Email") == "ada@example.com"`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __eq__(self, value: object) -> Expression:  # type: ignore[override]
        return self._compared("==", value)

    def __ne__(self, value: object) -> Expression:  # type: ignore[override]
        return self._compared("!=", value)

    def __lt__(self, value: Value) -> Expression:
        return self._compared("<", value)

    def __le__(self, value: Value) -> Expression:
        return self._compared("<=", value)

    def __gt__(self, value: Value) -> Expression:
        return self._compared(">", value)

    def __ge__(self, value: Value) -> Expression:
        return self._compared(">=", value)

    __hash__ = None  # type: ignore[assignment]

    def contains(self, part: str) -> Expression:
        """A substring, in this letter case."""
        return self._called("Contains", part)

    def starts_with(self, part: str) -> Expression:
        """A beginning. (Inferred: MailUp's documents speak of .NET's string methods.)"""
        return self._called("StartsWith", part)

    def ends_with(self, part: str) -> Expression:
        """An end. (Inferred, as `starts_with`.)"""
        return self._called("EndsWith", part)

    def _compared(self, operator: str, value: object) -> Expression:
        return Expression(f"{self._name}{operator}{literal(value)}")

    def _called(self, method: str, part: str) -> Expression:
        return Expression(f"{self._name}.{method}({literal(part)})")


Where = Expression | str | None
"""A filter, or a string as MailUp takes it."""

Order = str | Iterable[str] | None
"""Names of MailUp's properties, `-Name` descends; or a string as MailUp takes it; None: MailUp's own order."""


def literal(value: object) -> str:
    """Return a value as MailUp's filters write it.

    An apostrophe is doubled, as in .NET's dynamic LINQ, which MailUp's syntax is that of; MailUp doesn't say.

    Raises:
        ValueError: it is neither text nor a whole number nor a boolean.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    raise ValueError(f"A filter compares with text, a whole number or a boolean, not {value!r}.")


def filter_parameter(where: Expression | str) -> str:
    """Return the value of `filterby`. A string is taken as it is; an expression gets the quotes that MailUp documents.

    One that holds a double quote goes without them, as clients in production send all of theirs.
    """
    if isinstance(where, str) or '"' in str(where):
        return str(where)
    return f'"{where}"'


def order_parameter(order: str | Iterable[str]) -> str:
    """Return the value of `orderby`. A string is taken as it is; of several names, `-Name` descends."""
    if isinstance(order, str):
        return order
    keys = [f"{name.removeprefix('-')} {'desc' if name.startswith('-') else 'asc'}" for name in order]
    return f'"{";".join(keys)}"'
