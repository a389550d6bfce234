"""A secret on its way through frames that crash reporters may show."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that `repr` and `str` hide. Read `value` where it is used, and keep it in no variable."""

    value: str = field(repr=False)
