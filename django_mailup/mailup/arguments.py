"""Arguments as MailUp takes them. What is wrong is refused before a call is spent, with the argument's name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from .operations import positive as positive

LONGEST_LIST_NAME: Final = 50
LONGEST_FIELD: Final = 200
LONGEST_SMS_SENDER: Final = 11
FieldValues = Mapping[int, str] | Mapping[str, str]
"""Personal fields, by id or by name."""
_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def text(name: str, value: object, *, longest: int | None = None) -> str:
    """Return a value that is text and not blank. Raise ValueError if it isn't, or is too long."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} must not be empty.")
    if longest is not None and len(value) > longest:
        raise ValueError(f"{name} has {len(value)} characters; MailUp takes {longest}.")
    return value


def email(name: str, value: object) -> str:
    """Return an e-mail address without blanks around it. Raise ValueError if it can't be one."""
    address = value.strip() if isinstance(value, str) else ""
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"{name} must be an e-mail address, not {value!r}.")
    return address


def moment(name: str, value: object) -> str:
    """Return an aware datetime as MailUp writes it, in UTC (`2026-01-31 05:00:00Z`).

    Raises:
        ValueError: it has no time zone.
    """
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(f"{name} must be a datetime with a time zone, not {value!r}.")
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def given(**values: Any) -> dict[str, Any]:
    """Return those values that aren't None."""
    return {key: value for key, value in values.items() if value is not None}


def fields(values: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return personal fields, by id, as MailUp takes them. Raise ValueError if one is too long."""
    found = []
    for number, value in values.items():
        if len(str(value)) > LONGEST_FIELD:
            raise ValueError(f"fields[{number}] has {len(str(value))} characters; MailUp takes {LONGEST_FIELD}.")
        found.append({"Id": number, "Value": str(value)})
    return found
