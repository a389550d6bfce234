"""Take secrets off a request before anything can fail, so that no report of a fault finds them there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from django.http import HttpRequest, QueryDict

from .frames import forgets_locals
from .secret import Secret

OAUTH_PARAMETERS: Final = ("code", "state", "error", "error_description", "error_uri")
"""The parameters of RFC 6749 sections 4.1.2 and 4.1.2.1."""

_URLS: Final = ("REQUEST_URI", "RAW_URI", "UNENCODED_URL")
"""Where web servers put the URL, besides PATH_INFO and QUERY_STRING."""
_REWRITTEN: Final = (
    *("SCRIPT_URL", "SCRIPT_URI", "PATH_TRANSLATED"),
    *("REDIRECT_URL", "REDIRECT_QUERY_STRING", "REDIRECT_SCRIPT_URL", "REDIRECT_SCRIPT_URI"),
)
"""Where Apache puts it as well, when it rewrites it. Django reads some of them when it makes the request only."""
_HEADERS: Final = (
    *("Referer", "X-Original-Url", "X-Original-Uri", "X-Rewrite-Url", "X-Forwarded-Uri", "X-Request-Uri"),
    *("X-Original-Path", "X-Envoy-Original-Path", "X-Replaced-Path"),
)
"""Headers in which browsers and proxies put a URL."""


@dataclass(frozen=True, slots=True)
class CallbackURL:
    """The URL of a request to the callback. Its `repr` hides it.

    Attributes:
        path, query: as they came.
        state: OAuth's `state` in the path; empty if there is none.
        parameters: those of OAUTH_PARAMETERS that the query has.
    """

    path: str = field(repr=False)
    query: str = field(repr=False)
    state: str = field(repr=False)
    parameters: QueryDict = field(repr=False)


@forgets_locals
def take_url(request: HttpRequest, state: Secret | None) -> CallbackURL:
    """Return the URL of a request to the callback, and leave neither code nor state on the request.

    Args:
        request: the request. Its other parameters stay.
        state: OAuth's `state`, if the path holds one.

    Raises:
        django.core.exceptions.TooManyFieldsSent: the query has too many parameters.
    """
    path, query = request.path, request.META.get("QUERY_STRING", "")
    _set_url(request, path_end=f"{state.value}/" if state is not None else "", query="")
    request.GET = QueryDict()  # type: ignore[assignment]
    others = QueryDict(query, mutable=True, encoding="utf-8")
    taken = QueryDict(mutable=True, encoding="utf-8")
    for name in OAUTH_PARAMETERS:
        if name in others:
            taken.setlist(name, others.pop(name))
    rest = others.urlencode()
    request.GET = QueryDict(rest, encoding="utf-8")  # type: ignore[assignment]
    _set_url(request, path_end="", query=rest)
    return CallbackURL(path=path, query=query, state=state.value if state is not None else "", parameters=taken)


def _set_url(request: HttpRequest, *, path_end: str, query: str) -> None:
    """Cut the end of a request's path, and replace its query, wherever Django and web servers keep them."""
    request.path = request.path.removesuffix(path_end)
    request.path_info = request.path_info.removesuffix(path_end)
    match = request.resolver_match
    if match is not None:
        # The handler's frame has the same dictionary.
        match.kwargs.pop("state", None)
        getattr(match, "captured_kwargs", {}).pop("state", None)
    meta = request.META  # of WSGI: the server's own `environ`, from which its access log may be made
    meta["PATH_INFO"], meta["QUERY_STRING"] = request.path_info, query
    url = request.path + ("?" if query else "") + query
    for name in _URLS:
        if name in meta:
            meta[name] = url
    # The first is of that server's own: its `repr` is the URL.
    for name in ("werkzeug.request", *_REWRITTEN, *(f"HTTP_{each.upper().replace('-', '_')}" for each in _HEADERS)):
        meta.pop(name, None)
    request.__dict__.pop("headers", None)  # it is made from META at first use
    scope: dict[str, Any] | None = getattr(request, "scope", None)
    if scope is not None:  # of ASGI
        scope["path"], scope["query_string"] = request.path, query.encode()
        if "raw_path" in scope:
            scope["raw_path"] = request.path.encode()
        dropped = {name.lower().encode() for name in _HEADERS}
        scope["headers"] = [each for each in scope.get("headers", ()) if each[0].lower() not in dropped]


@forgets_locals
def hide_posted(request: HttpRequest, name: str) -> None:
    """Replace a field of a posted form by a Secret, and drop the request's body, which has it as text."""
    if request.method != "POST" or not request.POST.get(name):
        return
    posted = request.POST.copy()
    posted.setlist(name, [Secret(str(each)) for each in posted.getlist(name)])  # type: ignore[misc]
    posted._mutable = False
    request.POST = posted  # type: ignore[assignment]
    request._body = b""
