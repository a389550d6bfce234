"""Tags, the labels of a list's messages."""

from __future__ import annotations

from typing import Final, Unpack

from .. import parsing
from ..flow import CallOptions
from ..operations import Operation, Source
from ..paging import Paged
from ..records import Record, key
from . import arguments
from .requester import PageOptions, Resource


class Tag(Record):
    """A tag."""

    id: int = key("Id")
    name: str = key("Name")
    enabled: bool = key("Enabled")


ALL: Final = Operation("tags.all", "GET", "/Console/List/{list_id}/Tags", source=Source.DOCUMENTED, returns=Tag)
CREATE: Final = Operation("tags.create", "POST", "/Console/List/{list_id}/Tag", source=Source.DOCUMENTED, returns=Tag)
UPDATE: Final = Operation(
    "tags.update", "PUT", "/Console/List/{list_id}/Tag/{tag_id}", source=Source.DOCUMENTED, returns=Tag
)
DELETE: Final = Operation(
    "tags.delete", "DELETE", "/Console/List/{list_id}/Tag/{tag_id}", source=Source.DOCUMENTED, returns=parsing.nothing
)


class Tags(Resource):
    """The operations on tags."""

    def all(self, *, list_id: int, **options: Unpack[PageOptions]) -> Paged[Tag]:
        """Yield the tags of a list. `GET /Console/List/{list_id}/Tags`."""
        return self._pages(ALL, list_id=list_id, options=options)

    def create(self, *, list_id: int, name: str, **options: Unpack[CallOptions]) -> Tag:
        """Create a tag, and return it. `POST /Console/List/{list_id}/Tag`."""
        return self._call(CREATE, json=arguments.text("name", name), list_id=list_id, options=options)

    def update(
        self, *, list_id: int, tag_id: int, name: str, enabled: bool = True, **options: Unpack[CallOptions]
    ) -> Tag:
        """Rename a tag or switch it, and return it. `PUT /Console/List/{list_id}/Tag/{tag_id}`."""
        body = {"Id": tag_id, "Name": arguments.text("name", name), "Enabled": enabled}
        return self._call(UPDATE, json=body, list_id=list_id, tag_id=tag_id, options=options)

    def delete(self, *, list_id: int, tag_id: int, **options: Unpack[CallOptions]) -> None:
        """Delete a tag. `DELETE /Console/List/{list_id}/Tag/{tag_id}`."""
        return self._call(DELETE, list_id=list_id, tag_id=tag_id, options=options)
