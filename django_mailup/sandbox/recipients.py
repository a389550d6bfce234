"""Recipients of the e-mail channel, personal fields and imports."""

from __future__ import annotations

import json
from typing import Any

from .calls import EMPTY, Call, Failed, Written, operation
from .memory import Dispatch, KeyMismatch, Mail, Person, Standing, Upload, opt_stamp, stamp


def row(call: Call, person: Person) -> dict[str, Any]:
    return {
        "Email": person.address,
        "Fields": [
            {"Description": name, "Id": number, "Value": person.fields.get(number, "")}
            for number, name in call.memory.field_names.items()
        ],
        "MobileNumber": person.number or None,
        "MobilePrefix": person.prefix or None,
        "Name": person.name,
        "idRecipient": person.id,
    }


def written(call: Call, person: Person) -> Written:
    """A recipient's row as JSON, kept until the recipient or the fields change: exports read many thousands."""
    state = (
        person.address, person.name, person.prefix, person.number, tuple(person.fields.items()),
        len(call.memory.field_names),
    )  # fmt: skip
    if person.written is None or person.written[0] != state:
        person.written = (state, Written(json.dumps(row(call, person))))
    return Written(person.written[1])


def standing_with(call: Call, list_id: str, status: str, channel: str = "email") -> Any:
    """One page of who stands so with a list. Rows are made for that page alone, unless a filter asks for more."""
    found = call.list(list_id)
    people = [
        person
        for person in call.memory.people.values()
        if (standing := getattr(person, channel).get(found.id)) is not None and standing.status == status
    ]
    wanted = call.query.get("groups")
    if wanted:
        people = [person for person in people if int(wanted) in person.groups]
    plain = call.query.get("orderby", "").strip('"').casefold().removesuffix(" asc") in ("", "idrecipient")
    if plain and not call.query.get("filterby"):
        page = dict(call.pages_of(people))  # ids only grow, so these are in their order
        page["Items"] = [written(call, person) for person in page["Items"]]
        return page
    return call.pages([row(call, person) for person in people])


@operation("GET", "/Console/List/{list_id}/Recipients/Subscribed")
def subscribed(call: Call, list_id: str) -> Any:
    return standing_with(call, list_id, "subscribed")


@operation("GET", "/Console/List/{list_id}/Recipients/Unsubscribed")
def unsubscribed(call: Call, list_id: str) -> Any:
    return standing_with(call, list_id, "unsubscribed")


@operation("GET", "/Console/List/{list_id}/Recipients/Pending")
def pending(call: Call, list_id: str) -> Any:
    return standing_with(call, list_id, "pending")


STATUS = {"subscribed": "OPTIN", "unsubscribed": "OPTOUT", "pending": "PENDING"}


@operation("GET", "/Console/List/{list_id}/Recipients/EmailOptins")
def email_opt_ins(call: Call, list_id: str) -> Any:
    found, wanted = call.list(list_id), call.query.get("groups")
    return call.pages(
        [
            {
                "Email": person.address,
                "Optin_Date": opt_stamp(standing.since if standing.status != "pending" else None),
                "Optin_Request_Date": opt_stamp(standing.requested_at), "Optin_Request_IP": None,
                "Optout_Date": opt_stamp(standing.left_at), "Optout_MsgID": None, "Optout_Subtype": None,
                "Optout_Type": None, "Status": STATUS[standing.status], "idRecipient": person.id,
            }
            for person in call.memory.people.values()
            if (standing := person.email.get(found.id)) is not None
            and (wanted is None or int(wanted) in person.groups)
        ]
    )  # fmt: skip


@operation("GET", "/Console/Recipients")
def search(call: Call) -> Any:
    address = call.query.get("email", "").strip('"').casefold()
    return call.pages([row(call, each) for each in call.memory.people.values() if each.address.casefold() == address])


@operation("GET", "/Console/Recipients/{recipient_id}")
def recipient(call: Call, recipient_id: str) -> Any:
    return row(call, call.person(recipient_id))


def take(call: Call, list_id: int) -> Person:
    body = call.object()
    if set(body) == {"idRecipient"}:
        person = call.person(body["idRecipient"])
    else:
        if "@" not in str(body.get("Email") or "") and not body.get("MobileNumber"):
            raise Failed(400, "Email or MobileNumber is mandatory.")
        try:
            person, _ = call.memory.take(body, call.now)
        except KeyMismatch:
            raise Failed(400, "Email and mobile number belong to two different recipients.") from None
    if person.address:
        call.memory.subscribe(person, list_id, "email", call.query, call.now)
    if person.number:
        call.memory.subscribe(person, list_id, "sms", {}, call.now)
    return person


@operation("POST", "/Console/List/{list_id}/Recipient")
def add_recipient(call: Call, list_id: str) -> Any:
    return take(call, call.list(list_id).id).id


@operation("POST", "/Console/Group/{group_id}/Recipient")
def add_to_group(call: Call, group_id: str) -> Any:
    person = take(call, call.group(group_id).id)
    person.groups.add(int(group_id))
    return person.id


@operation("PUT", "/Console/Recipient/Detail")
def update_recipient(call: Call) -> Any:
    body = call.object()
    known = call.memory.people.get(int(body.get("idRecipient") or 0)) or call.memory.find(address=body.get("Email", ""))
    if known is None:
        raise Failed(404, "The recipient does not exist.")
    known.name = body["Name"] if body.get("Name") is not None else known.name
    for each in body.get("Fields") or []:
        known.fields[int(each["Id"])] = str(each.get("Value") or "")
    return row(call, known)


@operation("POST", "/Console/List/{list_id}/Subscribe/{recipient_id}")
def subscribe(call: Call, list_id: str, recipient_id: str) -> Any:
    call.person(recipient_id).email[call.list(list_id).id] = Standing("subscribed", call.now)
    return EMPTY


@operation("DELETE", "/Console/List/{list_id}/Unsubscribe/{recipient_id}")
def unsubscribe(call: Call, list_id: str, recipient_id: str) -> Any:
    found, person = call.list(list_id), call.person(recipient_id)
    before = person.email.get(found.id)
    person.email[found.id] = Standing("unsubscribed", before.since if before else call.now, left_at=call.now)
    return EMPTY


@operation("DELETE", "/Console/List/{list_id}/Recipient/{recipient_id}")
def remove(call: Call, list_id: str, recipient_id: str) -> Any:
    found, person = call.list(list_id), call.person(recipient_id)
    person.email.pop(found.id, None)
    person.sms.pop(found.id, None)
    person.groups -= {group[0] for group in found.groups}
    return EMPTY


@operation("DELETE", "/Console/Recipients/{recipient_id}")
def delete(call: Call, recipient_id: str) -> Any:
    del call.memory.people[call.person(recipient_id).id]
    return EMPTY


@operation("GET", "/Console/Recipient/DynamicFields")
def dynamic_fields(call: Call) -> Any:
    """The highest ids come first, unless somebody asks for another order."""
    names = sorted(call.memory.field_names.items(), reverse=True)
    return call.pages([{"Description": name, "Id": number} for number, name in names])


# ---------------------------------------------------------------------------------------- imports


def upload(call: Call, list_id: int, group_id: int | None, channel: str) -> int:
    rows = call.body
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise Failed(400, "The request body must be an array of recipients.")
    options = call.state.options
    if options.single_import and any(not each.done for each in call.memory.uploads.values()):
        raise Failed(400, "Another import is running.")
    made = Upload(
        next(call.memory.ids), list_id, group_id, channel, rows, dict(call.query), call.now,
        call.now + options.import_seconds,
    )  # fmt: skip
    call.memory.uploads[made.id] = made
    if call.query.get("confirmemail", "").casefold() == "true":
        mail = Mail(next(call.memory.ids), list_id, {"Subject": "Please confirm", "IsConfirmation": True}, call.now)
        dispatch = Dispatch(next(call.memory.ids), "email", mail, [], None, note="confirmation")
        call.memory.dispatches[dispatch.id] = dispatch
        made.sending_id = dispatch.id
    return made.id


@operation("POST", "/Console/List/{list_id}/Recipients")
def import_to_list(call: Call, list_id: str) -> Any:
    return upload(call, call.list(list_id).id, None, "email")


@operation("POST", "/Console/Group/{group_id}/Recipients")
def import_to_group(call: Call, group_id: str) -> Any:
    return upload(call, call.group(group_id).id, int(group_id), "email")


def found_upload(call: Call, import_id: str) -> Upload:
    found = call.memory.uploads.get(int(import_id))
    if found is None:
        raise Failed(404, f"Import {import_id} does not exist.")
    return found


@operation("GET", "/Console/Import/{import_id}")
def import_(call: Call, import_id: str) -> Any:
    found = found_upload(call, import_id)
    return {
        "Completed": found.done,
        "CreatedRecipients": found.counts["created"],
        "ImportedRecipients": found.counts["valid"],
        "NotValidRecipients": found.counts["invalid"],
        "UpdatedRecipients": found.counts["updated"],
        "ValidRecipients": found.counts["valid"],
        "idImport": found.id,
    }


@operation("GET", "/Console/Import/{import_id}/Sending")
def import_sending(call: Call, import_id: str) -> Any:
    found = found_upload(call, import_id)
    return EMPTY if found.sending_id is None else {"idSending": found.sending_id}


def import_row(found: Upload) -> dict[str, Any]:
    return {
        "IdImport": found.id, "IdList": found.list_id, "IdGroups": [found.group_id] if found.group_id else [],
        "Filename": "", "FieldSeparator": "", "StartDate": stamp(found.begun_at),
        "EndDate": stamp(found.ends_at if found.done else None), "StatusCode": 2 if found.done else 1,
        "Rows": {
            "Total": len(found.rows), "Valid": {"Total": found.counts["valid"]},
            "Invalid": {"Total": found.counts["invalid"]},
        },
    }  # fmt: skip


@operation("GET", "/Console/Imports")
def imports(call: Call) -> Any:
    return call.pages([import_row(each) for each in call.memory.uploads.values()])


@operation("GET", "/Console/Imports/{import_id}")
def import_details(call: Call, import_id: str) -> Any:
    return import_row(found_upload(call, import_id))
