"""Tags of e-mail messages."""

from __future__ import annotations

from typing import Any

from ..api_call import EMPTY, Call
from ..errors import APIError
from .routes import route


def find_tag(call: Call, list_id: str, tag_id: str) -> dict[str, Any]:
    """Return the JSON of a tag. Raise APIError (404) if there is none."""
    found = call.account.tags.get(call.find_list(list_id).id, {}).get(int(tag_id))
    if found is None:
        raise APIError(404, f"Tag {tag_id} does not exist.")
    return found


@route("GET", "/Console/List/{list_id}/Tags")
def all_tags(call: Call, list_id: str) -> Any:
    return call.page(list(call.account.tags.get(call.find_list(list_id).id, {}).values()))


@route("POST", "/Console/List/{list_id}/Tag")
def create(call: Call, list_id: str) -> Any:
    if not isinstance(call.body, str) or not call.body:
        raise APIError(400, "The request body must be a string in double quotes.")
    number = next(call.account.ids)
    made = {"Enabled": True, "Id": number, "Name": call.body}
    call.account.tags.setdefault(call.find_list(list_id).id, {})[number] = made
    return made


@route("PUT", "/Console/List/{list_id}/Tag/{tag_id}")
def update(call: Call, list_id: str, tag_id: str) -> Any:
    found = find_tag(call, list_id, tag_id)
    new = call.updated(found, {"Enabled": True, "Name": found["Name"]})
    found |= {"Enabled": new["Enabled"], "Name": new["Name"]}
    return found


@route("DELETE", "/Console/List/{list_id}/Tag/{tag_id}")
def delete(call: Call, list_id: str, tag_id: str) -> Any:
    find_tag(call, list_id, tag_id)
    del call.account.tags[int(list_id)][int(tag_id)]
    return EMPTY
