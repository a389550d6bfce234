"""Templates of e-mail messages."""

from __future__ import annotations

from typing import Final, Unpack

from ..flow import CallOptions
from ..operations import Operation, Source
from ..paging import Paged
from ..records import Record, key
from .requester import PageOptions, Resource


class Template(Record):
    """A template. `content` (HTML) and `text` are told of a single one alone."""

    id: int = key("Id")
    title: str = key("Title")
    content: str = key("Content")
    text: str = key("Text")
    thumbnail: str = key("Thumbnail")


ALL: Final = Operation(
    "templates.all", "GET", "/Console/List/{list_id}/Templates", source=Source.MAILUP_CODE, returns=Template
)
GET: Final = Operation(
    "templates.get", "GET", "/Console/List/{list_id}/Templates/{template_id}", source=Source.MAILUP_CODE,
    returns=Template,
)  # fmt: skip


class Templates(Resource):
    """The operations on templates."""

    def all(self, *, list_id: int, **options: Unpack[PageOptions]) -> Paged[Template]:
        """Yield the templates of a list. `GET /Console/List/{list_id}/Templates`."""
        return self._pages(ALL, list_id=list_id, options=options)

    def get(self, *, list_id: int, template_id: int, **options: Unpack[CallOptions]) -> Template:
        """Return a template with its content. `GET /Console/List/{list_id}/Templates/{template_id}`.

        Raises:
            NotFound: there is none.
        """
        return self._call(GET, list_id=list_id, template_id=template_id, options=options)
