"""Templates of e-mail messages."""

from __future__ import annotations

from ..declared import By, Rows, called, paged
from ..operations import MAILUP_CODE, Operation
from ..records import Record, key
from ..requester import Resource


class Template(Record):
    """A template. `content` (HTML) and `text` are told of a single one alone."""

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

    all = paged(Rows.of_list, ALL, "Yield the templates of a list.")
    get = called(By.template, GET, "Return a template with its content.")
