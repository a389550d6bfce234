"""Templates of e-mail messages."""

from __future__ import annotations

from ..methods import CallTakes, PagesTake, paged_call, single_call
from ..operations import MAILUP_CODE, Operation
from ..records import Record, key
from ..resource_base import Resource


class Template(Record):
    """A template. Only `get` gives `content` (HTML) and `text`."""

    id: int = key("Id")
    title: str = key("Title")
    content: str = key("Content")
    text: str = key("Text")
    thumbnail: str = key("Thumbnail")


# fmt: off
ALL = Operation("templates.all", "GET", "/Console/List/{list_id}/Templates", MAILUP_CODE, Template)
GET = Operation("templates.get", "GET", "/Console/List/{list_id}/Templates/{template_id}", MAILUP_CODE, Template)
# fmt: on


class Templates(Resource):
    """The operations on templates."""

    all = paged_call(PagesTake.list_id, ALL, "Yield the templates of a list.")
    get = single_call(CallTakes.list_and_template, GET, "Return a template with its content.")
