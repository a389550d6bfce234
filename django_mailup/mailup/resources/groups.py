"""Groups, the parts of a list: reading and changing them and their recipients."""

from __future__ import annotations

from typing import Any, Final, Unpack

from .. import arguments, parsing
from ..flow import CallOptions, Flow
from ..methods import CallTakes, PagesTake, paged_call, single_call
from ..operations import DOCUMENTED, MAILUP_CODE, RECORDED, Operation
from ..parsing import no_result
from ..records import Record, key
from ..resource_base import Resource
from ..updates import update_body
from .recipients import BY_ID, Recipient


class Group(Record):
    """A group of a list. `deletable` is false for the built-in test group. `count` is None if MailUp gives no count."""

    id: int = key("idGroup")
    list_id: int = key("idList", "ListId", fallback_argument="list_id")
    name: str = key("Name")
    notes: str = key("Notes")
    deletable: bool = key("Deletable")
    count: int | None = key("Count")


BY_GROUP: Final = ("idGroup",)
_ARGUMENTS: Final = {"Name": "name", "Notes": "notes", "Deletable": "deletable"}
# fmt: off
ALL = Operation("groups.all", "GET", "/Console/List/{list_id}/Groups", DOCUMENTED, Group, BY_GROUP)
CREATE = Operation("groups.create", "POST", "/Console/List/{list_id}/Group", RECORDED, Group)
UPDATE = Operation("groups.update", "PUT", "/Console/List/{list_id}/Group/{group_id}", MAILUP_CODE, Group)
DELETE = Operation("groups.delete", "DELETE", "/Console/List/{list_id}/Group/{group_id}", MAILUP_CODE, no_result)
CLEAR = Operation("groups.clear", "DELETE", "/Console/List/{list_id}/Group/{group_id}/Recipients", DOCUMENTED,
    lambda body: parsing.count(parsing.pick(parsing.mapping(body), "Removed")))
OF_RECIPIENT = Operation("groups.of_recipient", "GET", "/Console/List/{list_id}/Recipient/{recipient_id}/Groups",
    MAILUP_CODE, Group, BY_GROUP)
RECIPIENTS = Operation("groups.recipients", "GET", "/Console/Group/{group_id}/Recipients", DOCUMENTED, Recipient, BY_ID)
SUBSCRIBE = Operation("groups.subscribe", "POST", "/Console/Group/{group_id}/Subscribe/{recipient_id}", DOCUMENTED,
    no_result)
UNSUBSCRIBE = Operation("groups.unsubscribe", "DELETE", "/Console/Group/{group_id}/Unsubscribe/{recipient_id}",
    DOCUMENTED, no_result)
# fmt: on


class Groups(Resource):
    """The operations on groups."""

    all = paged_call(PagesTake.list_id, ALL, "Yield the groups of a list.")

    def create(
        self, *, list_id: int, name: str, notes: str = "", deletable: bool = True, **options: Unpack[CallOptions]
    ) -> Group:
        """Create a group in a list, and return it.

        Raises:
            ValueError: the name is empty.
        """
        return self._call(CREATE, json=_body(name, notes, deletable), list_id=list_id, options=options)

    def update(
        self, *, list_id: int, group_id: int, name: str | None = None, notes: str | None = None,
        deletable: bool | None = None, **options: Unpack[CallOptions],
    ) -> Group:  # fmt: skip
        """Change a group, and return it. What is left out stays: the group is read first, by one call more.

        If two change a group at once, the last one wins.

        Raises:
            ValueError: the name is empty, or MailUp doesn't give back what is to be changed.
        """
        changes = arguments.without_none(
            Name=None if name is None else arguments.text("name", name), Notes=notes, Deletable=deletable
        )
        return self._client.run(self._update(changes, list_id, group_id, options))

    delete = single_call(CallTakes.list_and_group, DELETE, "Delete a group. Its recipients stay in the list.")
    clear = single_call(CallTakes.list_and_group, CLEAR, "Remove all recipients from a group, and return their number.")
    of_recipient = paged_call(PagesTake.list_and_recipient, OF_RECIPIENT, "Yield a recipient's groups in a list.")
    recipients = paged_call(PagesTake.group_id, RECIPIENTS, "Yield the recipients in a group.")

    def subscribe(
        self, *, group_id: int, recipient_id: int, to_list: bool = True, **options: Unpack[CallOptions]
    ) -> None:
        """Add a recipient to a group.

        Args:
            to_list: whether to subscribe the recipient to the group's list too. Recipients must have asked for that.
        """
        params = None if to_list else {"confirmSubscription": "false"}
        return self._call(SUBSCRIBE, params=params, group_id=group_id, recipient_id=recipient_id, options=options)

    unsubscribe = single_call(CallTakes.group_and_recipient, UNSUBSCRIBE, "Remove a recipient from a group only.")

    def _update(self, changes: dict[str, Any], list_id: int, group_id: int, options: CallOptions) -> Flow[Group]:
        current = yield from self._row(
            ALL, "idGroup", arguments.positive("group_id", group_id), list_id=list_id, options=options
        )
        body = update_body(current.raw, ("Name", "Notes", "Deletable"), changes, _ARGUMENTS)
        return (yield from self._flow(UPDATE, json=body, options=options, list_id=list_id, group_id=group_id))


def _body(name: str, notes: str, deletable: bool) -> dict[str, Any]:
    return {"Name": arguments.text("name", name), "Notes": notes, "Deletable": deletable}
