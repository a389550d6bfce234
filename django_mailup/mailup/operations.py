"""An operation of MailUp's REST API: its name here, its HTTP verb and path there. Resources declare theirs.

`python -m django_mailup.mailup` prints all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_HOLE: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: `name` is how a client calls it (`lists.all`), `path` has holes for ids (`{list_id}`)."""

    name: str
    verb: str
    path: str

    def at(self, **ids: int) -> str:
        """Return the path with its holes filled.

        Raises:
            ValueError: an id is no positive whole number; the message names the argument.
        """
        return _HOLE.sub(lambda hole: str(positive(hole[1], ids[hole[1]])), self.path)


def positive(name: str, value: object) -> int:
    """Return a value that is a positive whole number. Raises ValueError with the argument's name otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a positive whole number, not {value!r}.")
    return value
