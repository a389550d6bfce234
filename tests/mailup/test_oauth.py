"""OAuthClient against the sandbox: grants, client authentication, refusals, outages, deadlines and redirects."""

from __future__ import annotations

import logging
import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from django_mailup.exceptions import (
    CodeRefused,
    Misconfigured,
    UnexpectedResponse,
)
from django_mailup.library_logs import silence_library_secrets
from django_mailup.mailup import AuthorizationCode, Endpoints, OAuthClient, Password, RefreshToken
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

from .token_calls import PASSWORD, TOKEN, make, with_error


def test_the_authorization_url_holds_what_mailup_needs_and_no_secret(oauth: OAuthClient, sandbox: Sandbox) -> None:
    url = oauth.authorization_url(redirect_uri="https://site.example/cb/?a=b", state="s t")

    assert urlsplit(url)._replace(query="").geturl() == "https://services.mailup.com/Authorization/OAuth/LogOn"
    assert parse_qs(urlsplit(url).query) == {
        "response_type": ["code"],
        "client_id": [sandbox.client_id],
        "redirect_uri": ["https://site.example/cb/?a=b"],
        "state": ["s t"],
    }
    assert sandbox.client_secret not in url


def test_the_authorization_url_asks_for_scopes_and_holds_the_hash_of_the_verifier(oauth: OAuthClient) -> None:
    """The verifier and its hash are those of RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    url = oauth.authorization_url(
        redirect_uri="https://site.example/", state="s", scope="lists:read openid", code_verifier=verifier
    )
    query = parse_qs(urlsplit(url).query)

    assert query["scope"] == ["lists:read openid"]
    assert query["code_challenge"] == ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]
    assert query["code_challenge_method"] == ["S256"]
    assert verifier not in url


def test_the_verifier_is_sent_with_the_code(oauth: OAuthClient, sandbox: Sandbox) -> None:
    sandbox.configure(pkce="required")
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    user = sandbox.state.users["m12345"]
    codes = [sandbox.state.issue_code(user, sandbox.client_id, "https://site.example/", challenge) for _ in range(2)]

    assert isinstance(with_error(oauth, AuthorizationCode(codes[0], "https://site.example/")), CodeRefused)
    grant = AuthorizationCode(codes[1], "https://site.example/", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert oauth.exchange(grant).access_token


def test_a_code_becomes_a_token_set(oauth: OAuthClient, sandbox: Sandbox) -> None:
    code = sandbox.state.issue_code(sandbox.state.users["m12345"], sandbox.client_id, "https://site.example/")

    pair = oauth.exchange(AuthorizationCode(code, "https://site.example/"))

    assert sandbox.state.find_pair(pair.access_token).user.username == "m12345"


def test_a_password_with_odd_characters_arrives_as_it_is(oauth: OAuthClient, sandbox: Sandbox) -> None:
    sandbox.state.users["m12345"].password = "pä&ss=w+ö%rd /?#"

    assert oauth.exchange(Password("m12345", "pä&ss=w+ö%rd /?#")).access_token


def test_a_refresh_brings_a_new_pair(oauth: OAuthClient) -> None:
    first = oauth.exchange(PASSWORD)
    second = oauth.exchange(RefreshToken(first.refresh_token))

    assert second.access_token != first.access_token
    assert second.refresh_token != first.refresh_token


def test_the_old_refresh_token_stays_when_none_comes(oauth: OAuthClient, sandbox: Sandbox) -> None:
    sandbox.configure(rotate_refresh=False)
    first = oauth.exchange(PASSWORD)

    assert oauth.exchange(RefreshToken(first.refresh_token)).refresh_token == first.refresh_token


@pytest.mark.parametrize("grant", [Password("m12345", "no"), RefreshToken("R")], ids=["password", "refresh"])
def test_credentials_go_into_the_form_by_default(oauth: OAuthClient, adapter: SandboxAdapter, grant: Any) -> None:
    with_error(oauth, grant)
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
    oauth: OAuthClient, sandbox: Sandbox, expires_in: str, token_type: bool
) -> None:
    sandbox.configure(expires_in=expires_in, token_type=token_type)
    pair = oauth.exchange(PASSWORD)

    expected = 900 if expires_in == "missing" else 3600
    assert (pair.expires_at - pair.received_at).total_seconds() == expected


def test_a_redirect_is_never_followed(sandbox: Sandbox, on_socket: Any) -> None:
    """Following a 307 would send the client secret again, even over plain http."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        port = elsewhere.getsockname()[1]
        sandbox.fail_with("redirect", status=307, location=f"http://127.0.0.1:{port}/", path=TOKEN)
        error = with_error(on_socket(), RefreshToken("secret-token"))

        assert type(error) is UnexpectedResponse
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


def test_plain_http_to_another_machine_is_refused_with_the_way_out() -> None:
    client = OAuthClient("id", "secret", endpoints=Endpoints("http://mailup.example"))

    assert isinstance(with_error(client, PASSWORD), Misconfigured)
    with pytest.raises(Misconfigured, match="INSECURE_HOSTS"):
        client.authorization_url(redirect_uri="https://site.example/", state="s")


def test_plain_http_to_this_machine_needs_nothing_in_the_environment(
    sandbox: Sandbox, on_socket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT", raising=False)
    client = on_socket()
    url = client.authorization_url(redirect_uri="https://site.example/", state="s")

    assert url.startswith("http://127.0.0.1:")
    assert client.exchange(RefreshToken(client.exchange(PASSWORD).refresh_token)).access_token


def test_no_secret_is_logged_at_debug(oauth: OAuthClient, caplog: pytest.LogCaptureFixture) -> None:
    silence_library_secrets()
    with caplog.at_level(logging.DEBUG):
        pair = oauth.exchange(PASSWORD)
        oauth.exchange(RefreshToken(pair.refresh_token))

    for secret in (Sandbox.client_secret, pair.access_token, pair.refresh_token):
        assert secret not in caplog.text
