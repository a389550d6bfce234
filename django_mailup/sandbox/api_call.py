"""Call: one call of the REST API, with the body, pages and lookups that all operations need."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from werkzeug.wrappers import Request

from . import expressions
from .accounts import Account, MailingList, Message, User
from .errors import APIError
from .recipients import Recipient
from .state import State

DEFAULT_PAGE_SIZE: Final = 20
EMPTY: Final = object()
"""An operation returns this to answer with an empty body."""


class JSONText(str):
    """An item of a page, as JSON text."""

    __slots__ = ()


def decode_body(request: Request) -> Any:
    """Return a request's JSON; None if there is no body. Raise APIError (400) if the body is not JSON."""
    try:
        return json.loads(request.get_data() or b"null")
    except ValueError:
        raise APIError(400, "The request body is not formatted well.") from None


@dataclass
class Call:
    """One call of an operation, by a user whose access token is valid."""

    state: State
    request: Request
    user: User

    @property
    def account(self) -> Account:
        return self.user.account

    @property
    def now(self) -> float:
        """The current time in seconds, by the sandbox's clock."""
        return self.state.now()

    @cached_property
    def query(self) -> dict[str, str]:
        """The query parameters, with names in lower case, because IIS ignores their case."""
        return {key.casefold(): value for key, value in self.request.args.items()}

    @cached_property
    def body(self) -> Any:
        """The request's JSON; None if there is no body. Raises APIError (400) if the body is not JSON."""
        return decode_body(self.request)

    def body_object(self) -> dict[str, Any]:
        """Return the request's JSON. Raise APIError (400) if it is not an object."""
        if not isinstance(self.body, dict):
            raise APIError(400, "The request body must be an object.")
        return self.body

    def updated(self, old: dict[str, Any], defaults: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what an object is after this update, whose body holds new values, as the options say."""
        kept = old if self.state.options.updates == "keep" else defaults or {}
        return {**kept, **self.body_object()}

    def page(self, rows: Sequence[Any]) -> dict[str, Any]:
        """Return a page of the rows, filtered and ordered as the call asks. Raise APIError (400) if it asks wrongly."""
        try:
            if self.query.get("filterby"):
                by_part = self.state.options.matches == "part"
                rows = expressions.filter_rows(rows, self.query["filterby"], by_part=by_part)
            if self.query.get("orderby"):
                rows = expressions.order_rows(rows, self.query["orderby"])
        except expressions.Malformed as malformed:
            raise APIError(400, str(malformed)) from None
        return self.cut_page(rows)

    def cut_page(self, rows: Sequence[Any]) -> dict[str, Any]:
        """Return a page of the rows in MailUp's envelope, without filtering or ordering them.

        Pages are numbered from 0, and have 20 rows unless the call asks for another number.

        Raises:
            APIError: 400 if the page's number or size is not a number.
        """
        try:
            number = int(self.query.get("pagenumber", 0))
            asked = int(self.query.get("pagesize", DEFAULT_PAGE_SIZE))
        except ValueError:
            raise APIError(400, "pageNumber and pageSize must be numbers.") from None
        size = min(max(asked, 1), self.state.options.max_page_size)
        number = max(number, 0)
        skipped = number * size
        first, count = self._moved(number, size, skipped, len(rows))
        return {
            "IsPaginated": count > size,
            "Items": list(rows[first : first + size]),
            "PageNumber": number,
            "PageSize": asked if self.state.options.page_size_told == "asked" else size,
            "Skipped": skipped,
            "TotalElementsCount": _told_total(self.state.options.totals, count),
        }

    def _moved(self, number: int, size: int, skipped: int, count: int) -> tuple[int, int]:
        """Return where in the rows a page begins, and how many rows there are, after rows have moved meanwhile."""
        moving = self.state.options.moving_rows
        if moving == "in" and size > 1:  # a page of one row would for ever be the row before
            return skipped - number, count + number
        if moving == "out":
            path = self.request.path
            gone = max(self.state.gone_rows.get(path, 0), min(number, count))
            self.state.gone_rows[path] = gone
            return skipped + gone, count - gone
        return skipped, count

    def find_list(self, list_id: str) -> MailingList:
        """Return a list of the account. Raise APIError: 404 if there is none, 403 if it isn't ready yet."""
        found = next((each for each in self.account.lists if each.id == int(list_id)), None)
        if found is None:
            raise APIError(404, f"List {list_id} does not exist.")
        if found.ready_at > self.now:
            raise APIError(403, "Authorization error: the list is not ready yet.")
        return found

    def find_list_of_group(self, group_id: str) -> MailingList:
        """Return the list that a group belongs to. Raise APIError (404) if there is no such group."""
        for each in self.account.lists:
            if any(group.id == int(group_id) for group in each.groups):
                return each
        raise APIError(404, f"Group {group_id} does not exist.")

    def find_recipient(self, recipient_id: str | int) -> Recipient:
        """Return a recipient of the account. Raise APIError (404) if there is none."""
        found = self.account.recipients.get(int(recipient_id))
        if found is None:
            raise APIError(404, f"Recipient {recipient_id} does not exist.")
        return found

    def search_by_email(self, email: str) -> list[Recipient]:
        """Return the recipients whom a search for an address finds."""
        if self.state.options.matches == "part":
            spelled = str if self.state.options.addresses == "exact" else str.casefold
            return [each for each in self.account.recipients.values() if spelled(email) in spelled(each.email)]
        found = self.find_by_email(email)
        return [] if found is None else [found]

    def find_by_email(self, email: str) -> Recipient | None:
        """Return the recipient with an address, or None."""
        return self.account.recipients.with_email(email, exact=self.state.options.addresses == "exact")

    def save_recipient(self, body: dict[str, Any]) -> tuple[Recipient, bool]:
        """Add or update a recipient from MailUp's JSON. Result and errors are those of Account.save_recipient."""
        return self.account.save_recipient(body, exact=self.state.options.addresses == "exact")

    def find_message(self, list_id: str, message_id: str, channel: str = "email") -> Message:
        """Return a message of a list. Raise APIError (404) if there is none."""
        self.find_list(list_id)
        found = self.account.messages_of(channel).get(int(message_id))
        if found is None or found.list_id != int(list_id):
            raise APIError(404, f"Message {message_id} does not exist in list {list_id}.")
        return found

    def find_message_by_id(self, message_id: str, channel: str = "email") -> Message:
        """Return a message of any list. Raise APIError (404) if there is none."""
        found = self.account.messages_of(channel).get(int(message_id))
        if found is None:
            raise APIError(404, f"Message {message_id} does not exist.")
        return found


def _told_total(totals: str, count: int) -> int:
    """Return the TotalElementsCount of so many rows, as `Options.totals` says."""
    return {"zero": 0, "low": count // 2, "high": count + 3}.get(totals, count)
