"""Imports of recipients, in both channels."""

from __future__ import annotations

from typing import Any

from ..accounts import Import, Message, Sending, format_date
from ..api_call import EMPTY, Call
from ..errors import APIError
from .routes import route


def begin_import(call: Call, list_id: int, group_id: int | None, channel: str) -> int:
    """Store an import, to be carried out after `Options.import_seconds`. Return its id.

    Raises:
        APIError: 400 if the body is malformed, or if another import is running and that is not allowed.
    """
    rows = call.body
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise APIError(400, "The request body must be an array of recipients.")
    options = call.state.options
    if options.single_import and any(not each.completed for each in call.account.imports.values()):
        raise APIError(400, "Another import is running.")
    made = Import(
        next(call.account.ids), list_id, group_id, channel, rows, dict(call.query), call.now,
        call.now + options.import_seconds,
    )  # fmt: skip
    call.account.imports[made.id] = made
    if call.query.get("confirmemail", "").casefold() == "true":
        body = {"Subject": "Please confirm", "IsConfirmation": True}
        message = Message(next(call.account.ids), list_id, body, call.now)
        confirmation = Sending(next(call.account.ids), "email", message, [], None, notes="confirmation")
        call.account.sendings[confirmation.id] = confirmation
        made.sending_id = confirmation.id
    return made.id


def find_import(call: Call, import_id: str) -> Import:
    """Return an import of the account. Raise APIError (404) if there is none."""
    found = call.account.imports.get(int(import_id))
    if found is None:
        raise APIError(404, f"Import {import_id} does not exist.")
    return found


def details_json(found: Import) -> dict[str, Any]:
    return {
        "IdImport": found.id, "IdList": found.list_id, "IdGroups": [found.group_id] if found.group_id else [],
        "Filename": "", "FieldSeparator": "", "StartDate": format_date(found.started_at),
        "EndDate": format_date(found.ends_at if found.completed else None), "StatusCode": 2 if found.completed else 1,
        "Rows": {
            "Total": len(found.recipients), "Valid": {"Total": found.counts["valid"]},
            "Invalid": {"Total": found.counts["invalid"]},
        },
    }  # fmt: skip


@route("POST", "/Console/List/{list_id}/Recipients")
def start(call: Call, list_id: str) -> Any:
    return begin_import(call, call.find_list(list_id).id, None, "email")


@route("POST", "/Console/Group/{group_id}/Recipients")
def start_in_group(call: Call, group_id: str) -> Any:
    return begin_import(call, call.find_list_of_group(group_id).id, int(group_id), "email")


@route("GET", "/Console/Import/{import_id}")
def get(call: Call, import_id: str) -> Any:
    found = find_import(call, import_id)
    return {
        "Completed": found.completed,
        "CreatedRecipients": found.counts["created"],
        "ImportedRecipients": found.counts["valid"],
        "NotValidRecipients": found.counts["invalid"],
        "UpdatedRecipients": found.counts["updated"],
        "ValidRecipients": found.counts["valid"],
        "idImport": found.id,
    }


@route("GET", "/Console/Import/{import_id}/Sending")
def sending(call: Call, import_id: str) -> Any:
    found = find_import(call, import_id)
    return EMPTY if found.sending_id is None else {"idSending": found.sending_id}


@route("GET", "/Console/Imports")
def all_imports(call: Call) -> Any:
    return call.page([details_json(each) for each in call.account.imports.values()])


@route("GET", "/Console/Imports/{import_id}")
def details(call: Call, import_id: str) -> Any:
    return details_json(find_import(call, import_id))
