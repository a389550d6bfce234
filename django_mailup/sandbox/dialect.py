"""The dialect of answers: spellings of names, numbers as text and time zones, as far as Options change them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from .options import Options

ZONE: Final = timezone(timedelta(hours=5, minutes=30))
"""The time zone of `Options.dates="offset"`: one whose difference is not in whole hours."""
TEXT_NUMBERS: Final = frozenset({"uid", "errorcode", "idtrustedsender"})
"""Names, in lower case, under which MailUp documents a text that consists of digits."""

_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(Z|\.\d{3})")
NEVER: Final = "0001-01-01"
"""How MailUp's missing dates begin. They stay as they are: the year 1 has no other time zones."""


def spoken(answer: Any, options: Options) -> Any:
    """Return an answer, as decoded JSON, in the dialect of the options. It is unchanged with the default options."""
    rename: Callable[[str], str] = _other_case if options.names == "other_case" else str
    as_text, offset = options.numbers == "text", options.dates == "offset"

    def rewritten(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {rename(key): rewritten(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [rewritten(each) for each in value]
        if as_text and type(value) is int:
            return str(value)
        if isinstance(value, str):
            if as_text and name.casefold() in TEXT_NUMBERS and value.isdigit():
                return int(value)
            return _with_offset(value) if offset else value
        return value

    return rewritten(answer)


def changes_answers(options: Options) -> bool:
    """Return whether the options ask for another dialect than MailUp's documented one."""
    return (options.names, options.numbers, options.dates) != ("documented", "number", "documented")


def _other_case(name: str) -> str:
    return name[:1].swapcase() + name[1:]


def _with_offset(text: str) -> str:
    found = _DATE.fullmatch(text)
    if found is None or text.startswith(NEVER):
        return text
    moment = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S+05:30")
