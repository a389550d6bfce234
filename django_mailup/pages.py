"""What the pages of ours have in common: no cache stores them, no referrer tells their URL, and one leads on."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedRedirect
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.encoding import iri_to_uri
from django.utils.http import escape_leading_slashes

SCHEMES: Final = ("http", "https")

Response = TypeVar("Response", bound=HttpResponseBase)


def lead_on(request: HttpRequest, url: str) -> HttpResponse:
    """Return a page that takes the browser to a URL by itself, by a meta refresh, and has a link to it.

    It answers forms whose next page is of another origin. Chromium applies the policy `form-action 'self'` to redirects
    as well, and blocks one that answers a form without a word to the user.

    Args:
        request: the request that the page answers.
        url: an http or https URL, or a path of this site that begins with a slash.

    Raises:
        DisallowedRedirect: the URL is neither. Django answers it with status 400.
    """
    scheme = urlsplit(url).scheme
    if scheme not in SCHEMES and not (scheme == "" and url.startswith("/")):
        raise DisallowedRedirect(f"A page can't lead to a URL of the scheme {scheme!r}.")
    # Encoded as for a Location header: no space, double quote or control character is left.
    page = render(request, "django_mailup/lead_on.html", {"url": iri_to_uri(escape_leading_slashes(url))})
    return keep_url_private(page)


def keep_url_private(response: Response) -> Response:
    """Forbid referrers, caches and frames, for a response whose URL, or whose link, may hold a code or a state.

    A browser sends `Origin: null` with a form of such a page, and Django refuses that as forged. So it must have none.
    """
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Frame-Options"] = "DENY"
    return response


def private_url(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorate a view whose URL may hold a code or a state: `keep_url_private` for each of its responses."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return keep_url_private(view(request, *args, **kwargs))

    return wrapper


def private_page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorate a view: no cache stores its responses, and no other site is told its URL.

    Its own site is: over https, Django's protection against forged forms needs the Origin or Referer header.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers["Cache-Control"] = "no-store"
        return response

    return wrapper
