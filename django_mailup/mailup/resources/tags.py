"""Tags of a list's messages."""

from __future__ import annotations

from typing import Any, Unpack

from .. import arguments
from ..flow import CallOptions, Flow
from ..methods import CallTakes, PagesTake, paged_call, single_call
from ..operations import DOCUMENTED, Operation
from ..parsing import no_result
from ..records import Record, key
from ..resource_base import Resource
from ..updates import update_body


class Tag(Record):
    """A tag for messages of a list."""

    id: int = key("Id")
    name: str = key("Name")
    enabled: bool = key("Enabled")


# fmt: off
ALL = Operation("tags.all", "GET", "/Console/List/{list_id}/Tags", DOCUMENTED, Tag)
CREATE = Operation("tags.create", "POST", "/Console/List/{list_id}/Tag", DOCUMENTED, Tag)
UPDATE = Operation("tags.update", "PUT", "/Console/List/{list_id}/Tag/{tag_id}", DOCUMENTED, Tag)
DELETE = Operation("tags.delete", "DELETE", "/Console/List/{list_id}/Tag/{tag_id}", DOCUMENTED, no_result)
# fmt: on


class Tags(Resource):
    """The operations on tags."""

    all = paged_call(PagesTake.list_id, ALL, "Yield the tags of a list.")

    def create(self, *, list_id: int, name: str, **options: Unpack[CallOptions]) -> Tag:
        """Create a tag, and return it. Raise ValueError if the name is empty."""
        return self._call(CREATE, json=arguments.text("name", name), list_id=list_id, options=options)

    def update(
        self, *, list_id: int, tag_id: int, name: str | None = None, enabled: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> Tag:  # fmt: skip
        """Change a tag, and return it. What is left out stays: the tag is read first, by one call more.

        If two change a tag at once, the last one wins.

        Raises:
            ValueError: the name is empty, or MailUp doesn't give back what is to be changed.
        """
        changes = arguments.without_none(Name=None if name is None else arguments.text("name", name), Enabled=enabled)
        return self._client.run(self._update(changes, list_id, tag_id, options))

    delete = single_call(CallTakes.list_and_tag, DELETE, "Delete a tag.")

    def _update(self, changes: dict[str, Any], list_id: int, tag_id: int, options: CallOptions) -> Flow[Tag]:
        current = yield from self._row(
            ALL, "Id", arguments.positive("tag_id", tag_id), list_id=list_id, options=options
        )
        body = update_body(current.raw, ("Name", "Enabled"), changes, {"Name": "name", "Enabled": "enabled"})
        body["Id"] = tag_id
        return (yield from self._flow(UPDATE, json=body, options=options, list_id=list_id, tag_id=tag_id))
