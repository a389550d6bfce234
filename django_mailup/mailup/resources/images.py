"""Images that messages may show, of the account and of a list."""

from __future__ import annotations

import base64
from typing import Any, Final, Unpack

from .. import parsing
from ..flow import CallOptions
from ..operations import Operation, Source
from . import arguments
from .requester import Resource

IN_CODE: Final = Source.MAILUP_CODE
ALL: Final = Operation("images.all", "GET", "/Console/Images", source=IN_CODE, returns=parsing.strings)
OF_LIST: Final = Operation(
    "images.of_list", "GET", "/Console/List/{list_id}/Images", source=IN_CODE, returns=parsing.strings
)
ADD: Final = Operation("images.add", "POST", "/Console/Images", source=IN_CODE, returns=parsing.strings)
ADD_TO_LIST: Final = Operation(
    "images.add_to_list", "POST", "/Console/List/{list_id}/Images", source=IN_CODE, returns=parsing.strings
)
DELETE: Final = Operation("images.delete", "DELETE", "/Console/Images", source=IN_CODE, returns=parsing.nothing)


class Images(Resource):
    """The operations on images. An image is its URL."""

    def all(self, **options: Unpack[CallOptions]) -> list[str]:
        """Return the URLs of the account's images. `GET /Console/Images`."""
        return self._call(ALL, options=options)

    def of_list(self, *, list_id: int, **options: Unpack[CallOptions]) -> list[str]:
        """Return the URLs of a list's images. `GET /Console/List/{list_id}/Images`."""
        return self._call(OF_LIST, list_id=list_id, options=options)

    def add(self, *, name: str, content: bytes, **options: Unpack[CallOptions]) -> list[str]:
        """Add an image to the account, and return its URL, or those of all: sources differ. `POST /Console/Images`.

        Raises:
            ValueError: no name, or an empty file.
        """
        return self._call(ADD, json=_body(name, content), options=options)

    def add_to_list(
        self, *, list_id: int, name: str, content: bytes, **options: Unpack[CallOptions]
    ) -> list[str]:
        """Add an image to a list, as `add`. `POST /Console/List/{list_id}/Images`."""
        return self._call(ADD_TO_LIST, json=_body(name, content), list_id=list_id, options=options)

    def delete(self, *, url: str, **options: Unpack[CallOptions]) -> None:
        """Delete an image of the account. `DELETE /Console/Images`."""
        return self._call(DELETE, json=arguments.text("url", url), options=options)


def _body(name: str, content: bytes) -> dict[str, Any]:
    if not content:
        raise ValueError("content must not be empty.")
    return {"Base64Data": base64.b64encode(content).decode(), "Name": arguments.text("name", name)}
