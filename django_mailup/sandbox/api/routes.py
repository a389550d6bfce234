"""The table of operations: which function answers which method and path."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

Operation = Callable[..., Any]


class Route(NamedTuple):
    """One operation: its HTTP method, its path as documented, the path as a pattern, and its function."""

    verb: str
    path: str
    pattern: re.Pattern[str]
    operation: Operation


ROUTES: Final[list[Route]] = []


def route(verb: str, path: str) -> Callable[[Operation], Operation]:
    """Add the decorated function to the table.

    It is called with the Call, and with the ids in the path as keyword arguments, which are text: `{list_id}` in the
    path becomes `list_id="1"`. It returns what is sent as JSON, or EMPTY.
    """
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>\\d+)", path), re.IGNORECASE)

    def add(function: Operation) -> Operation:
        ROUTES.append(Route(verb, path, pattern, function))
        return function

    return add
