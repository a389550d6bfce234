"""Reading MailUp's answers: keys in several spellings, dates in several forms. Resources import it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ...exceptions import UnexpectedResponse


def record(answer: object) -> Mapping[str, Any]:
    """Return the answer if it is an object. Raises UnexpectedResponse otherwise."""
    if not isinstance(answer, dict):
        raise UnexpectedResponse("MailUp's answer is not an object.", status=200)
    return answer


def pick(source: Mapping[str, Any], *names: str) -> Any:
    """Return the first value found under one of the names, in any letter case (`idList`, `IdList`), else None."""
    for name in names:
        if name in source:
            return source[name]
    folded = {key.casefold(): value for key, value in source.items()}
    return next((folded[name.casefold()] for name in names if name.casefold() in folded), None)


def text(source: Mapping[str, Any], *names: str) -> str:
    """Return a string; a missing one and null are empty."""
    value = pick(source, *names)
    return "" if value is None else str(value)


def number(source: Mapping[str, Any], *names: str) -> int | None:
    """Return an integer, also one that MailUp wrote as text; None when it is missing or none."""
    value = pick(source, *names)
    if isinstance(value, bool):
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def identifier(source: Mapping[str, Any], *names: str) -> int:
    """Return an id. Raises UnexpectedResponse when there is none: nothing could be done with such a thing."""
    value = number(source, *names)
    if value is None:
        raise UnexpectedResponse(f"MailUp's answer has no {names[0]}.", status=200)
    return value


def flag(source: Mapping[str, Any], *names: str) -> bool:
    """Return a boolean; what is missing is false."""
    return pick(source, *names) is True


def moment(source: Mapping[str, Any], *names: str) -> datetime | None:
    """Return an aware datetime. MailUp writes UTC without saying so; its "never" (empty, null, the year 1) is None."""
    value = text(source, *names).strip()
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    if parsed.year == 1:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def records(answer: object) -> list[Mapping[str, Any]]:
    """Return the objects of an answer that is an array without an envelope. Raises UnexpectedResponse otherwise."""
    if not isinstance(answer, list):
        raise UnexpectedResponse("MailUp's answer is not an array.", status=200)
    return [each for each in answer if isinstance(each, dict)]


def texts(answer: object) -> list[str]:
    """Return the strings of an answer that is an array of them, or one of them."""
    if isinstance(answer, str):
        return [answer]
    if not isinstance(answer, list):
        raise UnexpectedResponse("MailUp's answer is not an array.", status=200)
    return [str(each) for each in answer]


def whole_number(answer: object) -> int:
    """Return an answer whose body is a number, also one written as text. Raises UnexpectedResponse otherwise."""
    found = number({"it": answer}, "it")
    if found is None:
        raise UnexpectedResponse("MailUp's answer is not a number.", status=200)
    return found
