"""The pages: connecting through MailUp's page, answers to bad input, and no URL that keeps a code or a state."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.handlers.base import BaseHandler
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import resolve, reverse
from django.utils import timezone

from django_mailup.failures import FAILURES
from django_mailup.models import AuthorizationRequest, ClientRegistration, Token
from django_mailup.sandbox import Sandbox
from django_mailup.signals import account_disconnected
from django_mailup.views import non_atomic, session_secret

from .journey import consent, led_to
from .threads import in_threads

pytestmark = pytest.mark.django_db
CONNECTIONS = "/mailup/"
AUTHORIZE = "/mailup/connect/"


@pytest.fixture
def browser(client: Client, user: Any, mailup_registration: ClientRegistration) -> Client:
    client.force_login(user)
    return client


def press(browser: Client, **fields: Any) -> str:
    """Press Connect, and return MailUp's URL."""
    return led_to(browser.post(AUTHORIZE, fields))


def come_back(browser: Client, sandbox: Sandbox, url: str, username: str = "m12345", **answer: str) -> Any:
    """Log in at the sandbox and follow its redirect, changed by `answer`, to our callback. Return the response."""
    found = {**consent(sandbox, url, username), **answer}
    path = found.pop("path")
    return browser.get(path, found)


def ends_at(browser: Client, response: Any, reason: str) -> None:
    """Check that the callback redirected to the page of a reason, which has its status and offers to start again."""
    assert response.status_code == 302
    assert response["Location"] == f"/mailup/failed/{reason}/"
    page = browser.get(response["Location"])
    assert page.status_code == FAILURES[reason].status
    assert CONNECTIONS in page.content.decode()
    assert Token.objects.count() == 0


def test_a_user_connects_and_lands_where_they_wanted(browser: Client, mailup_sandbox: Sandbox, user: Any) -> None:
    response = come_back(browser, mailup_sandbox, press(browser, next="/admin/somewhere/"))

    assert response.status_code == 302
    assert response["Location"] == "/admin/somewhere/"
    assert Token.objects.get().user == user


def test_the_connections_page_shows_each_connection(
    browser: Client, mailup_connection: Callable[..., Token], user: Any, other_user: Any
) -> None:
    assert "Connect MailUp" in browser.get(CONNECTIONS).content.decode()
    mailup_connection(user)
    mailup_connection(other_user, username="m67890")
    Token.objects.filter(user=user).update(refreshed_at=timezone.now())
    page = browser.get(CONNECTIONS).content.decode()

    for text in (
        "m12345",
        "Fornaio Rossi",
        "Connected",
        "Last renewed on",
        "Reconnect",
        "Disconnect",
        "Connect another",
    ):
        assert text in page
    assert "m67890" not in page

    Token.objects.update(status=Token.Status.REAUTHORIZATION_REQUIRED)
    assert "Must be reconnected" in browser.get(CONNECTIONS).content.decode()


def test_an_unreadable_row_does_not_break_the_page(
    browser: Client, mailup_connection: Callable[..., Token], user: Any, settings: Any
) -> None:
    mailup_connection(user)
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": []}

    assert "m12345" in browser.get(CONNECTIONS).content.decode()


def test_a_site_without_registration_says_so(browser: Client) -> None:
    ClientRegistration.objects.update(enabled=False)

    assert "not set up" in browser.get(CONNECTIONS).content.decode()
    ends_at(browser, browser.post(AUTHORIZE), "registration_unavailable")
    ends_at(browser, browser.post(AUTHORIZE, {"registration": "unknown"}), "registration_unavailable")


@pytest.mark.parametrize("path", [CONNECTIONS, AUTHORIZE, "/mailup/disconnect/6f9619ff-8b86-4011-b42d-00c04fc964ff/"])
def test_pages_need_a_login(client: Client, path: str) -> None:
    assert client.get(path)["Location"].startswith("/admin/login/")


def test_starting_is_a_post_with_csrf_and_a_get_shows_a_button(user: Any, mailup_registration: Any) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    page = browser.get(AUTHORIZE, {"next": "/there/", "registration": "default"})
    assert 'name="next" value="/there/"' in page.content.decode()
    assert browser.post(AUTHORIZE).status_code == 403
    assert AuthorizationRequest.objects.count() == 0

    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert token is not None
    assert browser.post(AUTHORIZE, {"csrfmiddlewaretoken": token[1]}).status_code == 200
    assert AuthorizationRequest.objects.count() == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil",
        "\thttps://e.x",
    ],
)
def test_next_never_leaves_the_site(browser: Client, mailup_sandbox: Sandbox, url: str) -> None:
    response = come_back(browser, mailup_sandbox, press(browser, next=url))

    assert response["Location"] == reverse("django_mailup:connections")


@pytest.mark.parametrize(
    ("secure", "url", "followed"),
    [
        (True, "https://testserver/there/", True),
        (True, "http://testserver/there/", False),  # the session's cookie would be sent unencrypted
        (False, "http://testserver/there/", True),
        (False, "https://testserver/there/", True),
        (True, "https://testserver:444/there/", False),
    ],
)
def test_next_does_not_leave_https(
    browser: Client, mailup_sandbox: Sandbox, secure: bool, url: str, followed: bool
) -> None:
    answer = consent(mailup_sandbox, led_to(browser.post(AUTHORIZE, {"next": url}, secure=secure)))
    response = browser.get(answer.pop("path"), answer, secure=secure)

    assert response["Location"] == (url if followed else CONNECTIONS)


def is_sealed(response: Any) -> bool:
    """Return whether a response's URL goes nowhere: into no cache, no referrer and no frame."""
    wanted = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Frame-Options": "DENY"}
    return wanted.items() <= response.headers.items()


def test_every_answer_of_the_callback_is_sealed(browser: Client, mailup_sandbox: Sandbox, settings: Any) -> None:
    for response in (
        come_back(browser, mailup_sandbox, press(browser)),
        browser.get("/mailup/callback/forged/", {"code": "x"}),
        Client().get("/mailup/callback/forged/", {"code": "x"}),
    ):
        assert is_sealed(response)
        assert "code" not in response["Location"]
    assert is_sealed(browser.post("/mailup/callback/forged/?code=x"))

    settings.SESSION_COOKIE_SAMESITE = "Strict"
    assert is_sealed(Client().get("/mailup/callback/forged/", {"code": "x"}))


def test_the_page_that_leads_to_mailup_is_sealed(browser: Client) -> None:
    assert is_sealed(browser.post(AUTHORIZE))


def test_every_other_page_stays_out_of_caches_and_tells_its_url_to_no_other_site(
    browser: Client, mailup_connection: Callable[..., Token], user: Any
) -> None:
    token = mailup_connection(user)
    pages = [CONNECTIONS, AUTHORIZE, f"/mailup/disconnect/{token.key}/", "/mailup/failed/error/"]
    answers = [visitor.get(page) for page in pages for visitor in (browser, Client())]
    answers.append(browser.post(AUTHORIZE, {"reconnect": "x"}))
    answers.append(browser.post(f"/mailup/disconnect/{token.key}/"))

    for answer in answers:
        assert answer["Cache-Control"] == "no-store"
        assert answer["Referrer-Policy"] == "same-origin"


def test_messages_are_not_lost_on_the_page_that_leads_to_mailup(
    browser: Client, mailup_connection: Callable[..., Token], user: Any
) -> None:
    token = mailup_connection(user)
    browser.post(f"/mailup/disconnect/{token.key}/")
    press(browser)

    assert "m12345 is disconnected." in browser.get(CONNECTIONS).content.decode()


@pytest.mark.parametrize("method", ["head", "post", "put", "delete", "options"])
def test_the_callback_is_a_get(browser: Client, method: str) -> None:
    assert getattr(browser, method)("/mailup/callback/state/").status_code == 405


def test_a_forged_state(browser: Client) -> None:
    ends_at(browser, browser.get("/mailup/callback/forged/", {"code": "x"}), "state_mismatch")
    ends_at(browser, browser.get("/mailup/callback/", {"code": "x", "state": "forged"}), "state_mismatch")
    ends_at(browser, browser.get("/mailup/callback/", {"code": "x"}), "state_mismatch")


def test_a_state_in_the_query_must_agree(browser: Client, mailup_sandbox: Sandbox) -> None:
    url = press(browser)

    ends_at(browser, come_back(browser, mailup_sandbox, url, state="another"), "state_mismatch")


def test_the_same_callback_again(browser: Client, mailup_sandbox: Sandbox) -> None:
    answer = consent(mailup_sandbox, press(browser))
    path = answer.pop("path")
    browser.get(path, answer)
    again = browser.get(path, answer)

    assert again["Location"] == "/mailup/failed/state_mismatch/"
    assert Token.objects.count() == 1


def test_ten_tabs_at_once(browser: Client, mailup_sandbox: Sandbox) -> None:
    urls = [press(browser, next=f"/tab/{number}/") for number in range(10)]
    landed = [come_back(browser, mailup_sandbox, url)["Location"] for url in reversed(urls)]

    assert landed == [f"/tab/{number}/" for number in reversed(range(10))]
    assert Token.objects.get().generation == 10


def test_another_browser_of_the_same_user(browser: Client, mailup_sandbox: Sandbox, user: Any) -> None:
    url = press(browser)
    other = Client()
    other.force_login(user)

    ends_at(other, come_back(other, mailup_sandbox, url), "state_mismatch")


def test_a_session_lost_on_the_way(browser: Client, mailup_sandbox: Sandbox) -> None:
    url = press(browser)
    browser.logout()

    ends_at(browser, come_back(browser, mailup_sandbox, url), "login_lost")


@override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies")
def test_sessions_in_signed_cookies(user: Any, mailup_registration: Any, mailup_sandbox: Sandbox) -> None:
    browser = Client()
    browser.force_login(user)
    url, second = press(browser), press(browser)
    come_back(browser, mailup_sandbox, url)
    come_back(browser, mailup_sandbox, second)

    assert Token.objects.get().generation == 2


@override_settings(SESSION_COOKIE_SAMESITE="Strict")
def test_a_login_that_is_lost_although_the_cookie_came_is_told_at_once(client: Client) -> None:
    client.cookies[settings.SESSION_COOKIE_NAME] = "ended"

    assert client.get("/mailup/callback/", {"code": "c", "state": "s"})["Location"] == "/mailup/failed/login_lost/"


@override_settings(SESSION_COOKIE_SAMESITE="Strict")
def test_a_strict_session_cookie_comes_along_from_a_page_of_ours(browser: Client, mailup_sandbox: Sandbox) -> None:
    answer = consent(mailup_sandbox, press(browser))
    path = answer.pop("path")
    page = Client().get(path, answer)  # what a browser sends when it comes from MailUp's site: no cookie
    target = led_to(page)

    assert browser.get(target).status_code == 302
    assert Token.objects.count() == 1
    assert Client().get(target)["Location"] == "/mailup/failed/login_lost/"


@override_settings(
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ]
)
def test_login_required_middleware_lets_callback_and_errors_through(client: Client) -> None:
    assert client.get("/mailup/callback/x/")["Location"] == "/mailup/failed/login_lost/"
    assert client.get("/mailup/failed/login_lost/").status_code == 403


@override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))
def test_behind_a_tls_proxy_the_redirect_uri_is_https(browser: Client) -> None:
    response = browser.post(AUTHORIZE, headers={"x-forwarded-proto": "https", "host": "testserver"})
    uri = parse_qs(urlsplit(led_to(response)).query)["redirect_uri"][0]

    assert uri.startswith("https://testserver/mailup/callback/")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"code": "", "error": "access_denied"}, "authorization_denied"),
        ({"code": "", "error": "server_error"}, "authorization_failed"),
        ({"code": "", "error": "<b>"}, "authorization_failed"),
        ({"code": ""}, "authorization_failed"),
        ({"code": "refused"}, "code_refused"),
    ],
)
def test_what_mailup_may_answer_instead(browser: Client, mailup_sandbox: Sandbox, answer: Any, reason: str) -> None:
    ends_at(browser, come_back(browser, mailup_sandbox, press(browser), **answer), reason)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "status", "status": 503}, "unavailable"),
        ({"kind": "status", "status": 429}, "unavailable"),
        ({"kind": "html", "status": 200}, "unexpected_response"),
        ({"kind": "drop"}, "unavailable"),
        ({"kind": "body", "status": 400, "body": '{"error":"invalid_client"}'}, "client_rejected"),
        (
            {"kind": "body", "status": 403, "body": '{"ErrorDescription":"accept terms of service"}'},
            "terms_not_accepted",
        ),
    ],
)
def test_mailup_in_trouble(browser: Client, mailup_sandbox: Sandbox, fault: Any, reason: str) -> None:
    url = press(browser)
    mailup_sandbox.fail_with(path="/Token", **fault)

    ends_at(browser, come_back(browser, mailup_sandbox, url), reason)


def test_a_user_deleted_on_the_way(browser: Client, mailup_sandbox: Sandbox, user: Any) -> None:
    url = press(browser)
    user.delete()

    ends_at(browser, come_back(browser, mailup_sandbox, url), "login_lost")


def test_reconnecting_as_another_account_tells_which(
    browser: Client, mailup_sandbox: Sandbox, mailup_connection: Callable[..., Token], user: Any
) -> None:
    token = mailup_connection(user)
    response = come_back(browser, mailup_sandbox, press(browser, reconnect=token.key), "m67890")

    assert response["Location"] == "/mailup/failed/account_mismatch/"
    page = browser.get(response["Location"])
    assert page.status_code == 409
    assert "m67890" in page.content.decode()
    assert Token.objects.get().generation == 1


def test_only_ones_own_connection_can_be_reconnected_or_disconnected(
    browser: Client, mailup_connection: Callable[..., Token], other_user: Any
) -> None:
    foreign, site = mailup_connection(other_user), mailup_connection(None)

    for token in (foreign, site):
        assert browser.post(AUTHORIZE, {"reconnect": token.key}).status_code == 404
        assert browser.get(f"/mailup/disconnect/{token.key}/").status_code == 404
        assert browser.post(f"/mailup/disconnect/{token.key}/").status_code == 404
    assert Token.objects.count() == 2


def test_connecting_the_site_needs_its_permission(browser: Client, mailup_sandbox: Sandbox, admin_user: Any) -> None:
    assert browser.post(AUTHORIZE, {"for_site": "on"}).status_code == 404
    browser.force_login(admin_user)
    come_back(browser, mailup_sandbox, press(browser, for_site="on"))

    assert Token.objects.get().user is None


def test_garbage_in_the_form_is_refused(browser: Client) -> None:
    ends_at(browser, browser.post(AUTHORIZE, {"reconnect": "x"}), "error")
    assert browser.get(AUTHORIZE, {"reconnect": "x"}).status_code == 200


def test_disconnecting_asks_first(browser: Client, mailup_connection: Callable[..., Token], user: Any) -> None:
    token = mailup_connection(user)
    assert "m12345" in browser.get(f"/mailup/disconnect/{token.key}/").content.decode()
    assert Token.objects.count() == 1

    assert browser.post(f"/mailup/disconnect/{token.key}/")["Location"] == CONNECTIONS
    assert Token.objects.count() == 0
    assert browser.post(f"/mailup/disconnect/{token.key}/").status_code == 404


@pytest.mark.parametrize("reason", list(FAILURES))
def test_every_failure_has_a_page(client: Client, reason: str) -> None:
    page = client.get(f"/mailup/failed/{reason}/")

    assert page.status_code == FAILURES[reason].status
    assert 400 <= page.status_code <= 503


def test_an_unknown_failure_has_none(client: Client) -> None:
    assert client.get("/mailup/failed/whatever/").status_code == 404


def test_five_identical_callbacks_at_once(transactional_db: None, browser: Client, mailup_sandbox: Sandbox) -> None:
    answer = consent(mailup_sandbox, press(browser))
    path, cookies = answer.pop("path"), browser.cookies

    def call() -> str:
        tab = Client()
        tab.cookies = cookies
        return str(tab.get(path, answer)["Location"])

    landed = in_threads(5, call)
    assert sorted(landed) == [CONNECTIONS, *["/mailup/failed/state_mismatch/"] * 4]
    assert Token.objects.get().generation == 1


def test_who_listens_gets_the_request_that_disconnects(
    browser: Client, mailup_connection: Callable[..., Token], user: Any
) -> None:
    heard = []

    def listen(*, request: HttpRequest, **_: Any) -> None:
        heard.append(request.path)

    token = mailup_connection(user)
    url = reverse("django_mailup:disconnect", args=[token.key])
    account_disconnected.connect(listen)
    try:
        browser.post(url)
    finally:
        account_disconnected.disconnect(listen)
    assert heard == [url]


def test_a_session_that_has_no_key_yet_gets_one() -> None:
    """As for a user whom a web server has logged in. Otherwise all of them would have the same secret."""
    secrets = []
    for _ in range(2):
        request = RequestFactory().get("/")
        request.session = SessionStore()
        secrets.append(session_secret(request))
        assert secrets[-1] == request.session.session_key == session_secret(request)

    assert secrets[0] != secrets[1]


@pytest.mark.parametrize("url", [AUTHORIZE, "/mailup/callback/", "/mailup/callback/a-state/"])
def test_django_opens_no_transaction_for_them(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rollback would restore a state whose code is already spent."""
    monkeypatch.setitem(connections.settings, "default", {**connections.settings["default"], "ATOMIC_REQUESTS": True})
    view = resolve(url).func

    assert BaseHandler().make_view_atomic(view) is view


def test_nor_on_any_other_database(monkeypatch: pytest.MonkeyPatch) -> None:
    for alias in ("default", "second", "third"):
        monkeypatch.setitem(connections.settings, alias, {**connections.settings["default"], "ATOMIC_REQUESTS": True})

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    assert BaseHandler().make_view_atomic(view) is not view
    decorated = non_atomic(view)
    assert BaseHandler().make_view_atomic(decorated) is decorated


@pytest.mark.django_db(databases=["default"])
def test_atomic_requests_does_not_reach_our_views(
    transactional_db: None, browser: Client, mailup_sandbox: Sandbox, settings: Any
) -> None:
    settings.DATABASES["default"]["ATOMIC_REQUESTS"] = True
    connections["default"].settings_dict["ATOMIC_REQUESTS"] = True
    try:
        come_back(browser, mailup_sandbox, press(browser))
    finally:
        connections["default"].settings_dict["ATOMIC_REQUESTS"] = False
    assert Token.objects.count() == 1
