"""Arguments of methods: checking them before anything is sent, and writing them as MailUp's requests need them."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from .operations import positive as positive

MAX_LIST_NAME: Final = 50
MAX_FIELD_VALUE: Final = 200
MAX_SMS_SENDER: Final = 11
FieldValues = Mapping[int, str] | Mapping[str, str]
"""Values of personal fields, by id or by name."""
_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def text(name: str, value: object, *, max_length: int | None = None) -> str:
    """Return a value unchanged. Raise ValueError if it isn't text, is blank, or is longer than `max_length`."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} must not be empty.")
    if max_length is not None and len(value) > max_length:
        raise ValueError(f"{name} has {len(value)} characters; the limit is {max_length}.")
    return value


def email(name: str, value: object) -> str:
    """Return an e-mail address without blanks around it. Raise ValueError if the value is not an e-mail address."""
    address = value.strip() if isinstance(value, str) else ""
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"{name} must be an e-mail address, not {value!r}.")
    return address


def moment(name: str, value: object) -> str:
    """Return an aware datetime as MailUp writes it, in UTC (`2026-01-31 05:00:00Z`).

    Raises:
        ValueError: the value is not a datetime, or has no time zone.
    """
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(f"{name} must be a datetime with a time zone, not {value!r}.")
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def file_content(name: str, content: bytes) -> str:
    """Return a file's content as base64, without line breaks, which MailUp refuses. Raise ValueError if it is empty."""
    if not content:
        raise ValueError(f"{name} must not be empty.")
    return base64.b64encode(content).decode()


def without_none(**values: Any) -> dict[str, Any]:
    """Return the values that aren't None, by name."""
    return {key: value for key, value in values.items() if value is not None}


def fields(values: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return MailUp's JSON of personal fields, given their values by id. Raise ValueError if a value is too long."""
    found = []
    for number, value in values.items():
        if len(str(value)) > MAX_FIELD_VALUE:
            raise ValueError(f"fields[{number}] has {len(str(value))} characters; the limit is {MAX_FIELD_VALUE}.")
        found.append({"Id": number, "Value": str(value)})
    return found
