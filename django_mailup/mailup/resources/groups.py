"""Groups, the parts of a list: reading and changing them, and who is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..operations import Operation
from ..paging import PAGE_SIZE
from . import arguments, reading
from .recipients import Recipient, parse_recipient
from .requester import Order, Resource, Where

ALL: Final = Operation("groups.all", "GET", "/Console/List/{list_id}/Groups")
CREATE: Final = Operation("groups.create", "POST", "/Console/List/{list_id}/Group")
UPDATE: Final = Operation("groups.update", "PUT", "/Console/List/{list_id}/Group/{group_id}")
DELETE: Final = Operation("groups.delete", "DELETE", "/Console/List/{list_id}/Group/{group_id}")
CLEAR: Final = Operation("groups.clear", "DELETE", "/Console/List/{list_id}/Group/{group_id}/Recipients")
OF_RECIPIENT: Final = Operation("groups.of_recipient", "GET", "/Console/List/{list_id}/Recipient/{recipient_id}/Groups")
RECIPIENTS: Final = Operation("groups.recipients", "GET", "/Console/Group/{group_id}/Recipients")
SUBSCRIBE: Final = Operation("groups.subscribe", "POST", "/Console/Group/{group_id}/Subscribe/{recipient_id}")
UNSUBSCRIBE: Final = Operation("groups.unsubscribe", "DELETE", "/Console/Group/{group_id}/Unsubscribe/{recipient_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group: a part of a list. `deletable` is false for the built-in test group; `count` is often None."""

    id: int
    list_id: int
    name: str
    notes: str
    deletable: bool
    count: int | None
    raw: Mapping[str, Any] = field(repr=False)


class Groups(Resource):
    """The operations on groups."""

    def all(
        self, *, list_id: int, where: Where = None, order: Order = ("idGroup",), page_size: int = PAGE_SIZE
    ) -> Iterator[Group]:
        """Yield the groups of a list. `GET /Console/List/{list_id}/Groups`. (Documented by MailUp.)

        Raises:
            NotFound, Forbidden: there is no such list, or it isn't this user's to see.
        """
        rows = self._pages(ALL, where=where, order=order, page_size=page_size, list_id=list_id)
        return (_group(raw, list_id) for raw in rows)

    def create(self, *, list_id: int, name: str, notes: str = "", deletable: bool = True) -> Group:
        """Create a group in a list, and return it. `POST /Console/List/{list_id}/Group`. (Recorded answers exist.)

        Raises:
            ValueError: the name is empty.
            NotFound, Forbidden: as `all`.
        """
        body = {"Name": arguments.text("name", name), "Notes": notes, "Deletable": deletable}
        return _group(reading.record(self._call(CREATE, json=body, list_id=list_id)), list_id)

    def update(self, *, list_id: int, group_id: int, name: str, notes: str = "", deletable: bool = True) -> Group:
        """Change a group, and return it. `PUT /Console/List/{list_id}/Group/{group_id}`. (In MailUp's own SDK.)

        Raises as `create`.
        """
        body = {"Name": arguments.text("name", name), "Notes": notes, "Deletable": deletable}
        return _group(reading.record(self._call(UPDATE, json=body, list_id=list_id, group_id=group_id)), list_id)

    def delete(self, *, list_id: int, group_id: int) -> None:
        """Delete a group; its recipients stay in the list. `DELETE /Console/List/{list_id}/Group/{group_id}`.

        (In MailUp's own gem.) The built-in test group can't be deleted: that is an APIError.
        """
        self._call(DELETE, list_id=list_id, group_id=group_id)

    def clear(self, *, list_id: int, group_id: int) -> int:
        """Take everybody out of a group. Returns how many. (Documented by MailUp.)

        `DELETE /Console/List/{list_id}/Group/{group_id}/Recipients`.
        """
        answer = reading.record(self._call(CLEAR, list_id=list_id, group_id=group_id))
        return reading.number(answer, "Removed") or 0

    def of_recipient(
        self, *, list_id: int, recipient_id: int, order: Order = ("idGroup",), page_size: int = PAGE_SIZE
    ) -> Iterator[Group]:
        """Yield the groups of a list that a recipient is in. (In MailUp's own gem.)

        `GET /Console/List/{list_id}/Recipient/{recipient_id}/Groups`.
        """
        rows = self._pages(OF_RECIPIENT, order=order, page_size=page_size, list_id=list_id, recipient_id=recipient_id)
        return (_group(raw, list_id) for raw in rows)

    def recipients(
        self, *, group_id: int, where: Where = None, order: Order = ("idRecipient",), page_size: int = PAGE_SIZE
    ) -> Iterator[Recipient]:
        """Yield who is in a group. `GET /Console/Group/{group_id}/Recipients`. (Documented by MailUp.)"""
        rows = self._pages(RECIPIENTS, where=where, order=order, page_size=page_size, group_id=group_id)
        return map(parse_recipient, rows)

    def subscribe(self, *, group_id: int, recipient_id: int, to_list: bool = True) -> None:
        """Put a recipient into a group. `POST /Console/Group/{group_id}/Subscribe/{recipient_id}`.

        (Documented by MailUp.)

        Args:
            to_list: whether that also subscribes to the group's list, which only those who asked for it should be.
        """
        self._call(
            SUBSCRIBE,
            params=None if to_list else {"confirmSubscription": "false"},
            group_id=group_id,
            recipient_id=recipient_id,
        )

    def unsubscribe(self, *, group_id: int, recipient_id: int) -> None:
        """Take a recipient out of a group alone, not of its list. (Documented by MailUp.)

        `DELETE /Console/Group/{group_id}/Unsubscribe/{recipient_id}`.
        """
        self._call(UNSUBSCRIBE, group_id=group_id, recipient_id=recipient_id)


def _group(raw: Mapping[str, Any], list_id: int) -> Group:
    return Group(
        id=reading.identifier(raw, "idGroup"),
        list_id=reading.number(raw, "idList", "ListId") or list_id,
        name=reading.text(raw, "Name"),
        notes=reading.text(raw, "Notes"),
        deletable=reading.flag(raw, "Deletable"),
        count=reading.number(raw, "Count"),
        raw=raw,
    )
