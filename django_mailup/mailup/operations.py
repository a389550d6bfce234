"""Operations of MailUp's REST API as data. Resources define them; `python -m django_mailup.mailup` prints them all."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
TEXT_IDS: Final = frozenset({"trusted_sender_id"})
"""Ids that MailUp's documents show as text."""


class Source(enum.Enum):
    """How well an operation is known to exist and work as described: MailUp's documents don't cover all of them."""

    DOCUMENTED = "documented"
    LISTED = "listed"
    MAILUP_CODE = "MailUp's code"
    RECORDED = "recorded"
    OTHER_CLIENTS = "seen in clients"
    INFERRED = "inferred"

    @property
    def explanation(self) -> str:
        """The meaning of the word, as a sentence."""
        return _EXPLANATIONS[self]


DOCUMENTED: Final = Source.DOCUMENTED
LISTED: Final = Source.LISTED
MAILUP_CODE: Final = Source.MAILUP_CODE
RECORDED: Final = Source.RECORDED
OTHER_CLIENTS: Final = Source.OTHER_CLIENTS
INFERRED: Final = Source.INFERRED

_EXPLANATIONS: Final = {
    Source.DOCUMENTED: "MailUp's documents describe it.",
    Source.LISTED: "MailUp's service lists its name; no document describes it.",
    Source.MAILUP_CODE: "MailUp's own SDK, gem or samples call it; no document describes it.",
    Source.RECORDED: "Other projects have recorded MailUp's answers to it; no document describes it.",
    Source.OTHER_CLIENTS: "Other projects' clients call it; no document describes it.",
    Source.INFERRED: "No source describes it; it is inferred from similar operations.",
}


@dataclass(frozen=True, slots=True)
class Operation(Generic[T_co]):
    """One operation of the REST API.

    Attributes:
        name: the client's method that calls it, such as `lists.all`.
        verb: the HTTP method.
        path: its path below the service, with placeholders for ids: `/Console/List/{list_id}`.
        source: how well it is known.
        returns: the Record that the answer is parsed into (if the operation is paged, that each row is parsed into),
            or a function from the decoded body to the method's result.
        default_order: for a paged operation, the names of MailUp's properties to order by unless the caller names
            others. None leaves the order to MailUp.
    """

    name: str
    verb: str
    path: str
    source: Source
    returns: type[T_co] | Callable[[Any], T_co] = field(repr=False)
    default_order: tuple[str, ...] | None = None

    @property
    def description(self) -> str:
        """The verb, path and source, for docstrings: "`GET /Console/List` (documented)."."""
        return f"`{self.verb} {self.path}` ({self.source.value})."

    def fill_path(self, **ids: int | str) -> str:
        """Return the path with ids in place of its placeholders.

        Raises:
            ValueError: an id is not a positive whole number, or one of TEXT_IDS is not the text of an id; the message
                names the argument.
        """
        return _PLACEHOLDER.sub(lambda match: str(_id(match[1], ids[match[1]])), self.path)


def _id(name: str, value: object) -> int | str:
    """Return an id unchanged. Raise ValueError unless it is a positive whole number; those in TEXT_IDS are text."""
    if name not in TEXT_IDS:
        return positive(name, value)
    if not isinstance(value, str) or not re.fullmatch(r"[0-9A-Za-z-]+", value):
        raise ValueError(f"{name} must be the text of an id, not {value!r}.")
    return value


def positive(name: str, value: object) -> int:
    """Return a value unchanged. Raise ValueError, with the argument's name, unless it is a positive whole number."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a positive whole number, not {value!r}.")
    return value
