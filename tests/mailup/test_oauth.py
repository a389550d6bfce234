"""OAuthClient against the sandbox: grants, client authentication, refusals, outages, deadlines and redirects."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from django_mailup.exceptions import (
    ClientRejected,
    CodeRefused,
    LoginRefused,
    MailUpError,
    MailUpUnavailable,
    Misconfigured,
    RateLimited,
    ReauthorizationRequired,
    TermsNotAccepted,
    UnexpectedResponse,
)
from django_mailup.library_logs import silence_library_secrets
from django_mailup.mailup import AuthorizationCode, Endpoints, OAuthClient, Password, RefreshToken
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter
from django_mailup.sandbox.server import serving

PASSWORD = Password("m12345", "sandbox")
TOKEN = "/Authorization/OAuth/Token"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
def adapter(sandbox: Sandbox) -> SandboxAdapter:
    return SandboxAdapter(sandbox)


def make(sandbox: Sandbox, adapter: Any = None, **options: Any) -> OAuthClient:
    return OAuthClient(sandbox.client_id, sandbox.client_secret, adapter=adapter, **options)


@pytest.fixture
def client(sandbox: Sandbox, adapter: SandboxAdapter) -> OAuthClient:
    return make(sandbox, adapter)


@pytest.fixture
def on_socket(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    with serving(sandbox) as base_url:
        yield lambda **options: make(sandbox, endpoints=Endpoints(base_url), **options)


def test_the_authorization_url_holds_what_mailup_needs_and_no_secret(client: OAuthClient, sandbox: Sandbox) -> None:
    url = client.authorization_url(redirect_uri="https://site.example/cb/?a=b", state="s t")

    assert urlsplit(url)._replace(query="").geturl() == "https://services.mailup.com/Authorization/OAuth/LogOn"
    assert parse_qs(urlsplit(url).query) == {
        "response_type": ["code"],
        "client_id": [sandbox.client_id],
        "redirect_uri": ["https://site.example/cb/?a=b"],
        "state": ["s t"],
    }
    assert sandbox.client_secret not in url


def test_a_code_becomes_a_token_set(client: OAuthClient, sandbox: Sandbox) -> None:
    code = sandbox.state.issue_code(sandbox.state.users["m12345"], sandbox.client_id, "https://site.example/")

    pair = client.exchange(AuthorizationCode(code, "https://site.example/"))

    assert sandbox.state.find_access(pair.access_token).user.username == "m12345"


def test_a_password_with_odd_characters_arrives_as_it_is(client: OAuthClient, sandbox: Sandbox) -> None:
    sandbox.state.users["m12345"].password = "pä&ss=w+ö%rd /?#"

    assert client.exchange(Password("m12345", "pä&ss=w+ö%rd /?#")).access_token


def test_a_refresh_brings_a_new_pair(client: OAuthClient) -> None:
    first = client.exchange(PASSWORD)
    second = client.exchange(RefreshToken(first.refresh_token))

    assert second.access_token != first.access_token
    assert second.refresh_token != first.refresh_token


def test_the_old_refresh_token_stays_when_none_comes(client: OAuthClient, sandbox: Sandbox) -> None:
    sandbox.configure(rotate_refresh=False)
    first = client.exchange(PASSWORD)

    assert client.exchange(RefreshToken(first.refresh_token)).refresh_token == first.refresh_token


@pytest.mark.parametrize("grant", [Password("m12345", "no"), RefreshToken("R")], ids=["password", "refresh"])
def test_credentials_go_into_the_form_by_default(client: OAuthClient, adapter: SandboxAdapter, grant: Any) -> None:
    with_error(client, grant)
    sent = adapter.requests[-1]

    assert sent.method == "POST"
    assert "Authorization" not in sent.headers
    assert parse_qs(str(sent.body))["client_secret"] == [Sandbox.client_secret]
    assert parse_qs(str(sent.body))["client_id"] == [Sandbox.client_id]
    assert "?" not in sent.url


@pytest.mark.parametrize("grant", [Password("m12345", "no"), RefreshToken("R")], ids=["password", "refresh"])
def test_credentials_go_into_the_header_by_choice(sandbox: Sandbox, adapter: SandboxAdapter, grant: Any) -> None:
    with_error(make(sandbox, adapter, authentication="basic"), grant)
    sent = adapter.requests[-1]

    assert sent.headers["Authorization"].startswith("Basic ")
    assert "client_secret" not in parse_qs(str(sent.body))


@pytest.mark.parametrize("authentication", ["body", "basic"])
def test_a_strict_server_is_content(sandbox: Sandbox, adapter: SandboxAdapter, authentication: Any) -> None:
    sandbox.configure(client_authentication="strict", token_by_get=False)
    client = make(sandbox, adapter, authentication=authentication)

    assert client.exchange(RefreshToken(client.exchange(PASSWORD).refresh_token)).access_token


@pytest.mark.parametrize("expires_in", ["number", "text", "missing"])
@pytest.mark.parametrize("token_type", [True, False])
def test_every_documented_answer_is_read(
    client: OAuthClient, sandbox: Sandbox, expires_in: str, token_type: bool
) -> None:
    sandbox.configure(expires_in=expires_in, token_type=token_type)
    pair = client.exchange(PASSWORD)

    expected = 900 if expires_in == "missing" else 3600
    assert (pair.expires_at - pair.received_at).total_seconds() == expected


@pytest.mark.parametrize("shape", ["oauth", "mailup"])
@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        (AuthorizationCode("no", "https://site.example/"), CodeRefused),
        (Password("m12345", "no"), LoginRefused),
        (RefreshToken("no"), ReauthorizationRequired),
    ],
    ids=["code", "password", "refresh"],
)
def test_a_refused_grant_says_which(
    client: OAuthClient, sandbox: Sandbox, shape: str, grant: Any, expected: type[MailUpError]
) -> None:
    sandbox.configure(error_shape=shape)

    assert type(with_error(client, grant)) is expected


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
def test_what_an_answer_means(client: OAuthClient, sandbox: Sandbox, fault: Any, expected: type[MailUpError]) -> None:
    sandbox.fail_with(**{"path": TOKEN, **fault})

    assert type(with_error(client, RefreshToken("secret-token"))) is expected


def test_an_answer_may_be_form_encoded(client: OAuthClient, sandbox: Sandbox) -> None:
    sandbox.fail_with(
        "body", status=200, body="access_token=A1&refresh_token=R1&expires_in=60", content_type="text/plain"
    )
    pair = client.exchange(PASSWORD)

    assert (pair.access_token, pair.refresh_token) == ("A1", "R1")


def test_a_redirect_is_never_followed(sandbox: Sandbox, on_socket: Any) -> None:
    """A 307 would carry the client secret along, even to plain http."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        port = elsewhere.getsockname()[1]
        sandbox.fail_with("redirect", status=307, location=f"http://127.0.0.1:{port}/", path=TOKEN)
        error = with_error(on_socket(), RefreshToken("secret-token"))

        assert type(error) is UnexpectedResponse
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


@pytest.mark.parametrize("kind", ["drop", "drop_after", "half", "huge"])
def test_broken_answers_on_a_socket(sandbox: Sandbox, on_socket: Any, kind: str) -> None:
    sandbox.fail_with(kind, path=TOKEN)
    error = with_error(on_socket(), PASSWORD)

    assert isinstance(error, MailUpUnavailable)
    assert error.may_have_arrived


@pytest.mark.parametrize("fault", [{"kind": "slow", "seconds": 3.0}, {"kind": "drip", "seconds": 0.05}])
def test_the_deadline_is_for_the_whole_call(sandbox: Sandbox, on_socket: Any, fault: Any) -> None:
    sandbox.fail_with(path=TOKEN, **fault)
    started = time.monotonic()
    error = with_error(on_socket(deadline=0.5), PASSWORD)

    assert isinstance(error, MailUpUnavailable)
    assert error.may_have_arrived
    assert time.monotonic() - started < 2.5


def test_trickled_headers_meet_the_deadline_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    over = threading.Event()

    def trickle(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not over.wait(0.05):
                    connection.sendall(b"X-More: of the same\r\n")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        client = OAuthClient(
            "id", "secret", endpoints=Endpoints(f"http://127.0.0.1:{server.getsockname()[1]}"), deadline=0.5
        )
        error = with_error(client, PASSWORD)
        over.set()
        thread.join()

    assert isinstance(error, MailUpUnavailable)


def test_a_refused_connection_surely_did_not_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = with_error(OAuthClient("id", "secret", endpoints=Endpoints(f"http://127.0.0.1:{port}")), PASSWORD)

    assert isinstance(error, MailUpUnavailable)
    assert not error.may_have_arrived


def test_plain_http_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT", raising=False)
    client = OAuthClient("id", "secret", endpoints=Endpoints("http://127.0.0.1:1"))

    assert isinstance(with_error(client, PASSWORD), Misconfigured)
    with pytest.raises(Misconfigured, match="OAUTHLIB_INSECURE_TRANSPORT"):
        client.authorization_url(redirect_uri="https://site.example/", state="s")


def test_no_secret_is_logged_at_debug(client: OAuthClient, caplog: pytest.LogCaptureFixture) -> None:
    silence_library_secrets()
    with caplog.at_level(logging.DEBUG):
        pair = client.exchange(PASSWORD)
        client.exchange(RefreshToken(pair.refresh_token))

    for secret in (Sandbox.client_secret, pair.access_token, pair.refresh_token):
        assert secret not in caplog.text


def with_error(client: OAuthClient, grant: Any) -> MailUpError:
    """Exchange a grant that is to fail, and return the error, which must hold no secret."""
    with pytest.raises(MailUpError) as caught:
        client.exchange(grant)
    shown = f"{caught.value!r} {caught.value} {vars(caught.value)}"
    for secret in (Sandbox.client_secret, "secret-token", "sandbox.client_secret"):
        assert secret not in shown
    return caught.value
