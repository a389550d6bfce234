"""The sandbox's three ways with PKCE, checked with the example of RFC 7636, appendix B."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from django_mailup.sandbox import Options, Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

LOGON = "https://services.mailup.com/Authorization/OAuth/LogOn"
TOKEN = "https://services.mailup.com/Authorization/OAuth/Token"
REDIRECT = "https://site.example/cb"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
S256 = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(Options(rate_limit=0))


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.mount("https://", SandboxAdapter(sandbox))
        yield session


def authorize(http: requests.Session, **fields: str) -> dict[str, list[str]]:
    """Log in and allow. Return the parameters of the redirect to the client."""
    form = {"client_id": Sandbox.client_id, "redirect_uri": REDIRECT, "response_type": "code", **fields}
    answer = http.post(LOGON, {**form, "username": "m12345", "password": "sandbox"}, allow_redirects=False)
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def exchange(http: requests.Session, code: str, **fields: str) -> Any:
    form = {"grant_type": "authorization_code", "client_id": Sandbox.client_id, "client_secret": Sandbox.client_secret}
    return http.post(TOKEN, {**form, "code": code, "redirect_uri": REDIRECT, **fields}).json()


def test_it_is_ignored_by_default(http: requests.Session) -> None:
    assert "access_token" in exchange(http, authorize(http, **S256)["code"][0], code_verifier="another")
    assert "access_token" in exchange(http, authorize(http)["code"][0], code_verifier=VERIFIER)


@pytest.mark.parametrize("fields", [{}, {"code_challenge": CHALLENGE}, {**S256, "code_challenge_method": "plain"}])
def test_it_can_be_insisted_on(http: requests.Session, sandbox: Sandbox, fields: dict[str, str]) -> None:
    sandbox.configure(pkce="required")

    assert authorize(http, **fields)["error"] == ["invalid_request"]


@pytest.mark.parametrize(("fields", "expected"), [({"code_verifier": VERIFIER}, None), ({}, "invalid_grant")])
def test_the_verifier_must_be_that_of_the_challenge(
    http: requests.Session, sandbox: Sandbox, fields: dict[str, str], expected: str | None
) -> None:
    sandbox.configure(pkce="required")

    assert exchange(http, authorize(http, **S256)["code"][0], **fields).get("error") == expected
    assert exchange(http, authorize(http, **S256)["code"][0], code_verifier="x" * 43)["error"] == "invalid_grant"


def test_it_can_be_refused(http: requests.Session, sandbox: Sandbox) -> None:
    sandbox.configure(pkce="refused")

    assert authorize(http, **S256)["error"] == ["invalid_request"]
    assert exchange(http, authorize(http)["code"][0], code_verifier=VERIFIER)["error"] == "invalid_request"
    assert "access_token" in exchange(http, authorize(http)["code"][0])


def test_the_login_page_keeps_the_challenge(http: requests.Session) -> None:
    parameters = {"client_id": Sandbox.client_id, "redirect_uri": REDIRECT, "response_type": "code", **S256}
    page = http.get(LOGON, params=parameters).text

    assert f'name="code_challenge" value="{CHALLENGE}"' in page
    assert 'name="code_challenge_method" value="S256"' in page
