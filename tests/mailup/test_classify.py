"""What answers mean: those of the REST API and those of the token endpoint, and what errors say of them."""

from __future__ import annotations

from typing import Any

import pytest

from django_mailup.exceptions import (
    APIError,
    ClientRejected,
    Forbidden,
    MailUpError,
    MailUpUnavailable,
    NotFound,
    RateLimited,
    ReauthorizationRequired,
    TermsNotAccepted,
    UnexpectedResponse,
)
from django_mailup.mailup import MailUpClient, OAuthClient, RefreshToken
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

from .token_calls import PASSWORD, TOKEN, with_error


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "status", "status": 403}, Forbidden),
        ({"kind": "status", "status": 404}, NotFound),
        ({"kind": "status", "status": 409}, APIError),
        ({"kind": "status", "status": 429}, RateLimited),
        ({"kind": "status", "status": 500}, MailUpUnavailable),
        ({"kind": "html", "status": 503}, MailUpUnavailable),
        ({"kind": "html", "status": 200}, UnexpectedResponse),
        ({"kind": "garbage"}, UnexpectedResponse),
        ({"kind": "drop"}, MailUpUnavailable),
        ({"kind": "redirect", "status": 302, "location": "https://elsewhere.example/"}, UnexpectedResponse),
        ({"kind": "body", "status": 403, "body": '{"ErrorDescription":"Too many requests. Max:5"}'}, RateLimited),
        ({"kind": "body", "status": 404, "body": ""}, NotFound),
    ],
    ids=str,
)
def test_what_a_rest_answer_means(
    client: MailUpClient, sandbox: Sandbox, fault: Any, expected: type[Exception]
) -> None:
    sandbox.fail_with(**fault)

    with pytest.raises(expected) as caught:
        client.account.info()
    assert type(caught.value) is expected


def test_unaccepted_terms(client: MailUpClient, sandbox: Sandbox) -> None:
    sandbox.state.users["m12345"].accepted_terms = False

    with pytest.raises(TermsNotAccepted):
        client.account.info()


@pytest.mark.parametrize(("header", "seconds"), [(True, 1.0), (False, 1.0)])
def test_the_limit_of_calls_is_told(client: MailUpClient, sandbox: Sandbox, header: bool, seconds: float) -> None:
    sandbox.configure(rate_limit=5, retry_after=header)
    for _ in range(5):
        client.account.info()

    with pytest.raises(RateLimited) as caught:
        client.account.info()
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("shape", ["oauth", "mailup"])
def test_a_wrong_secret_is_the_clients_fault(sandbox: Sandbox, adapter: SandboxAdapter, shape: str) -> None:
    sandbox.configure(error_shape=shape)
    client = OAuthClient(sandbox.client_id, "wrong", adapter=adapter)

    assert type(with_error(client, RefreshToken("whatever"))) is ClientRejected


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "status", "status": 500}, MailUpUnavailable),
        ({"kind": "status", "status": 503}, MailUpUnavailable),
        ({"kind": "status", "status": 408}, MailUpUnavailable),
        ({"kind": "status", "status": 429}, RateLimited),
        ({"kind": "status", "status": 404}, UnexpectedResponse),
        ({"kind": "status", "status": 401}, UnexpectedResponse),
        ({"kind": "html", "status": 500}, MailUpUnavailable),
        ({"kind": "html", "status": 200}, UnexpectedResponse),
        ({"kind": "html", "status": 400}, UnexpectedResponse),
        ({"kind": "empty", "status": 200}, UnexpectedResponse),
        ({"kind": "empty", "status": 401}, UnexpectedResponse),
        ({"kind": "garbage"}, UnexpectedResponse),
        ({"kind": "drop"}, MailUpUnavailable),
        ({"kind": "body", "status": 200, "body": "null"}, UnexpectedResponse),
        ({"kind": "body", "status": 200, "body": "[1]"}, UnexpectedResponse),
        ({"kind": "body", "status": 200, "body": '"A"'}, UnexpectedResponse),
        ({"kind": "body", "status": 200, "body": '{"access_token": ""}'}, UnexpectedResponse),
        ({"kind": "body", "status": 200, "body": '{"access_token": 5}'}, UnexpectedResponse),
        ({"kind": "body", "status": 500, "body": '{"access_token": "A", "refresh_token": "R"}'}, MailUpUnavailable),
        ({"kind": "body", "status": 400, "body": '{"error": "invalid_request"}'}, UnexpectedResponse),
        ({"kind": "body", "status": 400, "body": '{"error": ["invalid_grant"]}'}, UnexpectedResponse),
        ({"kind": "body", "status": 200, "body": '{"error": "invalid_grant"}'}, ReauthorizationRequired),
        ({"kind": "body", "status": 400, "body": "error=invalid_grant&x=1"}, ReauthorizationRequired),
        ({"kind": "body", "status": 403, "body": '{"ErrorDescription": "accept terms of service"}'}, TermsNotAccepted),
    ],
    ids=lambda value: str(value)[:70],
)  # fmt: skip
def test_what_a_token_answer_means(
    oauth: OAuthClient, sandbox: Sandbox, fault: Any, expected: type[MailUpError]
) -> None:
    sandbox.fail_with(**{"path": TOKEN, **fault})

    assert type(with_error(oauth, RefreshToken("secret-token"))) is expected


def test_an_answer_may_be_form_encoded(oauth: OAuthClient, sandbox: Sandbox) -> None:
    sandbox.fail_with(
        "body", status=200, body="access_token=A1&refresh_token=R1&expires_in=60", content_type="text/plain"
    )
    pair = oauth.exchange(PASSWORD)

    assert (pair.access_token, pair.refresh_token) == ("A1", "R1")
