"""Templates of e-mail messages. Every list has the same two."""

from __future__ import annotations

from typing import Any

from ..api_call import Call
from ..errors import APIError
from .routes import route

TEMPLATES = {1: ("Welcome", "<h1>Welcome</h1>"), 2: ("News of the month", "<h1>News</h1><p>[content]</p>")}
"""(title, content) of each template, by id."""


def find_template(template_id: str) -> tuple[str, str]:
    """Return (title, content) of a template. Raise APIError (404) if there is none."""
    if int(template_id) not in TEMPLATES:
        raise APIError(404, f"Template {template_id} does not exist.")
    return TEMPLATES[int(template_id)]


@route("GET", "/Console/List/{list_id}/Templates")
def all_templates(call: Call, list_id: str) -> Any:
    call.find_list(list_id)
    return call.page([{"Id": number, "Title": title} for number, (title, _) in TEMPLATES.items()])


@route("GET", "/Console/List/{list_id}/Templates/{template_id}")
def get(call: Call, list_id: str, template_id: str) -> Any:
    call.find_list(list_id)
    title, content = find_template(template_id)
    return {"Content": content, "Id": int(template_id), "Text": title, "Thumbnail": "", "Title": title}
