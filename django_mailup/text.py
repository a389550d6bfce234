"""Make text of other people's fit to be stored, shown and printed."""

from __future__ import annotations

import re
from typing import Final

# NUL and lone surrogates, which databases refuse; other control characters, which drive a terminal; marks that change
# the direction of text, which can make a name look like another one.
_UNWANTED: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_SHARED: Final = 8
"""So many characters in a row that a text shares with a secret are taken for a part of it."""


def clean(text: str, limit: int) -> str:
    """Return a text on one line, without control characters and the like, cut to `limit` characters."""
    return _UNWANTED.sub("", " ".join(text.split()))[:limit].strip()


def is_clean(text: str) -> bool:
    """Return whether a text has no character that `clean` removes."""
    return not _UNWANTED.search(text)


def printable(text: object) -> str:
    """Return a text for a terminal: on one line, with escapes such as \\x1b for what `clean` would remove."""
    return _UNWANTED.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def without(text: str, secret: str) -> str:
    """Return a text with "…" for whatever looks like a part of a secret: eight or more characters, in any case."""
    length = min(_SHARED, len(secret))
    if not length:
        return text
    lowered, hidden = text.translate(_LOWER), secret.translate(_LOWER)
    shown: list[str] = []
    hidden_until = 0
    for position, character in enumerate(text):
        if position + length <= len(text) and lowered[position : position + length] in hidden:
            if position >= hidden_until:
                shown.append("…")
            hidden_until = position + length
        elif position >= hidden_until:
            shown.append(character)
    return "".join(shown)
