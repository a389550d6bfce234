"""Malformed requests, which Django would answer with a 500: a decorator for views, and the check behind it."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase


def refuse_malformed(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorate a view: a malformed request gets the status 400."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        fault = fault_of(request)
        if fault:
            raise BadRequest(fault)
        return view(request, *args, **kwargs)

    return wrapper


def fault_of(request: HttpRequest) -> str:
    """Return what is wrong with a request, as a sentence without values of it, or an empty text. Its body isn't read.

    Django would decode query and form with any codec that Python has, such as `hex`, which is none for text and raises.
    So query and form are read as UTF-8 in any case: whoever answers the request with an error may read them.
    """
    if not _is_utf8((request.content_params or {}).get("charset", "utf-8")):
        request.encoding = "utf-8"
        return "A request must be in UTF-8."
    if not _is_length(request.META.get("CONTENT_LENGTH") or "0"):
        return "The request's Content-Length can't be read."
    if "\x00" in request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""):  # PostgreSQL refuses to look for such a session
        return "The session's cookie can't be read."
    return ""


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name == "utf-8"
    except (LookupError, ValueError):  # ValueError: it has a NUL
        return False


def _is_length(text: str) -> bool:
    try:
        return int(text) <= sys.maxsize
    except ValueError:
        return False
