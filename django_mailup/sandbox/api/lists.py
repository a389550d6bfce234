"""Lists. Creating one also sets its sender."""

from __future__ import annotations

from typing import Any

from ..accounts import MailingList
from ..api_call import EMPTY, Call
from ..errors import APIError
from .routes import route

COUNTRIES = [("AT", "Austria"), ("DE", "Germany"), ("ES", "Spain"), ("FR", "France"), ("IT", "Italy")]
TIME_ZONES = [
    ("UTC+00:00.0", "(UTC) Coordinated Universal Time", "UTC", "0:00:00"),
    ("UTC+01:00.0", "(UTC+01:00) Amsterdam, Berlin, Rome", "W. Europe Standard Time", "1:00:00"),
]
MANDATORY = ["Name", "OwnerEmail", "ReplyTo", "NLSenderName", "CompanyName", "ContactName", "Address", "City",
             "CountryCode", "PermissionReminder", "WebSiteUrl"]  # fmt: skip


DEFAULTS: dict[str, Any] = {
    "Business": True, "Customer": True, "CompanyName": "", "ContactName": "", "Address": "", "City": "",
    "CountryCode": "IT", "PermissionReminder": "", "WebSiteUrl": "", "DisplayAs": "", "Phone": "", "PostalCode": "",
    "StateOrProvince": "", "TimeZoneCode": "UTC+01:00.0", "SmsSenderName": "", "DefaultPrefix": "", "Charset": "UTF-8",
    "Format": "html", "MultipartText": True, "KBMax": 100, "NotifyEmail": "", "MultiOptoutList": "", "Public": False,
    "Disclaimer": "",
}  # fmt: skip
"""The settings of a list with which nothing has been done, as far as MailUp documents their names."""


def list_guid(call: Call, found: MailingList) -> str:
    """Return the GUID of a list, which stays the same as long as the list exists."""
    return f"00000000-0000-4000-8000-{int(call.account.uid):06d}{found.id:06d}"


def details_json(call: Call, found: MailingList) -> dict[str, Any]:
    return {
        **DEFAULTS, "OwnerEmail": call.account.email, "ReplyTo": call.account.email,
        "NLSenderName": call.account.company, **found.settings, "IdList": found.id, "ListGuid": list_guid(call, found),
        "Name": found.name, "Description": found.description,
    }  # fmt: skip


@route("GET", "/Console/User/Lists")
def all_lists(call: Call) -> Any:
    return call.page(
        [
            {
                "Company": "", "Description": each.description, "Name": each.name, "idList": each.id,
                "listGuid": list_guid(call, each),
            }
            for each in call.account.lists
        ]
    )  # fmt: skip


@route("GET", "/Console/List")
def detailed(call: Call) -> Any:
    return call.page([details_json(call, each) for each in call.account.lists])


@route("GET", "/Console/List/Countries")
def countries(call: Call) -> Any:
    return [{"CountryCode": code, "CountryName": name} for code, name in COUNTRIES]


@route("GET", "/Console/TimeZones")
def time_zones(call: Call) -> Any:
    return [
        {"OffsetFromUTC": offset, "TimeZoneCode": code, "TimeZoneDescription": description, "TimeZoneName": name}
        for code, description, name, offset in TIME_ZONES
    ]


@route("GET", "/Console/List/{list_id}")
def get(call: Call, list_id: str) -> Any:
    return details_json(call, call.find_list(list_id))


@route("POST", "/Console/List")
def create(call: Call) -> Any:
    body = call.body_object()
    missing = [name for name in MANDATORY if not body.get(name)]
    if missing:
        raise APIError(400, f"{missing[0]} is mandatory.")
    if not (body.get("IdSettings") or body.get("IdSetting") or body.get("UseDefaultSettings")):
        raise APIError(400, "IdSettings or UseDefaultSettings is mandatory.")
    return details_json(call, add_list(call, body))


def add_list(call: Call, settings: dict[str, Any]) -> MailingList:
    """Add a list to the account. Raise APIError (400) if its name is too long."""
    if len(settings["Name"]) > 50:
        raise APIError(400, "Name is too long.")
    number = max(each.id for each in call.account.lists) + 1
    made = MailingList(number, settings["Name"], settings.get("Description", ""))
    made.settings = settings
    made.ready_at = call.now + call.state.options.list_ready_after
    call.account.lists.append(made)
    return made


@route("POST", "/Console/User/Lists")
def deprecated_create(call: Call) -> Any:
    """Create a list with the deprecated names of settings, such as `nl_sendername`, and return its id alone.

    The names are those of MailUp's page "Manage Lists and Groups". Its .NET package reads a number from the answer.
    """
    body = call.body_object()
    if not body.get("Name"):
        raise APIError(400, "Name is mandatory.")
    if not (body.get("idSettings") or body.get("useDefaultSettings")):
        raise APIError(400, "idSettings or useDefaultSettings is mandatory.")
    known = {name.casefold(): name for name in [*MANDATORY, *DEFAULTS, "Description"]}
    sent = {name.replace("_", "").casefold(): value for name, value in body.items()}
    return add_list(call, {known[name]: value for name, value in sent.items() if name in known}).id


def save_list(call: Call, found: MailingList) -> Any:
    """Update a list with the body of the call, and return its JSON."""
    new = call.updated({**found.settings, "Description": found.description})
    found.name, found.description = new.get("Name", found.name), new.get("Description", "")
    found.settings = new
    return details_json(call, found)


@route("PUT", "/Console/List/{list_id}")
def update(call: Call, list_id: str) -> Any:
    return save_list(call, call.find_list(list_id))


@route("PUT", "/Console/User/List/{list_id}")
def deprecated_update(call: Call, list_id: str) -> Any:
    """Update a list as MailUp's .NET package and pymailup do: with the list's id in the body too."""
    found = call.find_list(list_id)
    if call.body_object().get("IdList") not in (found.id, str(found.id)):
        raise APIError(400, "IdList is mandatory.")
    return save_list(call, found)


@route("DELETE", "/Console/List/{list_id}")
def delete(call: Call, list_id: str) -> Any:
    found = call.find_list(list_id)
    if call.request.headers.get("If-Match") != list_guid(call, found):
        raise APIError(412, "If-Match does not hold the ListGuid of this list.", "PreconditionFailed")
    call.account.lists.remove(found)
    return EMPTY
