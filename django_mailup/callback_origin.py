"""The origin and the URL that MailUp sends users back to, by the setting CALLBACK_ORIGIN."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.module_loading import import_string

from .conf import app_settings
from .exceptions import Misconfigured
from .origins import is_origin


def origin_for(request: HttpRequest) -> str:
    """Return the origin that MailUp is to send the user of a request back to. Without the setting it is the request's.

    Raises:
        Misconfigured: the setting, or what its function returns, is no origin, or is plain http without DEBUG.
    """
    configured = app_settings.CALLBACK_ORIGIN
    if not configured:
        return f"{request.scheme}://{request.get_host()}"
    origin = configured if is_origin(configured) else _ask(configured, request)
    if not is_origin(origin) or (origin.startswith("http:") and not settings.DEBUG):
        raise Misconfigured("MAILUP['CALLBACK_ORIGIN'] gives no https origin.")
    return origin


def callback_url(origin: str) -> str:
    """Return the URL of the callback on an origin."""
    return origin + reverse("django_mailup:callback")


def is_at(request: HttpRequest, origin: str) -> bool:
    """Return whether a request came to the host of an origin, where its session cookie is.

    Cookies don't depend on scheme and port, and behind a proxy a request may seem to have others than the browser sees.
    """
    return urlsplit(f"//{request.get_host()}").hostname == urlsplit(origin).hostname


def _ask(path: str, request: HttpRequest) -> str:
    try:
        function = import_string(path)
    except ImportError:
        raise Misconfigured("MAILUP['CALLBACK_ORIGIN'] names no function.") from None
    return str(function(request))
