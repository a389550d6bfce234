"""Filters and orders of paged operations, in the syntax of MailUp's page "Paging and filtering"."""

from __future__ import annotations

from collections.abc import Iterable

Value = str | int | bool


class Expression:
    """A filter, in MailUp's syntax as text. Combine filters with `&`, `|` and `~`."""

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
    """A property of the items, by MailUp's name, to compare in a filter: `Field("Email") == "ada@example.com"`."""

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
        """Return the filter for values that contain a text. Letter case matters."""
        return self._called("Contains", part)

    def starts_with(self, part: str) -> Expression:
        """Return the filter for values that begin with a text. (Inferred: MailUp documents .NET's string methods.)"""
        return self._called("StartsWith", part)

    def ends_with(self, part: str) -> Expression:
        """Return the filter for values that end with a text. (Inferred, as `starts_with`.)"""
        return self._called("EndsWith", part)

    def _compared(self, operator: str, value: object) -> Expression:
        return Expression(f"{self._name}{operator}{literal(value)}")

    def _called(self, method: str, part: str) -> Expression:
        return Expression(f"{self._name}.{method}({literal(part)})")


Where = Expression | str | None
"""A filter: an expression, or a string in MailUp's syntax; None for no filter."""

Order = str | Iterable[str] | None
"""Names of MailUp's properties, descending if they begin with `-`; or a string in MailUp's syntax. None: its order."""


def literal(value: object) -> str:
    """Return a value in the syntax of MailUp's filters.

    Apostrophes are doubled as in .NET's dynamic LINQ, whose syntax MailUp uses. MailUp doesn't document them.

    Raises:
        ValueError: the value is not a text, a whole number or a boolean.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    raise ValueError(f"A filter compares with a text, a whole number or a boolean, not {value!r}.")


def filter_parameter(where: Expression | str) -> str:
    """Return the parameter `filterby`: a string unchanged, an expression in the double quotes that MailUp documents.

    An expression that contains a double quote gets no quotes. Other clients never send them.
    """
    if isinstance(where, str) or '"' in str(where):
        return str(where)
    return f'"{where}"'


def order_parameter(order: str | Iterable[str]) -> str:
    """Return the parameter `orderby`: a string unchanged, names as `Name asc;Other desc` in quotes."""
    if isinstance(order, str):
        return order
    keys = [f"{name.removeprefix('-')} {'desc' if name.startswith('-') else 'asc'}" for name in order]
    return f'"{";".join(keys)}"'
