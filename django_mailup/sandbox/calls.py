"""What every operation of the REST API gets and gives: the call, pages, errors, and the table of operations."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from werkzeug.wrappers import Request

from . import filters
from .memory import Mail, Memory, Person
from .state import Account, MailingList, State, User

DEFAULT_PAGE_SIZE: Final = 20
EMPTY: Final = object()
"""The answer of an operation that has nothing to say: an empty body."""


class Written(str):
    """An item of a page that is JSON already."""

    __slots__ = ()


class Failed(Exception):
    """An operation's error, with MailUp's status, description and name."""

    def __init__(self, status: int, description: str, name: str | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.name = name or {400: "BadRequest", 403: "Forbidden", 404: "NotFound"}.get(status)


@dataclass
class Call:
    """One call of an operation."""

    state: State
    request: Request
    user: User

    @property
    def account(self) -> Account:
        return self.user.account

    @property
    def memory(self) -> Memory:
        return self.user.account.memory

    @property
    def now(self) -> float:
        return self.state.clock()

    @cached_property
    def query(self) -> dict[str, str]:
        """The query parameters; IIS doesn't care for the case of their names."""
        return {key.casefold(): value for key, value in self.request.args.items()}

    @cached_property
    def body(self) -> Any:
        """The JSON body."""
        try:
            return json.loads(self.request.get_data() or b"null")
        except ValueError:
            raise Failed(400, "The request body is not formatted well.") from None

    def object(self) -> dict[str, Any]:
        """The body, which must be an object."""
        if not isinstance(self.body, dict):
            raise Failed(400, "The request body must be an object.")
        return self.body

    def pages(self, rows: Sequence[Any]) -> dict[str, Any]:
        """Return one page of rows, filtered and ordered as the query says."""
        try:
            if self.query.get("filterby"):
                rows = filters.select(rows, self.query["filterby"])
            if self.query.get("orderby"):
                rows = filters.arrange(rows, self.query["orderby"])
        except filters.Malformed as malformed:
            raise Failed(400, str(malformed)) from None
        return self.pages_of(rows)

    def pages_of(self, rows: Sequence[Any]) -> dict[str, Any]:
        """Return one page in MailUp's envelope: pages count from zero, of 20 unless another size is asked for."""
        try:
            number = int(self.query.get("pagenumber", 0))
            size = int(self.query.get("pagesize", DEFAULT_PAGE_SIZE))
        except ValueError:
            raise Failed(400, "pageNumber and pageSize must be numbers.") from None
        size = min(max(size, 1), self.state.options.max_page_size)
        skipped = max(number, 0) * size
        return {
            "IsPaginated": len(rows) > size,
            "Items": list(rows[skipped : skipped + size]),
            "PageNumber": number,
            "PageSize": size,
            "Skipped": skipped,
            "TotalElementsCount": len(rows),
        }

    def list(self, list_id: str) -> MailingList:
        """Return a list of the account."""
        found = next((each for each in self.account.lists if each.id == int(list_id)), None)
        if found is None:
            raise Failed(404, f"List {list_id} does not exist.")
        if found.ready_at > self.now:
            raise Failed(403, "Authorization error: the list is not ready yet.")
        return found

    def group(self, group_id: str) -> MailingList:
        """Return the list that a group belongs to."""
        for each in self.account.lists:
            if any(group[0] == int(group_id) for group in each.groups):
                return each
        raise Failed(404, f"Group {group_id} does not exist.")

    def person(self, recipient_id: str | int) -> Person:
        """Return a recipient."""
        found = self.memory.people.get(int(recipient_id))
        if found is None:
            raise Failed(404, f"Recipient {recipient_id} does not exist.")
        return found

    def mail(self, list_id: str | int, message_id: str | int, *, texts: bool = False) -> Mail:
        """Return a message of a list."""
        self.list(str(list_id))
        found = (self.memory.texts if texts else self.memory.mails).get(int(message_id))
        if found is None or found.list_id != int(list_id):
            raise Failed(404, f"Message {message_id} does not exist in list {list_id}.")
        return found


Operation = Callable[..., Any]
OPERATIONS: Final[list[tuple[str, str, re.Pattern[str], Operation]]] = []


def operation(verb: str, path: str) -> Callable[[Operation], Operation]:
    """Enter a function into the table: it gets the call and the numbers in the path's holes, as text."""
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>\\d+)", path), re.IGNORECASE)

    def enter(function: Operation) -> Operation:
        OPERATIONS.append((verb, path, pattern, function))
        return function

    return enter
