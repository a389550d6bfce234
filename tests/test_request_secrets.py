"""Code and state leave no trace on a request, whichever server made it; a posted secret is hidden."""

from __future__ import annotations

import traceback
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from django.core.exceptions import TooManyFieldsSent
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import resolve

from django_mailup.request_secrets import OAUTH_PARAMETERS, hide_posted, take_url
from django_mailup.secret import Secret

PATH = "/mailup/callback/"
STATE = "planted-state-è/?&="
QUERY = (
    f"code=planted-code&state={quote(STATE, safe='')}"
    "&error=planted-e&error_description=planted-d&error_uri=planted-u&page=1"
)


def of_wsgi(path: str, query: str) -> HttpRequest:
    url, path = f"{path}?{query}", path.encode().decode("latin-1")
    return WSGIRequest(
        {
            "REQUEST_METHOD": "GET",
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "wsgi.input": BytesIO(),
            "wsgi.url_scheme": "http",
            "REQUEST_URI": url,
            "RAW_URI": url,
            "UNENCODED_URL": url,
            "HTTP_REFERER": url,
            "HTTP_X_ORIGINAL_URL": url,
            "HTTP_X_FORWARDED_URI": url,
            "HTTP_X_ENVOY_ORIGINAL_PATH": url,
            "SCRIPT_URL": path,  # these of Apache, when it rewrites URLs
            "SCRIPT_URI": f"http://testserver{path}",
            "PATH_TRANSLATED": f"/srv/site{path}",
            "REDIRECT_URL": path,
            "REDIRECT_QUERY_STRING": query,
            "werkzeug.request": url,
        }
    )


def of_asgi(path: str, query: str) -> HttpRequest:
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"testserver"), (b"referer", f"{path}?{query}".encode())],
    }
    return ASGIRequest(scope, BytesIO())


def trace_of(request: HttpRequest) -> str:
    """Return everything that a request says of itself."""
    match = request.resolver_match
    says: list[Any] = [
        request, request.GET, dict(request.GET), request.META, request.headers, request.path, request.path_info,
        request.get_full_path(), request.get_full_path_info(), request.build_absolute_uri(),
        getattr(request, "environ", None), getattr(request, "scope", None), match and (match, match.kwargs, match.args),
        vars(match) if match else None, {k: v for k, v in vars(request).items() if k != "resolver_match"},
    ]  # fmt: skip
    return repr(says)


@pytest.mark.parametrize("make", [of_wsgi, of_asgi])
@pytest.mark.parametrize("in_path", [False, True])
@pytest.mark.parametrize("read_before", [False, True])
def test_a_request_forgets_what_mailup_answered(make: Any, in_path: bool, read_before: bool) -> None:
    state = "planted-state-è" if in_path else ""
    request: HttpRequest = make(PATH + (f"{state}/" if in_path else ""), QUERY)
    request.resolver_match = resolve(request.path_info)
    if read_before:  # a middleware has
        assert "planted" in trace_of(request)
    url = take_url(request, Secret(state) if in_path else None)

    assert "planted" not in trace_of(request)
    assert (request.path, request.path_info, dict(request.GET.lists())) == (PATH, PATH, {"page": ["1"]})
    assert request.get_full_path() == f"{PATH}?page=1"
    assert (url.path, url.query, url.state) == (PATH + (f"{state}/" if in_path else ""), QUERY, state)
    assert url.parameters.dict() == {
        "code": "planted-code",
        "state": STATE,
        "error": "planted-e",
        "error_description": "planted-d",
        "error_uri": "planted-u",
    }
    assert "planted" not in repr(url)
    request.encoding = "latin-1"  # which parses the query anew
    assert not set(OAUTH_PARAMETERS) & set(request.GET)


def test_the_path_is_a_secret_for_the_frames_above_the_view() -> None:
    match = resolve(f"{PATH}planted/")

    assert "planted" not in repr(match.kwargs) + repr(match)
    assert match.kwargs["state"].value == "planted"


@pytest.mark.parametrize("make", [of_wsgi, of_asgi])
def test_a_query_with_too_many_parameters_is_forgotten_as_well(make: Any) -> None:
    request: HttpRequest = make(PATH, QUERY + "&x=1" * 2000)
    with pytest.raises(TooManyFieldsSent) as caught:
        take_url(request, None)

    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][1:]
    assert len(frames) > 1
    assert "planted" not in trace_of(request) + repr([frame.f_locals for frame in frames])


def test_a_charset_that_nobody_knows_is_no_obstacle() -> None:
    request = of_wsgi(PATH, QUERY)
    request._encoding = "base64"  # which a Content-Type may name, and which decodes no text

    assert take_url(request, None).parameters["code"] == "planted-code"


@pytest.mark.parametrize("read_before", [False, True])
def test_a_posted_secret_is_hidden(read_before: bool) -> None:
    request = RequestFactory().post(
        "/", "name=Ours&new_secret=planted&new_secret=planted-2", content_type="application/x-www-form-urlencoded"
    )
    if read_before:
        assert b"planted" in request.body
    hide_posted(request, "new_secret")

    assert "planted" not in repr(request.POST) + str(dict(request.POST)) + request.POST.urlencode() + repr(request.body)
    assert (request.POST["name"], request.POST["new_secret"].value) == ("Ours", "planted-2")
    with pytest.raises(AttributeError, match="immutable"):
        request.POST["name"] = "Other"


@pytest.mark.parametrize(
    "request_", [RequestFactory().get("/?new_secret=x"), RequestFactory().post("/", {"new_secret": ""})], ids=str
)
def test_other_requests_stay_as_they_are(request_: Any) -> None:
    before = dict(request_.POST)
    hide_posted(request_, "new_secret")

    assert dict(request_.POST) == before
