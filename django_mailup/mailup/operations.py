"""An operation of MailUp's REST API as data. Resources declare theirs; `python -m django_mailup.mailup` prints all."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)
_HOLE: Final = re.compile(r"\{(\w+)\}")


class Source(enum.Enum):
    """How sure it is that an operation exists and works so, since MailUp's documents don't name all of them."""

    DOCUMENTED = "documented"
    LISTED = "listed"
    MAILUP_CODE = "MailUp's code"
    RECORDED = "recorded"
    CLIENTS = "seen in clients"
    INFERRED = "inferred"

    @property
    def explanation(self) -> str:
        """Return a sentence that says what the word means."""
        return _EXPLANATIONS[self]


DOCUMENTED: Final = Source.DOCUMENTED
LISTED: Final = Source.LISTED
MAILUP_CODE: Final = Source.MAILUP_CODE
RECORDED: Final = Source.RECORDED
CLIENTS: Final = Source.CLIENTS
INFERRED: Final = Source.INFERRED

_EXPLANATIONS: Final = {
    Source.DOCUMENTED: "MailUp's documents describe it.",
    Source.LISTED: "MailUp's service lists its name; no document describes it.",
    Source.MAILUP_CODE: "MailUp's own SDK, gem or samples call it; no document describes it.",
    Source.RECORDED: "Other projects have recorded MailUp's answers to it; no document describes it.",
    Source.CLIENTS: "Other projects' clients call it; no document describes it.",
    Source.INFERRED: "Nobody describes it: it is inferred from operations that are alike.",
}


@dataclass(frozen=True, slots=True)
class Operation(Generic[T_co]):
    """One operation.

    Attributes:
        name: how a client calls it: `lists.all`.
        verb: the HTTP method.
        path: below the service, with holes for ids: `/Console/List/{list_id}`.
        source: how sure it is.
        returns: what is made of the answer: a Record (of each row, if the operation is paged), or a function of the
            decoded body.
        order: what a paged operation is ordered by, unless the caller says otherwise.
    """

    name: str
    verb: str
    path: str
    source: Source
    returns: type[T_co] | Callable[[Any], T_co] = field(repr=False)
    order: tuple[str, ...] | None = None

    @property
    def description(self) -> str:
        """Return verb, path and source, for docstrings: `GET /Console/List` (documented)."""
        return f"`{self.verb} {self.path}` ({self.source.value})."

    def at(self, **ids: int) -> str:
        """Return the path with its holes filled.

        Raises:
            ValueError: an id is no positive whole number; the message names the argument.
        """
        return _HOLE.sub(lambda hole: str(positive(hole[1], ids[hole[1]])), self.path)


def positive(name: str, value: object) -> int:
    """Return a value that is a positive whole number. Raise ValueError with the argument's name otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a positive whole number, not {value!r}.")
    return value
