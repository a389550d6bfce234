"""Groups of lists, and the recipients in them."""

from __future__ import annotations

from typing import Any

from ..accounts import Group, MailingList
from ..api_call import EMPTY, Call
from ..errors import APIError
from ..recipients import OptIn
from .recipients import recipient_json
from .routes import route


def group_json(found: MailingList, group: Group) -> dict[str, Any]:
    return {
        "Count": None, "Deletable": group.deletable, "Name": group.name, "Notes": group.notes, "idGroup": group.id,
        "idList": found.id,
    }  # fmt: skip


def find_group(found: MailingList, group_id: str) -> Group:
    """Return a group of a list. Raise APIError (404) if there is none."""
    for group in found.groups:
        if group.id == int(group_id):
            return group
    raise APIError(404, f"Group {group_id} does not exist in list {found.id}.")


@route("GET", "/Console/List/{list_id}/Groups")
def all_groups(call: Call, list_id: str) -> Any:
    found = call.find_list(list_id)
    return call.page([group_json(found, group) for group in found.groups])


@route("POST", "/Console/List/{list_id}/Group")
def create(call: Call, list_id: str) -> Any:
    found, body = call.find_list(list_id), call.body_object()
    if not body.get("Name"):
        raise APIError(400, "Name is mandatory.")
    taken = [group.id for each in call.account.lists for group in each.groups]
    made = Group(max([100, *taken]) + 1, body["Name"], body.get("Notes", ""), body.get("Deletable", True))
    found.groups.append(made)
    return group_json(found, made)


@route("PUT", "/Console/List/{list_id}/Group/{group_id}")
def update(call: Call, list_id: str, group_id: str) -> Any:
    found = call.find_list(list_id)
    group = find_group(found, group_id)
    old = {"Name": group.name, "Notes": group.notes, "Deletable": group.deletable}
    new = call.updated(old, {"Name": group.name, "Notes": "", "Deletable": True})
    group.name, group.notes, group.deletable = new["Name"], new["Notes"], new["Deletable"]
    return group_json(found, group)


@route("DELETE", "/Console/List/{list_id}/Group/{group_id}")
def delete(call: Call, list_id: str, group_id: str) -> Any:
    found = call.find_list(list_id)
    group = find_group(found, group_id)
    if not group.deletable:
        raise APIError(403, "This group cannot be deleted.")
    found.groups.remove(group)
    for recipient in call.account.recipients.values():
        recipient.group_ids.discard(group.id)
    return EMPTY


@route("DELETE", "/Console/List/{list_id}/Group/{group_id}/Recipients")
def clear(call: Call, list_id: str, group_id: str) -> Any:
    group = find_group(call.find_list(list_id), group_id)
    members = [recipient for recipient in call.account.recipients.values() if group.id in recipient.group_ids]
    for recipient in members:
        recipient.group_ids.remove(group.id)
    return {"Removed": len(members)}


@route("GET", "/Console/List/{list_id}/Recipient/{recipient_id}/Groups")
def of_recipient(call: Call, list_id: str, recipient_id: str) -> Any:
    found, recipient = call.find_list(list_id), call.find_recipient(recipient_id)
    return call.page([group_json(found, group) for group in found.groups if group.id in recipient.group_ids])


@route("GET", "/Console/Group/{group_id}/Recipients")
def recipients_of_group(call: Call, group_id: str) -> Any:
    call.find_list_of_group(group_id)
    found = [each for each in call.account.recipients.values() if int(group_id) in each.group_ids]
    return call.page([recipient_json(call, each) for each in found])


@route("POST", "/Console/Group/{group_id}/Subscribe/{recipient_id}")
def subscribe(call: Call, group_id: str, recipient_id: str) -> Any:
    found, recipient = call.find_list_of_group(group_id), call.find_recipient(recipient_id)
    recipient.group_ids.add(int(group_id))
    if call.query.get("confirmsubscription", "true").casefold() != "false":
        recipient.email_opt_ins[found.id] = OptIn("subscribed", call.now)
    return EMPTY


@route("DELETE", "/Console/Group/{group_id}/Unsubscribe/{recipient_id}")
def unsubscribe(call: Call, group_id: str, recipient_id: str) -> Any:
    call.find_list_of_group(group_id)
    call.find_recipient(recipient_id).group_ids.discard(int(group_id))
    return EMPTY
