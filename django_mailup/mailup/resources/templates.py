"""Templates of e-mail messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..operations import Operation
from ..paging import PAGE_SIZE
from . import reading
from .requester import Order, Resource, Where

ALL: Final = Operation("templates.all", "GET", "/Console/List/{list_id}/Templates")
GET: Final = Operation("templates.get", "GET", "/Console/List/{list_id}/Templates/{template_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template. `content` (HTML) and `text` are told of a single one alone."""

    id: int
    title: str
    content: str
    text: str
    thumbnail: str
    raw: Mapping[str, Any] = field(repr=False)


class Templates(Resource):
    """The operations on templates."""

    def all(
        self, *, list_id: int, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[Template]:
        """Yield the templates of a list. `GET /Console/List/{list_id}/Templates`. (In MailUp's own samples.)"""
        return map(_template, self._pages(ALL, where=where, order=order, page_size=page_size, list_id=list_id))

    def get(self, *, list_id: int, template_id: int) -> Template:
        """Return a template with its content. `GET /Console/List/{list_id}/Templates/{template_id}`.

        (In MailUp's own gem.) Raises NotFound when there is none.
        """
        return _template(reading.record(self._call(GET, list_id=list_id, template_id=template_id)))


def _template(raw: Mapping[str, Any]) -> Template:
    return Template(
        id=reading.identifier(raw, "Id"),
        title=reading.text(raw, "Title"),
        content=reading.text(raw, "Content"),
        text=reading.text(raw, "Text"),
        thumbnail=reading.text(raw, "Thumbnail"),
        raw=raw,
    )
