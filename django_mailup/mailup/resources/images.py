"""Images for messages, which belong to the account or to a list."""

from __future__ import annotations

from typing import Any, Unpack

from .. import arguments, parsing
from ..flow import CallOptions
from ..methods import CallTakes, single_call
from ..operations import MAILUP_CODE, Operation
from ..parsing import no_result
from ..resource_base import Resource

# fmt: off
ALL = Operation("images.all", "GET", "/Console/Images", MAILUP_CODE, parsing.string_list)
OF_LIST = Operation("images.of_list", "GET", "/Console/List/{list_id}/Images", MAILUP_CODE, parsing.string_list)
ADD = Operation("images.add", "POST", "/Console/Images", MAILUP_CODE, parsing.string_list)
ADD_TO_LIST = Operation("images.add_to_list", "POST", "/Console/List/{list_id}/Images", MAILUP_CODE,
    parsing.string_list)
DELETE = Operation("images.delete", "DELETE", "/Console/Images", MAILUP_CODE, no_result)
# fmt: on


class Images(Resource):
    """The operations on images. Each image is given by its URL."""

    all = single_call(CallTakes.no_ids, ALL, "Return the URLs of the account's images.")
    of_list = single_call(CallTakes.list_id, OF_LIST, "Return the URLs of a list's images.")

    def add(self, *, name: str, content: bytes, **options: Unpack[CallOptions]) -> list[str]:
        """Add an image to the account. Return its URL, or the URLs of all images: sources differ on this.

        Raises:
            ValueError: the name or the content is empty.
        """
        return self._call(ADD, json=_body(name, content), options=options)

    def add_to_list(self, *, list_id: int, name: str, content: bytes, **options: Unpack[CallOptions]) -> list[str]:
        """Add an image to a list. Result and errors are those of `add`."""
        return self._call(ADD_TO_LIST, json=_body(name, content), list_id=list_id, options=options)

    def delete(self, *, url: str, **options: Unpack[CallOptions]) -> None:
        """Delete an image of the account."""
        return self._call(DELETE, json=arguments.text("url", url), options=options)


def _body(name: str, content: bytes) -> dict[str, Any]:
    return {"Base64Data": arguments.file_content("content", content), "Name": arguments.text("name", name)}
