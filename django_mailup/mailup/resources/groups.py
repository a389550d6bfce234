"""Groups, the parts of a list: reading and changing them, and who is in them."""

from __future__ import annotations

from typing import Any, Final, Unpack

from .. import parsing
from ..flow import CallOptions
from ..operations import Operation, Source
from ..paging import Paged
from ..records import Record, key
from . import arguments
from .recipients import BY_ID, Recipient
from .requester import PageOptions, Resource


class Group(Record):
    """A group: a part of a list. `deletable` is false for the built-in test group; `count` is often None."""

    id: int = key("idGroup")
    list_id: int = key("idList", "ListId", or_argument="list_id")
    name: str = key("Name")
    notes: str = key("Notes")
    deletable: bool = key("Deletable")
    count: int | None = key("Count")


BY_GROUP: Final = ("idGroup",)
ALL: Final = Operation(
    "groups.all", "GET", "/Console/List/{list_id}/Groups", source=Source.DOCUMENTED, returns=Group, order=BY_GROUP
)
CREATE: Final = Operation(
    "groups.create", "POST", "/Console/List/{list_id}/Group", source=Source.RECORDED, returns=Group
)
UPDATE: Final = Operation(
    "groups.update", "PUT", "/Console/List/{list_id}/Group/{group_id}", source=Source.MAILUP_CODE, returns=Group
)
DELETE: Final = Operation(
    "groups.delete", "DELETE", "/Console/List/{list_id}/Group/{group_id}", source=Source.MAILUP_CODE,
    returns=parsing.nothing,
)  # fmt: skip
CLEAR: Final = Operation(
    "groups.clear", "DELETE", "/Console/List/{list_id}/Group/{group_id}/Recipients", source=Source.DOCUMENTED,
    returns=lambda body: parsing.count(parsing.pick(parsing.mapping(body), "Removed")),
)  # fmt: skip
OF_RECIPIENT: Final = Operation(
    "groups.of_recipient", "GET", "/Console/List/{list_id}/Recipient/{recipient_id}/Groups", source=Source.MAILUP_CODE,
    returns=Group, order=BY_GROUP,
)  # fmt: skip
RECIPIENTS: Final = Operation(
    "groups.recipients", "GET", "/Console/Group/{group_id}/Recipients", source=Source.DOCUMENTED, returns=Recipient,
    order=BY_ID,
)  # fmt: skip
SUBSCRIBE: Final = Operation(
    "groups.subscribe", "POST", "/Console/Group/{group_id}/Subscribe/{recipient_id}", source=Source.DOCUMENTED,
    returns=parsing.nothing,
)  # fmt: skip
UNSUBSCRIBE: Final = Operation(
    "groups.unsubscribe", "DELETE", "/Console/Group/{group_id}/Unsubscribe/{recipient_id}", source=Source.DOCUMENTED,
    returns=parsing.nothing,
)  # fmt: skip


class Groups(Resource):
    """The operations on groups."""

    def all(self, *, list_id: int, **options: Unpack[PageOptions]) -> Paged[Group]:
        """Yield the groups of a list. `GET /Console/List/{list_id}/Groups`."""
        return self._pages(ALL, list_id=list_id, options=options)

    def create(
        self, *, list_id: int, name: str, notes: str = "", deletable: bool = True, **options: Unpack[CallOptions]
    ) -> Group:
        """Create a group in a list, and return it. `POST /Console/List/{list_id}/Group`.

        Raises:
            ValueError: the name is empty.
        """
        return self._call(CREATE, json=_body(name, notes, deletable), list_id=list_id, options=options)

    def update(
        self, *, list_id: int, group_id: int, name: str, notes: str = "", deletable: bool = True,
        **options: Unpack[CallOptions],
    ) -> Group:  # fmt: skip
        """Change a group, and return it. `PUT /Console/List/{list_id}/Group/{group_id}`.

        Raises:
            ValueError: the name is empty.
        """
        body = _body(name, notes, deletable)
        return self._call(UPDATE, json=body, list_id=list_id, group_id=group_id, options=options)

    def delete(self, *, list_id: int, group_id: int, **options: Unpack[CallOptions]) -> None:
        """Delete a group; its recipients stay in the list. `DELETE /Console/List/{list_id}/Group/{group_id}`.

        Raises:
            APIError: it is the built-in test group, which can't be deleted.
        """
        return self._call(DELETE, list_id=list_id, group_id=group_id, options=options)

    def clear(self, *, list_id: int, group_id: int, **options: Unpack[CallOptions]) -> int:
        """Take everybody out of a group, and return how many they were.

        `DELETE /Console/List/{list_id}/Group/{group_id}/Recipients`.
        """
        return self._call(CLEAR, list_id=list_id, group_id=group_id, options=options)

    def of_recipient(self, *, list_id: int, recipient_id: int, **options: Unpack[PageOptions]) -> Paged[Group]:
        """Yield the groups of a list that a recipient is in.

        `GET /Console/List/{list_id}/Recipient/{recipient_id}/Groups`.
        """
        return self._pages(OF_RECIPIENT, list_id=list_id, recipient_id=recipient_id, options=options)

    def recipients(self, *, group_id: int, **options: Unpack[PageOptions]) -> Paged[Recipient]:
        """Yield the recipients in a group. `GET /Console/Group/{group_id}/Recipients`."""
        return self._pages(RECIPIENTS, group_id=group_id, options=options)

    def subscribe(
        self, *, group_id: int, recipient_id: int, to_list: bool = True, **options: Unpack[CallOptions]
    ) -> None:
        """Put a recipient into a group. `POST /Console/Group/{group_id}/Subscribe/{recipient_id}`.

        Args:
            to_list: whether that also subscribes to the group's list, which only those who asked for it should be.
        """
        params = None if to_list else {"confirmSubscription": "false"}
        return self._call(SUBSCRIBE, params=params, group_id=group_id, recipient_id=recipient_id, options=options)

    def unsubscribe(self, *, group_id: int, recipient_id: int, **options: Unpack[CallOptions]) -> None:
        """Take a recipient out of a group alone, not out of its list.

        `DELETE /Console/Group/{group_id}/Unsubscribe/{recipient_id}`.
        """
        return self._call(UNSUBSCRIBE, group_id=group_id, recipient_id=recipient_id, options=options)


def _body(name: str, notes: str, deletable: bool) -> dict[str, Any]:
    return {"Name": arguments.text("name", name), "Notes": notes, "Deletable": deletable}
