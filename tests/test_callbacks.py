"""Callbacks of a MailUp that sends `state` back, of one that doesn't, and of strangers: what a browser meets.

Each test drives the pages and the sandbox's login page, as a browser would.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client, override_settings

from django_mailup.failures import FAILURES
from django_mailup.models import AuthorizationRequest, ClientRegistration, Token
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter
from django_mailup.services import register

from .journey import consent, led_to

pytestmark = pytest.mark.django_db
AUTHORIZE = "/mailup/connect/"
CALLBACK = "/mailup/callback/"
EXACT = "http://testserver/mailup/callback/"


@pytest.fixture
def browser(client: Client, user: Any, mailup_registration: ClientRegistration) -> Client:
    client.force_login(user)
    return client


@pytest.fixture
def silent(mailup_sandbox: Sandbox) -> Sandbox:
    """A MailUp that doesn't send `state` back."""
    mailup_sandbox.configure(echo_state=False)
    return mailup_sandbox


@pytest.fixture
def exact(mailup_sandbox: Sandbox) -> Sandbox:
    """A MailUp that accepts the registered redirect URI alone."""
    mailup_sandbox.state.registered_redirect_uris[mailup_sandbox.client_id] = EXACT
    mailup_sandbox.configure(redirect_uri="registered")
    return mailup_sandbox


def press(browser: Client, **fields: Any) -> str:
    return led_to(browser.post(AUTHORIZE, fields))


def call_back(browser: Client, answer: dict[str, str]) -> Any:
    return browser.get(answer["path"], {name: value for name, value in answer.items() if name != "path"})


def redirect_uri(url: str) -> str:
    return parse_qs(urlsplit(url).query)["redirect_uri"][0]


def fails_with(browser: Client, response: Any, reason: str) -> str:
    """Check that a response leads to the page of a reason, and return the page's text."""
    assert response["Location"] == f"/mailup/failed/{reason}/"
    page = browser.get(response["Location"])
    assert page.status_code == FAILURES[reason].status
    return str(page.content.decode())


def test_a_silent_mailup_is_asked_again_with_the_state_in_the_path(browser: Client, silent: Sandbox) -> None:
    first = press(browser, next="/there/")
    assert redirect_uri(first) == EXACT
    second = led_to(call_back(browser, consent(silent, first)))
    assert silent.state.counters["exchanges"] == 0, "a code without a state is never exchanged"
    assert redirect_uri(second).startswith(EXACT)
    assert redirect_uri(second) != EXACT
    assert call_back(browser, consent(silent, second))["Location"] == "/there/"

    assert Token.objects.count() == 1
    assert ClientRegistration.objects.get().echoes_state is False
    assert call_back(browser, consent(silent, press(browser)))["Location"] == "/mailup/", "the path comes first now"
    assert silent.state.counters["exchanges"] == 2


def test_a_mailup_that_has_become_talkative_is_learned_anew(browser: Client, silent: Sandbox) -> None:
    ClientRegistration.objects.update(echoes_state=False)
    silent.configure(echo_state=True)
    call_back(browser, consent(silent, press(browser)))

    assert ClientRegistration.objects.get().echoes_state is True
    assert redirect_uri(press(browser)) == EXACT


@pytest.mark.parametrize("echo", [True, False])
def test_ten_tabs_all_connect(browser: Client, mailup_sandbox: Sandbox, echo: bool) -> None:
    mailup_sandbox.configure(echo_state=echo)
    urls = [press(browser, next=f"/tab/{number}/") for number in range(10)]
    landed = set()
    for url in urls:
        response = call_back(browser, consent(mailup_sandbox, url))
        if not echo:
            response = call_back(browser, consent(mailup_sandbox, led_to(response)))
        landed.add(response["Location"])

    assert landed == {f"/tab/{number}/" for number in range(10)}
    assert Token.objects.get().generation == 10


def test_a_reconnection_on_a_silent_mailup_still_means_its_account(
    browser: Client, silent: Sandbox, mailup_connection: Any, user: Any
) -> None:
    token = mailup_connection(user)
    second = led_to(call_back(browser, consent(silent, press(browser, reconnect=token.key), "m67890")))

    fails_with(browser, call_back(browser, consent(silent, second, "m67890")), "account_mismatch")
    assert Token.objects.get().generation == 1


def test_a_user_without_a_mailup_account_comes_back_and_nothing_starts_over(browser: Client, silent: Sandbox) -> None:
    url = press(browser)
    with requests.Session() as visitor:
        visitor.mount("https://", SandboxAdapter(silent))
        assert visitor.post(url, {**parse_qs(urlsplit(url).query), "username": "nobody"}).status_code == 401

    page = fails_with(browser, browser.get(CALLBACK), "authorization_failed")
    assert "MailUp reported an error" in page
    assert AuthorizationRequest.objects.filter(hopped=False).count() == 1
    assert AuthorizationRequest.objects.count() == 1


@pytest.mark.parametrize("echo", [True, False])
def test_a_user_who_cancels_is_told_so_and_may_still_allow_it(
    browser: Client, mailup_sandbox: Sandbox, echo: bool
) -> None:
    mailup_sandbox.configure(echo_state=echo)
    url = press(browser)
    denied = consent(mailup_sandbox, url, decision="deny")
    assert denied["error"] == "access_denied"

    page = fails_with(browser, call_back(browser, denied), "authorization_denied")
    assert "You did not allow the connection" in page
    assert AuthorizationRequest.objects.filter(hopped=False).count() == 1
    mailup_sandbox.configure(echo_state=True)
    assert call_back(browser, consent(mailup_sandbox, url))["Location"] == "/mailup/"


@pytest.mark.parametrize("error", ["server_error", "temporarily_unavailable", "invalid_scope", "<b>", "access_denied "])
def test_any_other_error_is_said_to_be_mailups(browser: Client, error: str, caplog: Any) -> None:
    press(browser)
    answer = {"path": CALLBACK, "error": error, "error_description": "hush-hush", "code": "c-o-d-e"}
    page = fails_with(browser, call_back(browser, answer), "authorization_failed")

    assert "MailUp reported an error" in page
    assert "hush-hush" not in page + caplog.text
    assert "c-o-d-e" not in page + caplog.text
    assert AuthorizationRequest.objects.filter(hopped=False).count() == 1


def test_a_get_from_another_site_exchanges_nothing_and_ends_nothing(
    browser: Client, mailup_sandbox: Sandbox, other_user: Any
) -> None:
    """The attacker has a code of their own account, and makes the user's browser open our callback with it."""
    url = press(browser, next="/mine/")
    theirs = Client()
    theirs.force_login(other_user)
    stolen = consent(mailup_sandbox, press(theirs), "m67890")
    fails_with(browser, call_back(browser, stolen), "state_mismatch")
    forged = {"path": CALLBACK, "code": stolen["code"]}
    again = led_to(call_back(browser, forged))

    assert again.startswith("https://services.mailup.com/"), "the user only gets to MailUp's page once more"
    fails_with(browser, call_back(browser, forged), "state_mismatch")
    assert mailup_sandbox.state.counters["exchanges"] == 0
    assert Token.objects.count() == 0
    assert ClientRegistration.objects.get().echoes_state is None
    assert call_back(browser, consent(mailup_sandbox, url))["Location"] == "/mine/"
    assert Token.objects.get().account_username == "m12345"


def test_a_get_from_another_site_does_nothing_without_a_pending_request(browser: Client) -> None:
    fails_with(browser, browser.get(CALLBACK, {"code": "theirs"}), "state_mismatch")
    assert Client().get(CALLBACK, {"code": "theirs"})["Location"] == "/mailup/failed/login_lost/"

    assert AuthorizationRequest.objects.count() == 0


def test_a_server_that_matches_exactly_after_a_forged_callback(browser: Client, exact: Sandbox) -> None:
    url = press(browser)
    again = led_to(browser.get(CALLBACK, {"code": "forged"}))
    with requests.Session() as visitor:
        visitor.mount("https://", SandboxAdapter(exact))
        assert visitor.get(again).status_code == 400, "the server refuses the path"

    assert ClientRegistration.objects.get().echoes_state is None
    assert call_back(browser, consent(exact, url))["Location"] == "/mailup/"
    assert ClientRegistration.objects.get().echoes_state is True
    assert call_back(browser, consent(exact, press(browser)))["Location"] == "/mailup/"
    assert Token.objects.get().generation == 2


def test_two_registrations_on_a_silent_mailup(browser: Client, silent: Sandbox) -> None:
    silent.state.clients["another"] = "hush"
    register(slug="second", name="Second", client_id="another", client_secret="hush")
    first, second = press(browser), press(browser, registration="second")
    fails_with(browser, call_back(browser, consent(silent, first)), "state_mismatch")
    assert silent.state.counters["exchanges"] == 0

    AuthorizationRequest.objects.filter(registration__slug="default").delete()
    again = led_to(call_back(browser, consent(silent, second)))
    call_back(browser, consent(silent, again))
    assert Token.objects.get().registration.slug == "second"
    known = dict(ClientRegistration.objects.values_list("slug", "echoes_state"))
    assert known == {"default": None, "second": False}


@override_settings(SESSION_COOKIE_SAMESITE="Strict")
def test_a_silent_mailup_and_a_strict_session_cookie(browser: Client, silent: Sandbox) -> None:
    answer = consent(silent, press(browser))
    assert Client().get(answer["path"], {"code": answer["code"]}).status_code == 200, "a page that loads it again"
    second = consent(silent, led_to(call_back(browser, {**answer, "reloaded": "1"})))

    assert call_back(browser, {**second, "reloaded": "1"})["Location"] == "/mailup/"


@pytest.mark.parametrize("settled", [True, None])
def test_the_query_alone_never_asks_again(browser: Client, silent: Sandbox, settings: Any, settled: Any) -> None:
    settings.MAILUP = {**settings.MAILUP, "STATE_IN": "query"}
    ClientRegistration.objects.update(echoes_state=settled)

    fails_with(browser, call_back(browser, consent(silent, press(browser))), "state_mismatch")


@pytest.mark.parametrize("name", ["code", "state", "error"])
def test_a_parameter_that_comes_twice_spends_nothing(browser: Client, mailup_sandbox: Sandbox, name: str) -> None:
    answer = {"error": "", **consent(mailup_sandbox, press(browser))}
    path = answer.pop("path")

    fails_with(browser, browser.get(path, {**answer, name: [answer[name]] * 2}), "state_mismatch")
    answer.pop("error")
    assert browser.get(path, answer)["Location"] == "/mailup/"


def test_the_site_is_connected_only_while_the_permission_lasts(
    browser: Client, mailup_sandbox: Sandbox, user: Any
) -> None:
    user.is_superuser = True
    user.save()
    url = press(browser, for_site="on")
    user.is_superuser = False
    user.save()

    fails_with(browser, call_back(browser, consent(mailup_sandbox, url)), "permission_missing")
    assert mailup_sandbox.state.counters["exchanges"] == 0


def test_a_lost_login_is_logged(browser: Client, mailup_sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    answer = consent(mailup_sandbox, press(browser))
    browser.logout()
    caplog.clear()
    call_back(browser, answer)

    (record,) = [record for record in caplog.records if record.name == "django_mailup"]
    assert record.__dict__["event"] == "mailup.callback_rejected"
    assert record.__dict__["mailup"] == {"error": "login_lost", "reason": "", "user": "", "registration": ""}
    assert answer["code"] not in caplog.text
    assert answer["state"] not in caplog.text


def test_asking_again_is_logged(browser: Client, silent: Sandbox, user: Any, caplog: Any) -> None:
    answer = consent(silent, press(browser))
    with caplog.at_level(logging.INFO, logger="django_mailup"):
        call_back(browser, answer)
        call_back(browser, answer)

    restarted, rejected = (record.__dict__ for record in caplog.records if record.name == "django_mailup")
    assert restarted["event"] == "mailup.authorization_restarted"
    assert restarted["mailup"] == {"user": str(user.pk), "registration": "default"}
    assert rejected["event"] == "mailup.callback_rejected"
    assert rejected["mailup"]["reason"] == "no_state"
    assert answer["code"] not in caplog.text
