"""Comparing what MailUp writes in several ways: names in any letter case, whole numbers that may be text."""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """Return decoded JSON with names in lower case, and texts that consist of digits as numbers."""
    if isinstance(value, dict):
        return {name.casefold(): plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return int(value) if isinstance(value, str) and value.isdigit() else value
