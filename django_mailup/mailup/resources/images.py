"""Images that messages may show, of the account and of a list."""

from __future__ import annotations

import base64
from typing import Any, Unpack

from .. import arguments, parsing
from ..declared import By, called
from ..flow import CallOptions
from ..operations import MAILUP_CODE, Operation
from ..parsing import nothing
from ..requester import Resource

# fmt: off
ALL = Operation("images.all", "GET", "/Console/Images", MAILUP_CODE, parsing.strings)
OF_LIST = Operation("images.of_list", "GET", "/Console/List/{list_id}/Images", MAILUP_CODE, parsing.strings)
ADD = Operation("images.add", "POST", "/Console/Images", MAILUP_CODE, parsing.strings)
ADD_TO_LIST = Operation("images.add_to_list", "POST", "/Console/List/{list_id}/Images", MAILUP_CODE, parsing.strings)
DELETE = Operation("images.delete", "DELETE", "/Console/Images", MAILUP_CODE, nothing)
# fmt: on


class Images(Resource):
    """The operations on images. An image is its URL."""

    all = called(By.nothing, ALL, "Return the URLs of the account's images.")
    of_list = called(By.list, OF_LIST, "Return the URLs of a list's images.")

    def add(self, *, name: str, content: bytes, **options: Unpack[CallOptions]) -> list[str]:
        """Add an image to the account, and return its URL, or those of all: sources differ.

        Raises:
            ValueError: no name, or an empty file.
        """
        return self._call(ADD, json=_body(name, content), options=options)

    def add_to_list(self, *, list_id: int, name: str, content: bytes, **options: Unpack[CallOptions]) -> list[str]:
        """Add an image to a list, as `add`."""
        return self._call(ADD_TO_LIST, json=_body(name, content), list_id=list_id, options=options)

    def delete(self, *, url: str, **options: Unpack[CallOptions]) -> None:
        """Delete an image of the account."""
        return self._call(DELETE, json=arguments.text("url", url), options=options)


def _body(name: str, content: bytes) -> dict[str, Any]:
    if not content:
        raise ValueError("content must not be empty.")
    return {"Base64Data": base64.b64encode(content).decode(), "Name": arguments.text("name", name)}
