"""Images of the account (stored as list 0) and of lists. Only their URLs are kept."""

from __future__ import annotations

from typing import Any

from ..api_call import EMPTY, Call
from ..errors import APIError
from .attachments import decode_file
from .routes import route


def save_image(call: Call, list_id: int) -> list[str]:
    """Add the image in the body of the call. Return the URLs of all images of the list."""
    body = call.body_object()
    decode_file(body)
    urls = call.account.images.setdefault(list_id, [])
    urls.append(f"https://sandbox.example/images/{list_id}/{body.get('Name')}")
    return urls


@route("GET", "/Console/Images")
def all_images(call: Call) -> Any:
    return call.account.images.get(0, [])


@route("POST", "/Console/Images")
def add(call: Call) -> Any:
    return save_image(call, 0)


@route("DELETE", "/Console/Images")
def delete(call: Call) -> Any:
    if call.body not in call.account.images.get(0, []):
        raise APIError(404, "There is no such image.")
    call.account.images[0].remove(call.body)
    return EMPTY


@route("GET", "/Console/List/{list_id}/Images")
def of_list(call: Call, list_id: str) -> Any:
    return call.account.images.get(call.find_list(list_id).id, [])


@route("POST", "/Console/List/{list_id}/Images")
def add_to_list(call: Call, list_id: str) -> Any:
    return save_image(call, call.find_list(list_id).id)
