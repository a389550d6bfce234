"""Personal fields of recipients."""

from __future__ import annotations

from typing import Any

from ..api_call import Call
from .routes import route


@route("GET", "/Console/Recipient/DynamicFields")
def all_fields(call: Call) -> Any:
    """Return the fields, by default with the highest id first."""
    names = sorted(call.account.field_names.items(), reverse=True)
    return call.page([{"Description": name, "Id": number} for number, name in names])
