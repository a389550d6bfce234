"""Classifying answers of the REST API and of the token endpoint as errors, and what the errors contain."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import requests

from django_mailup.exceptions import (
    APIError,
    BadRequest,
    ClientRejected,
    Forbidden,
    LoginRefused,
    MailUpError,
    MailUpUnavailable,
    NotFound,
    RateLimited,
    ReauthorizationRequired,
    TermsNotAccepted,
    Unauthorized,
    UnexpectedResponse,
)
from django_mailup.mailup import AccessToken, Endpoints, MailUpClient, OAuthClient, RefreshToken, Transport, classify
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

from .raw_server import LONG, Server, Static, answer, serving
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
        ({"kind": "body", "status": 400, "body": '{"ErrorDescription":"Too many requests. Max:5"}'}, BadRequest),
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


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        *[("0", 1.0), ("7", 7.0), ("3600", 3600.0), ("86400", 3600.0)],
        *[("1.5", 1.0), ("-5", 1.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 1.0), ("", 1.0)],
    ],
)
def test_what_mailup_asks_to_wait_is_between_a_second_and_an_hour(header: str, seconds: float) -> None:
    """A mistake of MailUp's, or a date in place of seconds, must not stop a connection for days."""
    response = requests.Response()
    response.status_code, response._content = 429, b""
    response.headers["Retry-After"] = header

    for error in (classify.api_error(response, secrets=[]), of_token_answer(response)):
        assert isinstance(error, RateLimited)
        assert error.retry_after == seconds


def of_token_answer(response: requests.Response) -> MailUpError:
    with pytest.raises(MailUpError) as caught:
        classify.parse_token_answer(response, PASSWORD)
    return caught.value


SPELLINGS = {"documented": str, "other_case": lambda name: name[:1].lower() + name[1:], "upper": str.upper}


@pytest.fixture(params=SPELLINGS.values(), ids=SPELLINGS.keys())
def spelled(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Return the body of MailUp's error for a sentence, with its names in another letter case."""

    def body(sentence: str) -> str:
        fields = {"ErrorCode": "E7", "ErrorDescription": sentence, "ErrorName": "x", "ErrorStack": None}
        return json.dumps({request.param(name): value for name, value in fields.items()})

    return body


@pytest.mark.parametrize(
    ("status", "sentence", "expected"),
    [
        (403, "Authorization error: Contract not signed", TermsNotAccepted),
        (403, "Authorization error: Too many requests. Max:5", RateLimited),
        (403, "Not yours", Forbidden),
        (400, "Authorization error: Invalid access token", BadRequest),
    ],
)
def test_errors_of_the_api_are_read_in_any_letter_case(
    client: MailUpClient,
    source: Any,
    sandbox: Sandbox,
    spelled: Callable[[str], str],
    status: int,
    sentence: str,
    expected: type[MailUpError],
) -> None:
    sandbox.fail_with("body", status=status, body=spelled(sentence), times=2)
    with pytest.raises(expected) as caught:
        client.account.info()

    assert type(caught.value) is expected
    if isinstance(caught.value, APIError):
        assert (caught.value.error_code, caught.value.description) == ("E7", sentence)
    assert source.renewals == (1 if status == 400 else 0)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Authorization error: Client credentials are invalid", ClientRejected),
        ("Authorization error: Invalid refresh token", ReauthorizationRequired),
        ("Accept terms of service", TermsNotAccepted),
    ],
)
def test_so_are_those_of_the_token_endpoint(
    oauth: OAuthClient,
    sandbox: Sandbox,
    spelled: Callable[[str], str],
    sentence: str,
    expected: type[MailUpError],
) -> None:
    sandbox.fail_with("body", status=400, body=spelled(sentence), path=TOKEN)

    assert type(with_error(oauth, RefreshToken("whatever"))) is expected


def test_but_an_error_of_oauth_has_the_exact_name(oauth: OAuthClient, sandbox: Sandbox) -> None:
    """No other name ends a connection (RFC 6749 section 5.2)."""
    sandbox.fail_with("body", status=400, body='{"Error": "invalid_grant"}', path=TOKEN)

    assert type(with_error(oauth, RefreshToken("whatever"))) is UnexpectedResponse


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
        ({"kind": "body", "status": 400, "body": '{"access_token": "A", "refresh_token": "R"}'}, UnexpectedResponse),
        ({"kind": "body", "status": 200, "body": "access_token=A&" + "x=1&" * 100}, UnexpectedResponse),
        ({"kind": "body", "status": 404, "body": '{"error": "invalid_grant"}'}, UnexpectedResponse),
        ({"kind": "body", "status": 409, "body": '{"error": "invalid_client"}'}, UnexpectedResponse),
        ({"kind": "body", "status": 400, "body": '{"error": "unauthorized_client"}'}, ClientRejected),
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


SECRETS = {
    "Set-Cookie": "session=planted",
    "Location": "https://site.example/?code=planted",
    "Content-Location": "/?access_token=planted",
    "WWW-Authenticate": 'Bearer realm="planted"',
    "Authorization": "Bearer planted",
    "Proxy-Authenticate": "planted",
    "Proxy-Connection": "planted",
    "X-Auth-Token": "planted",
    "Link": "<https://site.example/?token=planted>",
    "Refresh": "0; url=/?token=planted",
}


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 408, 409, 429, 500, 503])
def test_an_error_carries_status_and_headers_without_secrets(status: int) -> None:
    """Errors of the API and of the token endpoint alike, for any answer."""
    server = Server(answer(status, b"<html>", b"X-Trace: 7", *[f"{k}: {v}".encode() for k, v in SECRETS.items()]))
    try:
        api = MailUpClient(
            Static(), endpoints=Endpoints(server.url), transport=Transport(timeout=(LONG, LONG)), patience=0
        )
        with pytest.raises(MailUpError) as of_api:
            api.request("POST", "/Console/Email/Send")
        response = requests.get(server.url, allow_redirects=False, timeout=LONG)
    finally:
        server.close()
    with pytest.raises(MailUpError) as of_token:
        classify.parse_token_answer(response, PASSWORD)
    for error in (of_api.value, of_token.value):
        assert error.status == status
        assert error.headers["x-trace"] == "7"
        shown = f"{error!r} {error} {vars(error)} {pickle.loads(pickle.dumps(error)).headers}"  # noqa: S301
        assert "planted" not in shown


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"error": "invalid_client"}', ClientRejected),
        ('{"error": "invalid_grant"}', LoginRefused),
        ('{"ErrorDescription": "accept terms of service"}', TermsNotAccepted),
    ],
)
def test_refusals_of_the_token_endpoint_carry_them_too(
    oauth: OAuthClient, sandbox: Sandbox, body: str, expected: type[MailUpError]
) -> None:
    sandbox.fail_with("body", status=400, body=body, path=TOKEN)
    error = with_error(oauth, PASSWORD)

    assert type(error) is expected
    assert (error.status, error.headers["content-type"]) == (400, "application/json")


def test_an_error_without_an_answer_has_no_status_and_no_headers(client: MailUpClient, sandbox: Sandbox) -> None:
    sandbox.fail_with("drop")
    with pytest.raises(MailUpUnavailable) as caught:
        client.request("POST", "/Console/Email/Send")

    assert (caught.value.status, dict(caught.value.headers)) == (0, {})
    assert caught.value.may_have_arrived  # an adapter that replaces the network doesn't say


def test_nor_does_an_adapter_say_whether_a_grant_was_sent(oauth: OAuthClient, sandbox: Sandbox) -> None:
    sandbox.fail_with("drop")
    error = with_error(oauth, RefreshToken("whatever"))

    assert isinstance(error, MailUpUnavailable)
    assert (error.may_have_arrived, error.grant_may_be_spent) == (True, True)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('"è"'.encode(), "application/json"),
        ('"è"'.encode("latin-1"), "application/json; charset=iso-8859-1"),
        ('"è"'.encode("utf-16"), ""),
        ('"è"'.encode(), "application/json; charset=nothing"),
    ],
    ids=["utf-8", "latin-1", "utf-16", "unknown"],
)
def test_a_body_is_read_in_the_encoding_that_it_names_or_shows(body: bytes, content_type: str) -> None:
    with serving(answer(200, body, f"Content-Type: {content_type}".encode())) as (_, client):
        assert client.request("GET", "/Console/List") == "è"


def test_mailups_words_hold_neither_the_token_nor_control_characters(
    client: MailUpClient, source: Any, sandbox: Sandbox
) -> None:
    token = source.get().value
    said = f"Bad\x1b[2J token\n{token.upper()}\0 ({token[:-3]}): {'x' * 10_000}{token}"
    body = json.dumps({"ErrorCode": token, "ErrorDescription": said})
    sandbox.fail_with("body", status=400, body=body)
    with pytest.raises(BadRequest) as caught:
        client.request("POST", "/Console/Email/Send")

    error = caught.value
    assert error.description.startswith("Bad[2J token … (…): xxx")
    assert len(error.description) == classify.DESCRIPTION_LIMIT
    assert error.description in str(error)
    assert error.error_code == "…"
    assert token[:8].lower() not in f"{error!r} {error} {vars(error)}".lower()


def test_mailups_words_do_not_hold_the_token_that_it_refused_before(
    client: MailUpClient, source: Any, sandbox: Sandbox
) -> None:
    refused = source.get().value
    sandbox.fail_with("body", status=401, body=json.dumps({"ErrorDescription": f"Bad token {refused}"}), times=2)
    with pytest.raises(Unauthorized, match=r"Bad token …$"):
        client.request("POST", "/Console/Email/Send")
    assert source.get().value != refused


def test_a_token_endpoint_that_sends_the_secret_back_is_not_quoted(oauth: OAuthClient, sandbox: Sandbox) -> None:
    sandbox.fail_with("body", status=400, body='{"error": "a_refresh_token_of_letters"}', path=TOKEN)

    assert "letters" not in str(with_error(oauth, RefreshToken("a_refresh_token_of_letters")))


@pytest.mark.parametrize("token", ["A\r\nX-Evil: 1", "Aè", "A\u20ac", "A\0"])
def test_a_token_that_no_header_can_carry_is_not_sent(adapter: SandboxAdapter, token: str) -> None:
    with pytest.raises(UnexpectedResponse) as caught:
        Transport(timeout=(1, 1), adapter=adapter).send("GET", "https://mailup.example/", AccessToken(token))

    assert adapter.requests == []
    assert token not in f"{caught.value!r} {caught.value}"
