"""The test site behind WSGI, as a server runs it, with reports of its faults."""

from __future__ import annotations

import html
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.sessions.backends import db
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.test import Client as DjangoClient
from werkzeug.test import Client, TestResponse

from django_mailup.conf import app_settings

from . import reports


def mailup_url(response: TestResponse) -> str:
    """Return MailUp's URL to which a page leads."""
    page = html.unescape(response.get_data(as_text=True))
    found = re.search(re.escape(app_settings.endpoints().authorization) + r"[^\"'<>\s]*", page)
    assert found is not None
    return found[0]


class BrokenSession(RuntimeError):
    pass


class SessionStore(db.SessionStore):
    """A session backend that is down: `SESSION_ENGINE = "tests.canary.site"`."""

    def load(self) -> Any:
        raise BrokenSession("the session backend is down")


class AfterView(RuntimeError):
    pass


def failing_middleware(get_response: Any) -> Any:
    """Return a middleware of a site's that fails after the view."""

    def call(request: HttpRequest) -> HttpResponse:
        get_response(request)
        raise AfterView("a middleware of the site")

    return call


class BrokenMessages:
    """A message storage that is down: `MESSAGE_STORAGE = "tests.canary.site.BrokenMessages"`."""

    def __init__(self, request: HttpRequest) -> None:
        pass

    def add(self, *args: object, **kwargs: object) -> None:
        raise RuntimeError("the message storage is down")

    def update(self, response: HttpResponse) -> list[Any]:
        return []


@contextmanager
def _open_connection() -> Iterator[None]:
    """Keep the handler from closing the test's database connection, as Django's own test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


class Site:
    """A browser at the site. Each request goes through a new WSGI handler, which reads the settings anew.

    Attributes:
        environ: the last request's, as the server has it afterwards.
        events: what sentry-sdk sent.
        shown: what every report, answer and log record of the requests showed, by kind of place.
    """

    def __init__(self, user: Any) -> None:
        self._client = DjangoClient()
        self._client.force_login(user)
        self.shown: dict[str, list[str]] = {"error mail": [], "answer": [], "sentry": []}
        self.events: list[dict[str, Any]] = []
        self.environ: dict[str, Any] = {}

    def request(
        self, method: str, path: str, fields: dict[str, str], *, content_type: str | None = None, cookies: bool = True
    ) -> TestResponse:
        """Send a request, with its reports on. The CSRF token is added."""
        jar = {name: morsel.value for name, morsel in self._client.cookies.items() if cookies}
        jar[settings.CSRF_COOKIE_NAME] = token = "a" * 32
        data = {**fields, "csrfmiddlewaretoken": token} if method == "POST" else None
        query = urlencode(fields) if method == "GET" else ""
        url = path + ("?" if query else "") + query
        urls = {"RAW_URI": url, "REQUEST_URI": url, "HTTP_X_ORIGINAL_URL": url, "HTTP_REFERER": url}
        browser = Client(self._server(WSGIHandler()), use_cookies=False)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items()), "Host": "testserver"}
        with _open_connection(), reports.sentry() as kept, reports.error_mails() as mails:
            response = browser.open(
                path,
                method=method,
                query_string=query,
                data=data,
                content_type=content_type,
                headers=headers,
                environ_overrides=urls,
            )
            self.shown["error mail"] += reports.texts_of(mails)
            mails.clear()
        self.shown["answer"] += [response.get_data(as_text=True), str(response.headers)]
        self.events += kept.events()
        self.shown["sentry"] = [json.dumps(self.events, ensure_ascii=False)]
        return response

    def _server(self, handler: WSGIHandler) -> Any:
        def call(environ: dict[str, Any], start_response: Any) -> Any:
            self.environ = environ
            return handler(environ, start_response)

        return call


class Held:
    """A text that a leaking view or middleware of the test's shows."""

    text = ""


def leaking_middleware(get_response: Any) -> Any:
    """Return a middleware that fails with a secret in a local variable, and logs another before."""

    def call(request: HttpRequest) -> HttpResponse:
        leaked = Held.text  # noqa: F841
        raise AfterView("a leak on purpose")

    return call


def logging_middleware(get_response: Any) -> Any:
    """Return a middleware that logs a secret, and then fails."""

    def call(request: HttpRequest) -> HttpResponse:
        logging.getLogger("some.library").debug("It is %s", Held.text)
        raise AfterView("a leak on purpose")

    return call


def showing_middleware(get_response: Any) -> Any:
    """Return a middleware that shows a secret in a header."""

    def call(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["X-Debug"] = Held.text
        return response

    return call
