"""What a request sends is in UTF-8: a decorator for views, and the check behind it."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase

NOT_UTF8: Final = "A request must be in UTF-8."


def utf8_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorate a view: a request whose Content-Type has another charset than UTF-8 gets the status 400.

    Django would decode query and form with any codec that Python has, such as `hex`, which is none for text and raises.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not read_as_utf8(request):
            raise BadRequest(NOT_UTF8)
        return view(request, *args, **kwargs)

    return wrapper


def read_as_utf8(request: HttpRequest) -> bool:
    """Return whether a request says nothing else than that it is in UTF-8. It is read as that in any case."""
    if _is_utf8((request.content_params or {}).get("charset", "utf-8")):
        return True
    request.encoding = "utf-8"  # whoever answers it with an error may read query and form
    return False


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name == "utf-8"
    except (LookupError, ValueError):  # ValueError: it has a NUL
        return False
