"""The table of operations: which function answers which method and path."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

Handler = Callable[..., Any]


class Route(NamedTuple):
    """One operation: its HTTP method, the path as MailUp documents it, the path as a pattern, and the function."""

    verb: str
    path: str
    pattern: re.Pattern[str]
    operation: Handler


ROUTES: Final[list[Route]] = []


def route(verb: str, path: str) -> Callable[[Handler], Handler]:
    """Add the decorated function to the table.

    The function is called with the Call, and with the ids of the path as keyword arguments of type str: `{list_id}` in
    the path becomes `list_id="1"`. It returns the answer, to be sent as JSON, or EMPTY.
    """
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>\\d+)", path), re.IGNORECASE)

    def add(function: Handler) -> Handler:
        ROUTES.append(Route(verb, path, pattern, function))
        return function

    return add
