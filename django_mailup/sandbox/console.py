"""Account, lists and groups."""

from __future__ import annotations

from typing import Any

from .calls import EMPTY, Call, Failed, operation
from .memory import Standing
from .recipients import row
from .state import MailingList

COUNTRIES = [("AT", "Austria"), ("DE", "Germany"), ("ES", "Spain"), ("FR", "France"), ("IT", "Italy")]
TIME_ZONES = [
    ("UTC+00:00.0", "(UTC) Coordinated Universal Time", "UTC", "0:00:00"),
    ("UTC+01:00.0", "(UTC+01:00) Amsterdam, Berlin, Rome", "W. Europe Standard Time", "1:00:00"),
]
MANDATORY = ["Name", "OwnerEmail", "ReplyTo", "NLSenderName", "CompanyName", "ContactName", "Address", "City",
             "CountryCode", "PermissionReminder", "WebSiteUrl"]  # fmt: skip


# ---------------------------------------------------------------------------------------- account


@operation("GET", "/Console/Authentication/Info")
def info(call: Call) -> Any:
    return {
        "Company": call.account.company,
        "ExpiryDate": "2030-01-01 00:00:00.000",
        "IsTrial": call.account.is_trial,
        "UID": call.account.uid,
        "Url": f"{call.user.username}.sandbox.example",
        "Username": call.user.username,
        "Version": "9.0.0",
    }


@operation("GET", "/Console/Authentication/Details")
def details(call: Call) -> Any:
    return {
        **info(call),
        "AutoRenewal": False,
        "CreditsByList": [{"Credit": 0, "ListId": each.id} for each in call.account.lists],
        "Email": call.account.email,
        "Lang": "IT",
        "Plan": 1,
        "TotalCredits": 1000,
    }


# ------------------------------------------------------------------------------------------ lists


def guid(call: Call, found: MailingList) -> str:
    return f"00000000-0000-4000-8000-{int(call.account.uid):06d}{found.id:06d}"


def full(call: Call, found: MailingList) -> dict[str, Any]:
    return {
        "OwnerEmail": call.account.email, "ReplyTo": call.account.email, "NLSenderName": call.account.company,
        "MultiOptoutList": "", **found.settings, "IdList": found.id, "ListGuid": guid(call, found), "Name": found.name,
        "Description": found.description,
    }  # fmt: skip


@operation("GET", "/Console/User/Lists")
def user_lists(call: Call) -> Any:
    return call.pages(
        [
            {
                "Company": "", "Description": each.description, "Name": each.name, "idList": each.id,
                "listGuid": guid(call, each),
            }
            for each in call.account.lists
        ]
    )  # fmt: skip


@operation("GET", "/Console/List")
def lists(call: Call) -> Any:
    return call.pages([full(call, each) for each in call.account.lists])


@operation("GET", "/Console/List/Countries")
def countries(call: Call) -> Any:
    return [{"CountryCode": code, "CountryName": name} for code, name in COUNTRIES]


@operation("GET", "/Console/TimeZones")
def time_zones(call: Call) -> Any:
    return [
        {"OffsetFromUTC": offset, "TimeZoneCode": code, "TimeZoneDescription": description, "TimeZoneName": name}
        for code, description, name, offset in TIME_ZONES
    ]


@operation("GET", "/Console/List/{list_id}")
def list_(call: Call, list_id: str) -> Any:
    return full(call, call.list(list_id))


@operation("POST", "/Console/List")
def create_list(call: Call) -> Any:
    body = call.object()
    missing = [name for name in MANDATORY if not body.get(name)]
    if missing:
        raise Failed(400, f"{missing[0]} is mandatory.")
    if not (body.get("IdSettings") or body.get("IdSetting") or body.get("UseDefaultSettings")):
        raise Failed(400, "IdSettings or UseDefaultSettings is mandatory.")
    if len(body["Name"]) > 50:
        raise Failed(400, "Name is too long.")
    made = MailingList(max(each.id for each in call.account.lists) + 1, body["Name"], body.get("Description", ""))
    made.settings = body
    made.ready_at = call.now + call.state.options.list_ready_after
    call.account.lists.append(made)
    return full(call, made)


@operation("PUT", "/Console/List/{list_id}")
def update_list(call: Call, list_id: str) -> Any:
    found, body = call.list(list_id), call.object()
    found.name, found.description = body.get("Name", found.name), body.get("Description", found.description)
    found.settings |= body
    return full(call, found)


@operation("DELETE", "/Console/List/{list_id}")
def delete_list(call: Call, list_id: str) -> Any:
    found = call.list(list_id)
    if call.request.headers.get("If-Match") != guid(call, found):
        raise Failed(412, "If-Match does not hold the ListGuid of this list.", "PreconditionFailed")
    call.account.lists.remove(found)
    return EMPTY


# ----------------------------------------------------------------------------------------- groups


def group_row(found: MailingList, group: tuple[int, str, str, bool]) -> dict[str, Any]:
    number, name, notes, deletable = group
    return {"Count": None, "Deletable": deletable, "Name": name, "Notes": notes, "idGroup": number, "idList": found.id}


def group_of(found: MailingList, group_id: str) -> tuple[int, str, str, bool]:
    for group in found.groups:
        if group[0] == int(group_id):
            return group
    raise Failed(404, f"Group {group_id} does not exist in list {found.id}.")


@operation("GET", "/Console/List/{list_id}/Groups")
def groups(call: Call, list_id: str) -> Any:
    found = call.list(list_id)
    return call.pages([group_row(found, group) for group in found.groups])


@operation("POST", "/Console/List/{list_id}/Group")
def create_group(call: Call, list_id: str) -> Any:
    found, body = call.list(list_id), call.object()
    if not body.get("Name"):
        raise Failed(400, "Name is mandatory.")
    taken = [group[0] for each in call.account.lists for group in each.groups]
    made = (max([100, *taken]) + 1, body["Name"], body.get("Notes", ""), body.get("Deletable", True))
    found.groups.append(made)
    return group_row(found, made)


@operation("PUT", "/Console/List/{list_id}/Group/{group_id}")
def update_group(call: Call, list_id: str, group_id: str) -> Any:
    found, body = call.list(list_id), call.object()
    old = group_of(found, group_id)
    new = (old[0], body.get("Name", old[1]), body.get("Notes", old[2]), body.get("Deletable", old[3]))
    found.groups[found.groups.index(old)] = new
    return group_row(found, new)


@operation("DELETE", "/Console/List/{list_id}/Group/{group_id}")
def delete_group(call: Call, list_id: str, group_id: str) -> Any:
    found = call.list(list_id)
    group = group_of(found, group_id)
    if not group[3]:
        raise Failed(403, "This group cannot be deleted.")
    found.groups.remove(group)
    for person in call.memory.people.values():
        person.groups.discard(group[0])
    return EMPTY


@operation("DELETE", "/Console/List/{list_id}/Group/{group_id}/Recipients")
def clear_group(call: Call, list_id: str, group_id: str) -> Any:
    group = group_of(call.list(list_id), group_id)
    members = [person for person in call.memory.people.values() if group[0] in person.groups]
    for person in members:
        person.groups.remove(group[0])
    return {"Removed": len(members)}


@operation("GET", "/Console/List/{list_id}/Recipient/{recipient_id}/Groups")
def groups_of_recipient(call: Call, list_id: str, recipient_id: str) -> Any:
    found, person = call.list(list_id), call.person(recipient_id)
    return call.pages([group_row(found, group) for group in found.groups if group[0] in person.groups])


@operation("GET", "/Console/Group/{group_id}/Recipients")
def group_recipients(call: Call, group_id: str) -> Any:
    call.group(group_id)
    return call.pages([row(call, each) for each in call.memory.people.values() if int(group_id) in each.groups])


@operation("POST", "/Console/Group/{group_id}/Subscribe/{recipient_id}")
def subscribe_to_group(call: Call, group_id: str, recipient_id: str) -> Any:
    found, person = call.group(group_id), call.person(recipient_id)
    person.groups.add(int(group_id))
    if call.query.get("confirmsubscription", "true").casefold() != "false":
        person.email[found.id] = Standing("subscribed", call.now)
    return EMPTY


@operation("DELETE", "/Console/Group/{group_id}/Unsubscribe/{recipient_id}")
def unsubscribe_from_group(call: Call, group_id: str, recipient_id: str) -> Any:
    call.group(group_id)
    call.person(recipient_id).groups.discard(int(group_id))
    return EMPTY
