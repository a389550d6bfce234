"""Tags, the labels of a list's messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..operations import Operation
from ..paging import PAGE_SIZE
from . import arguments, reading
from .requester import Order, Resource, Where

ALL: Final = Operation("tags.all", "GET", "/Console/List/{list_id}/Tags")
CREATE: Final = Operation("tags.create", "POST", "/Console/List/{list_id}/Tag")
UPDATE: Final = Operation("tags.update", "PUT", "/Console/List/{list_id}/Tag/{tag_id}")
DELETE: Final = Operation("tags.delete", "DELETE", "/Console/List/{list_id}/Tag/{tag_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag."""

    id: int
    name: str
    enabled: bool
    raw: Mapping[str, Any] = field(repr=False)


class Tags(Resource):
    """The operations on tags."""

    def all(
        self, *, list_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[Tag]:
        """Yield the tags of a list. `GET /Console/List/{list_id}/Tags`. (Documented by MailUp.)"""
        return map(_tag, self._pages(ALL, where=where, order=order, page_size=page_size, list_id=list_id))

    def create(self, *, list_id: int, name: str) -> Tag:
        """Make a tag, and return it. `POST /Console/List/{list_id}/Tag`. (Documented by MailUp.)"""
        return _tag(reading.record(self._call(CREATE, json=arguments.text("name", name), list_id=list_id)))

    def update(self, *, list_id: int, tag_id: int, name: str, enabled: bool = True) -> Tag:
        """Rename a tag or switch it, and return it. `PUT /Console/List/{list_id}/Tag/{tag_id}`.

        (Documented by MailUp.)
        """
        body = {"Id": tag_id, "Name": arguments.text("name", name), "Enabled": enabled}
        return _tag(reading.record(self._call(UPDATE, json=body, list_id=list_id, tag_id=tag_id)))

    def delete(self, *, list_id: int, tag_id: int) -> None:
        """Delete a tag. `DELETE /Console/List/{list_id}/Tag/{tag_id}`. (Documented by MailUp.)"""
        self._call(DELETE, list_id=list_id, tag_id=tag_id)


def _tag(raw: Mapping[str, Any]) -> Tag:
    return Tag(
        id=reading.identifier(raw, "Id"), name=reading.text(raw, "Name"), enabled=reading.flag(raw, "Enabled"), raw=raw
    )
