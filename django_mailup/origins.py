"""Origins (RFC 6454): which texts are one, and the kind of a setting that holds one."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from .setting_kinds import Text

HOST: Final = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?")
DOTTED_PATH: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


class Origin(Text):
    """An origin, the dotted path of a function that returns one, or None, which code gets as the empty text."""

    check = "E014"
    is_secret = True  # a URL that isn't accepted may contain a password
    expects = "an origin, or the dotted path of a function that returns one"

    def __init__(self, *, help_text: str) -> None:
        super().__init__(None, help_text=help_text)

    @property
    def default_text(self) -> str:
        return "none"

    @property
    def hint(self) -> str:
        return "Write scheme, host and port and nothing else, such as https://news.example, or remove the key."

    def accepts(self, value: object) -> bool:
        return (
            value is None or is_origin(value) or (isinstance(value, str) and DOTTED_PATH.fullmatch(value) is not None)
        )

    def convert(self, value: Any) -> str:
        return value or ""


def is_origin(value: object) -> bool:
    """Return whether a value is an origin: http or https, a host, perhaps a port, and nothing else (RFC 6454)."""
    try:
        url = urlsplit(value) if isinstance(value, str) else urlsplit("")
        is_complete = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # the port is not a number, or a bracket of an IPv6 address is missing
        return False
    return is_complete and value == f"{url.scheme}://{url.netloc}" and HOST.fullmatch(url.netloc) is not None
