"""A site's functions for ENCRYPTION_KEYS, which a test lets answer or fail."""

from __future__ import annotations

from typing import Any

PATH = f"{__name__}.keys"
NOT_A_FUNCTION = "nothing to call"

answer: Any = []
"""What `keys` returns; an exception is raised instead."""

calls = 0


def keys() -> Any:
    """Return the keys, as a site would ask its vault for them."""
    global calls
    calls += 1
    if isinstance(answer, Exception):
        raise answer
    return answer
