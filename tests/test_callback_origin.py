"""CALLBACK_ORIGIN: where MailUp sends users back to, with one origin and with a domain for each tenant."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory

from django_mailup.callback_origin import is_at, origin_for
from django_mailup.exceptions import Misconfigured
from django_mailup.models import AuthorizationRequest, ClientRegistration, Token
from django_mailup.sandbox import Sandbox

from .journey import consent, led_to

AUTHORIZE = "/mailup/connect/"
RED, BLUE = "red.example", "blue.example"


def origin_of_tenant(request: HttpRequest) -> str:
    """What a site with tenants sets: each domain is its own origin, and an alias leads to its tenant's domain."""
    host = request.get_host()
    return f"https://{RED if host == 'old-red.example' else host}"


def no_origin(request: HttpRequest) -> str:
    return "https://red.example/path"


def plain_origin(request: HttpRequest) -> str:
    return "http://red.example"


@pytest.fixture(autouse=True)
def _hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [RED, BLUE, "old-red.example", "testserver"]


@pytest.fixture
def tenants(settings: Any) -> None:
    settings.MAILUP = {**settings.MAILUP, "CALLBACK_ORIGIN": f"{__name__}.origin_of_tenant"}


def browser_at(host: str, user: Any) -> Client:
    browser = Client(headers={"host": host})
    browser.force_login(user)
    return browser


def press(browser: Client, **fields: Any) -> str:
    return led_to(browser.post(AUTHORIZE, fields, secure=True))


def redirect_uri(url: str) -> str:
    return parse_qs(urlsplit(url).query)["redirect_uri"][0]


@pytest.mark.django_db
def test_two_tenants_each_come_back_to_their_own_domain(
    tenants: None, user: Any, mailup_registration: ClientRegistration, mailup_sandbox: Sandbox
) -> None:
    for host in (RED, BLUE):
        browser = browser_at(host, user)
        url = press(browser, next="/there/")
        assert redirect_uri(url) == f"https://{host}/mailup/callback/"
        answer = consent(mailup_sandbox, url)
        path = answer.pop("path")
        assert browser.get(path, answer, secure=True)["Location"] == "/there/"

    assert Token.objects.get().generation == 2


@pytest.mark.django_db
def test_an_answer_for_one_tenant_is_refused_at_the_other(
    tenants: None, user: Any, mailup_registration: ClientRegistration, mailup_sandbox: Sandbox
) -> None:
    answer = consent(mailup_sandbox, press(browser_at(RED, user)))
    path = answer.pop("path")
    blue = browser_at(BLUE, user)

    assert blue.get(path, answer, secure=True)["Location"] == "/mailup/failed/state_mismatch/"
    assert mailup_sandbox.state.counters["exchanges"] == 0


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["post", "get"])
def test_connect_on_another_host_leads_to_the_origin_first(
    tenants: None, user: Any, mailup_registration: ClientRegistration, method: str
) -> None:
    fields = {"registration": "default", "reconnect": "6f9619ff-8b86-4011-b42d-00c04fc964ff", "next": "/there/?a=b"}
    browser = browser_at("old-red.example", user)
    url = urlsplit(led_to(getattr(browser, method)(AUTHORIZE, fields, secure=True)))

    assert f"{url.scheme}://{url.netloc}{url.path}" == f"https://{RED}{AUTHORIZE}"
    assert {name: values[0] for name, values in parse_qs(url.query).items()} == fields
    assert AuthorizationRequest.objects.count() == 0

    page = browser_at(RED, user).get(url.path, parse_qs(url.query), secure=True)
    assert 'name="next" value="/there/?a=b"' in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("next_url", "kept"),
    [
        ("https://old-red.example/there/?a=b", "/there/?a=b"),
        ("https://evil.example/", ""),
        ("//evil.example/", ""),
        ("https://red.example/there/", ""),
    ],
)
def test_next_never_leads_to_a_third_host(
    tenants: None, user: Any, mailup_registration: ClientRegistration, next_url: str, kept: str
) -> None:
    url = urlsplit(press(browser_at("old-red.example", user), next=next_url))

    assert parse_qs(url.query).get("next", [""]) == [kept]


@pytest.mark.django_db
def test_a_path_that_looks_like_a_host_is_refused_after_the_way_to_the_origin(
    tenants: None, user: Any, mailup_registration: ClientRegistration, mailup_sandbox: Sandbox
) -> None:
    url = urlsplit(press(browser_at("old-red.example", user), next="https://old-red.example//evil.example/"))
    browser = browser_at(RED, user)
    answer = consent(mailup_sandbox, press(browser, **{name: v[0] for name, v in parse_qs(url.query).items()}))
    path = answer.pop("path")

    assert browser.get(path, answer, secure=True)["Location"] == "/mailup/"


@pytest.mark.django_db
def test_a_fixed_origin_holds_whatever_the_host_header_says(
    user: Any, mailup_registration: ClientRegistration, settings: Any
) -> None:
    settings.MAILUP = {**settings.MAILUP, "CALLBACK_ORIGIN": f"https://{RED}:8443"}
    settings.ALLOWED_HOSTS = ["*"]

    assert redirect_uri(press(browser_at(RED, user))) == f"https://{RED}:8443/mailup/callback/"
    assert press(browser_at("evil.example", user)) == f"https://{RED}:8443{AUTHORIZE}"


def test_a_proxy_that_hides_the_scheme_or_the_port_makes_no_circle() -> None:
    factory = RequestFactory()

    assert is_at(factory.get("/", headers={"host": RED}), f"https://{RED}")
    assert is_at(factory.get("/", headers={"host": f"{RED.upper()}:8000"}), f"https://{RED}:8443")
    assert not is_at(factory.get("/", headers={"host": BLUE}), f"https://{RED}")


def test_without_the_setting_the_request_decides() -> None:
    assert origin_for(RequestFactory().get("/", headers={"host": BLUE}, secure=True)) == f"https://{BLUE}"


@pytest.mark.parametrize(
    "setting",
    [
        "http://red.example",
        f"{__name__}.no_origin",
        f"{__name__}.plain_origin",
        f"{__name__}.nothing",
        "nowhere.origin_of",
    ],
)
def test_what_gives_no_https_origin_is_misconfigured(settings: Any, setting: str) -> None:
    settings.MAILUP = {**settings.MAILUP, "CALLBACK_ORIGIN": setting}

    with pytest.raises(Misconfigured):
        origin_for(RequestFactory().get("/"))


def test_plain_http_is_fine_in_development(settings: Any) -> None:
    settings.DEBUG = True
    settings.MAILUP = {**settings.MAILUP, "CALLBACK_ORIGIN": "http://red.example"}

    assert origin_for(RequestFactory().get("/")) == "http://red.example"


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_user_of_a_misconfigured_site_reads_so(client: Client, user: Any, settings: Any, method: str) -> None:
    settings.MAILUP = {**settings.MAILUP, "CALLBACK_ORIGIN": "nowhere.origin_of"}
    client.force_login(user)

    assert getattr(client, method)(AUTHORIZE)["Location"] == "/mailup/failed/misconfigured/"
