"""Images that messages may show, of the account and of a list."""

from __future__ import annotations

import base64
from typing import Any, Final

from ..operations import Operation
from . import arguments, reading
from .requester import Resource

ALL: Final = Operation("images.all", "GET", "/Console/Images")
OF_LIST: Final = Operation("images.of_list", "GET", "/Console/List/{list_id}/Images")
ADD: Final = Operation("images.add", "POST", "/Console/Images")
ADD_TO_LIST: Final = Operation("images.add_to_list", "POST", "/Console/List/{list_id}/Images")
DELETE: Final = Operation("images.delete", "DELETE", "/Console/Images")


class Images(Resource):
    """The operations on images. An image is its URL."""

    def all(self) -> list[str]:
        """Return the URLs of the account's images. `GET /Console/Images`. (In MailUp's own samples.)"""
        return reading.texts(self._call(ALL))

    def of_list(self, *, list_id: int) -> list[str]:
        """Return the URLs of a list's images. `GET /Console/List/{list_id}/Images`. (In MailUp's own gem.)"""
        return reading.texts(self._call(OF_LIST, list_id=list_id))

    def add(self, *, name: str, content: bytes) -> list[str]:
        """Add an image to the account, and return what MailUp says: its URL, or all. `POST /Console/Images`.

        (In MailUp's own samples; sources differ on the answer.)
        """
        return reading.texts(self._call(ADD, json=_body(name, content)))

    def add_to_list(self, *, list_id: int, name: str, content: bytes) -> list[str]:
        """Add an image to a list, as `add`. `POST /Console/List/{list_id}/Images`. (In MailUp's own samples.)"""
        return reading.texts(self._call(ADD_TO_LIST, json=_body(name, content), list_id=list_id))

    def delete(self, *, url: str) -> None:
        """Delete an image of the account. `DELETE /Console/Images`. (In MailUp's own gem.)"""
        self._call(DELETE, json=arguments.text("url", url))


def _body(name: str, content: bytes) -> dict[str, Any]:
    if not content:
        raise ValueError("content must not be empty.")
    return {"Base64Data": base64.b64encode(content).decode(), "Name": arguments.text("name", name)}
