"""Redirects never lead away from the site: `next` in form and link, the callback, and the pages that lead on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client, RequestFactory

from django_mailup.testing import use_sandbox
from django_mailup.views import safe_next

from .people import World, leads_to
from .redirects import LEAVES_THE_SITE, LOOKS_LIKE_LEAVING, STAYS_ON_THE_SITE, destination

pytestmark = pytest.mark.slow

CONNECTIONS = "/mailup/"
FOR_THE_FORM = [url for url in LEAVES_THE_SITE if "\0" not in url]
"""The form refuses NUL before anything looks at the URL."""


def numbered(urls: tuple[str, ...]) -> Any:
    """Parametrize a test by URLs, with ids that every terminal can show."""
    return pytest.mark.parametrize("url", urls, ids=[f"{n}-{ascii(url)[1:30]}" for n, url in enumerate(urls)])


@pytest.fixture
def world(db: None) -> Iterator[World]:
    with use_sandbox() as sandbox:
        made = World(sandbox)
        made.populate()
        yield made


@numbered(LEAVES_THE_SITE)
def test_the_table_is_right_about_what_leaves(url: str) -> None:
    assert destination(url, "http") or destination(url, "https")


@numbered(LOOKS_LIKE_LEAVING + STAYS_ON_THE_SITE)
def test_the_table_is_right_about_what_stays(url: str) -> None:
    assert not destination(url, "http")


@pytest.mark.parametrize("scheme", ["http", "https"])
@numbered(LEAVES_THE_SITE + LOOKS_LIKE_LEAVING)
def test_what_leaves_is_not_taken_for_next(url: str, scheme: str) -> None:
    request = RequestFactory().get("/mailup/connect/", secure=scheme == "https")

    assert destination(safe_next(request, url), scheme) == ""


def test_next_is_followed_only_on_the_site(world: World) -> None:
    ada = next(each for each in world.browsers if each.name == "ada")
    for url in FOR_THE_FORM:
        landed = world.come_back(world.press(ada, next=url))
        assert landed == CONNECTIONS or (not destination(landed) and not destination(landed, "https")), ascii(url)
    for url in ("/there/", "/there/?next=//evil.example", "/@evil.example"):
        assert world.come_back(world.press(ada, next=url)) == url


def test_a_link_to_the_connect_page_cannot_smuggle_one_in(world: World) -> None:
    ada = world.client(next(each for each in world.browsers if each.name == "ada"))
    for url in LEAVES_THE_SITE:
        page = ada.get("/mailup/connect/", {"next": url})
        assert "Location" not in page
        assert 'http-equiv="refresh"' not in page.content.decode()


@pytest.mark.parametrize("name", ["code", "state", "error", "next"])
def test_the_callback_leads_to_our_own_pages_alone(world: World, name: str) -> None:
    ada = next(each for each in world.browsers if each.name == "ada")
    for browser in (world.client(ada), Client()):
        for url in LEAVES_THE_SITE:
            query = urlencode({"code": "x", "state": "x", name: url})
            assert leads_to(browser.get(f"/mailup/callback/?{query}")).startswith("/mailup/failed/")


def test_a_state_in_the_path_cannot_be_a_host(world: World) -> None:
    ada = world.client(next(each for each in world.browsers if each.name == "ada"))
    for path in (
        "//evil.example",
        "%2f%2fevil.example",
        "%5cevil.example",
        "https:evil.example",
        "@evil.example",
        "..%2f",
    ):
        response = ada.get(f"/mailup/callback/{path}/", {"code": "x"})
        assert response.status_code == 404 or not destination(leads_to(response))


def test_the_page_that_leads_on_leads_to_the_callback_itself(world: World, settings: Any) -> None:
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    for url in LEAVES_THE_SITE:
        target = leads_to(Client().get("/mailup/callback/x/", {"code": url, "next": url}))
        assert target.startswith("/mailup/callback/x/?")
        assert not destination(target)


def test_mailups_page_is_the_only_one_outside(world: World) -> None:
    ada = world.client(next(each for each in world.browsers if each.name == "ada"))
    for url in FOR_THE_FORM:
        target = leads_to(ada.post("/mailup/connect/", {"next": url, "registration": "default"}))
        assert target.startswith("https://services.mailup.com/Authorization/OAuth/LogOn?")
    for refused in ({"registration": "//evil.example"}, {"next": "\x00//evil.example"}):
        assert leads_to(ada.post("/mailup/connect/", refused)) == "/mailup/failed/error/"
