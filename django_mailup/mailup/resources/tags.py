"""Tags, the labels of a list's messages."""

from __future__ import annotations

from typing import Unpack

from .. import arguments
from ..declared import By, Rows, called, paged
from ..flow import CallOptions
from ..operations import DOCUMENTED, Operation
from ..parsing import nothing
from ..records import Record, key
from ..requester import Resource


class Tag(Record):
    """A tag."""

    id: int = key("Id")
    name: str = key("Name")
    enabled: bool = key("Enabled")


# fmt: off
ALL = Operation("tags.all", "GET", "/Console/List/{list_id}/Tags", DOCUMENTED, Tag)
CREATE = Operation("tags.create", "POST", "/Console/List/{list_id}/Tag", DOCUMENTED, Tag)
UPDATE = Operation("tags.update", "PUT", "/Console/List/{list_id}/Tag/{tag_id}", DOCUMENTED, Tag)
DELETE = Operation("tags.delete", "DELETE", "/Console/List/{list_id}/Tag/{tag_id}", DOCUMENTED, nothing)
# fmt: on


class Tags(Resource):
    """The operations on tags."""

    all = paged(Rows.of_list, ALL, "Yield the tags of a list.")

    def create(self, *, list_id: int, name: str, **options: Unpack[CallOptions]) -> Tag:
        """Create a tag, and return it."""
        return self._call(CREATE, json=arguments.text("name", name), list_id=list_id, options=options)

    def update(
        self, *, list_id: int, tag_id: int, name: str, enabled: bool = True, **options: Unpack[CallOptions]
    ) -> Tag:
        """Rename a tag or switch it, and return it."""
        body = {"Id": tag_id, "Name": arguments.text("name", name), "Enabled": enabled}
        return self._call(UPDATE, json=body, list_id=list_id, tag_id=tag_id, options=options)

    delete = called(By.tag, DELETE, "Delete a tag.")
