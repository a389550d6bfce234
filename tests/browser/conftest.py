"""Fixtures of the tests in Chromium: a hardened site on a socket, the sandbox on another, and people with browsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from .. import servers
from .person import Chromium, Person, chromium, missing

HERE = "tests.browser.hardened_site"


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    """Chromium, started once. If there is none, skip the test, or fail it if it must run."""
    reason = missing()
    if reason:
        (pytest.fail if servers.REQUIRED else pytest.skip)(reason)
    with chromium() as started:
        yield started


@pytest.fixture
def site(browser: Chromium, transactional_db: None, settings: Any, mailup_server: str) -> Iterator[str]:
    """The base URL of the tests' site, with the strict policy on every response. It serves static files."""
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.contrib.staticfiles"]
    settings.STATIC_URL = "/static/"
    settings.MIDDLEWARE = [f"{HERE}.strict_policy", *settings.MIDDLEWARE]
    settings.ROOT_URLCONF = HERE
    server = LiveServer("localhost")
    yield server.url
    server.stop()


@pytest.fixture(params=[True, False], ids=["javascript", "no javascript"])
def javascript(request: pytest.FixtureRequest) -> bool:
    """Whether the browser runs JavaScript: once on, once off."""
    return bool(request.param)


@pytest.fixture
def person(browser: Chromium, site: str, javascript: bool) -> Iterator[Callable[[Any], Person]]:
    """A function that returns a person's browser, in which a user is logged in to the site."""
    with ExitStack() as stack:

        def log_in(user: Any) -> Person:
            client = Client()
            client.force_login(user)
            cookie = client.cookies[django_settings.SESSION_COOKIE_NAME]
            opened = stack.enter_context(browser.person(site, javascript=javascript))
            opened.store_cookie(cookie.key, cookie.value, same_site=django_settings.SESSION_COOKIE_SAMESITE)
            return opened

        yield log_in
