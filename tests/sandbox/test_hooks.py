"""The sandbox's hooks and clock, by which a test acts while a request is answered, and moves time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.db import connections

from django_mailup import services
from django_mailup.exceptions import NotConnected
from django_mailup.models import Token
from django_mailup.sandbox import APIError, OAuthError, Options, Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

MAILUP = "https://services.mailup.com"
CREDENTIALS = {"client_id": Sandbox.client_id, "client_secret": Sandbox.client_secret}


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(Options(rate_limit=0))


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", SandboxAdapter(sandbox))
        yield session


def request_token(http: requests.Session, **form: str) -> requests.Response:
    return http.post(f"{MAILUP}/Authorization/OAuth/Token", data={**CREDENTIALS, **form})


def log_in(http: requests.Session) -> dict[str, Any]:
    return request_token(http, grant_type="password", username="m12345", password="sandbox").json()


def renew(http: requests.Session, refresh_token: str) -> requests.Response:
    return request_token(http, grant_type="refresh_token", refresh_token=refresh_token)


def call(http: requests.Session, access_token: str) -> requests.Response:
    url = f"{MAILUP}/API/v1.1/Rest/ConsoleService.svc/Console/Authentication/Info"
    return http.get(url, headers={"Authorization": f"Bearer {access_token}"})


def test_before_a_refresh_the_old_pair_is_untouched(http: requests.Session, sandbox: Sandbox) -> None:
    pair = log_in(http)
    seen: list[tuple[str, int, int]] = []

    def look(refresh_token: str) -> None:
        status = call(http, pair["access_token"]).status_code
        seen.append((refresh_token, sandbox.state.counters["refreshes"], status))

    sandbox.configure(refresh_ends_access=True)
    sandbox.hooks.before_refresh = look

    assert renew(http, pair["refresh_token"]).status_code == 200
    assert seen == [(pair["refresh_token"], 0, 200)]


def test_after_a_refresh_the_new_pair_is_valid_and_not_yet_sent(http: requests.Session, sandbox: Sandbox) -> None:
    seen: list[tuple[str, int, int]] = []

    def look(pair: Any) -> None:
        status = call(http, pair.access_token).status_code
        seen.append((pair.access_token, sandbox.state.counters["refreshes"], status))

    sandbox.hooks.after_refresh = look
    answer = renew(http, log_in(http)["refresh_token"])

    assert seen == [(answer.json()["access_token"], 1, 200)]


def test_a_hook_can_refuse_a_renewal_whose_refresh_token_stays_unused(http: requests.Session, sandbox: Sandbox) -> None:
    refresh_token = log_in(http)["refresh_token"]
    renewed: list[object] = []

    def refuse(_: object) -> None:
        raise OAuthError("invalid_request", "not now")

    sandbox.hooks.before_refresh = refuse
    sandbox.hooks.after_refresh = renewed.append
    refused = renew(http, refresh_token)
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_request", "error_description": "not now"})
    assert renewed == []

    sandbox.hooks.before_refresh = None
    assert renew(http, refresh_token).status_code == 200
    assert len(renewed) == 1


def test_other_requests_are_answered_while_a_hook_holds_one_up(http: requests.Session, sandbox: Sandbox) -> None:
    pair = log_in(http)
    asked, go_on = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        asked.set()
        assert go_on.wait(60)

    sandbox.hooks.before_refresh = hold
    with ThreadPoolExecutor(1) as pool:
        renewal = pool.submit(renew, http, pair["refresh_token"])
        asked.wait()
        assert call(http, pair["access_token"]).status_code == 200
        assert not renewal.done()
        go_on.set()
        assert renewal.result().status_code == 200


def test_before_a_call_it_is_known_who_calls_and_nothing_has_happened(http: requests.Session, sandbox: Sandbox) -> None:
    access_token = log_in(http)["access_token"]
    seen: list[tuple[str, str, int]] = []

    def look(call: Any) -> None:
        seen.append((call.user.username, call.request.path[-20:], sandbox.state.counters["api_calls"]))

    sandbox.hooks.before_call = look

    assert call(http, access_token).status_code == 200
    assert call(http, "garbage").status_code == 400
    assert seen == [("m12345", "/Authentication/Info", 0)]


def test_a_hook_can_refuse_a_call(http: requests.Session, sandbox: Sandbox) -> None:
    access_token = log_in(http)["access_token"]

    def refuse(_: object) -> None:
        raise APIError(403, "not now")

    sandbox.hooks.before_call = refuse

    assert call(http, access_token).json()["ErrorDescription"] == "not now"
    assert sandbox.state.counters["api_calls"] == 0


def test_the_clock_decides_what_has_expired(http: requests.Session, sandbox: Sandbox) -> None:
    access_token = log_in(http)["access_token"]
    before = sandbox.clock

    sandbox.clock = lambda: before() + 3599
    assert call(http, access_token).status_code == 200
    sandbox.clock = lambda: before() + 3601
    assert call(http, access_token).status_code == 401


def test_the_example_of_the_readme(
    transactional_db: None, user: Any, mailup_connection: Callable[..., Token], mailup_sandbox: Sandbox
) -> None:
    token = mailup_connection(user)

    def disconnect_meanwhile(pair: object) -> None:
        services.disconnect(token)
        connections.close_all()

    mailup_sandbox.hooks.after_refresh = disconnect_meanwhile
    with pytest.raises(NotConnected):
        services.refresh(token)
    assert not Token.objects.exists()
