"""A decorator for views: what a request sends is in UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase


def utf8_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorate a view: a request whose Content-Type has another charset than UTF-8 gets the status 400.

    Django would decode query and form with any codec that Python has, such as `hex`, which is none for text and raises.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not _is_utf8((request.content_params or {}).get("charset", "utf-8")):
            request.encoding = "utf-8"  # whoever answers the exception may read the query
            raise BadRequest("A request must be in UTF-8.")
        return view(request, *args, **kwargs)

    return wrapper


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name == "utf-8"
    except (LookupError, ValueError):  # ValueError: it has a NUL
        return False
