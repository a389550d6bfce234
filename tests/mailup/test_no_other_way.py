"""Credentials go where they are meant to: no redirect is followed, and a .netrc adds or replaces none."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from django_mailup.exceptions import APIError, UnexpectedResponse
from django_mailup.mailup import (
    AuthorizationCode,
    Endpoints,
    MailUpClient,
    OAuthClient,
    Password,
    Provisioning,
    RefreshToken,
    Transport,
    Trial,
)

from .raw_server import Server, Static, answer

PAIR = b'{"access_token":"A1","refresh_token":"R1","expires_in":900,"Id":"1","Hash":"h","Code":2}'
BASIC = b"Authorization: Basic " + b64encode(b"id:client-secret")
GRANTS: dict[str, Any] = {
    "code": AuthorizationCode("c-1", "https://site.example/"),
    "password": Password("m12345", "console-password"),
    "refresh": RefreshToken("R0"),
}


def token_call(grant: Any, authentication: Any) -> Callable[[str], object]:
    def call(url: str) -> object:
        return OAuthClient("id", "client-secret", endpoints=Endpoints(url), authentication=authentication).exchange(
            grant
        )

    return call


def provisioning(url: str) -> Provisioning:
    return Provisioning("id", "client-secret", endpoints=Endpoints(url), timeout=(5, 5))


def api_call(url: str) -> object:
    client = MailUpClient(Static(), endpoints=Endpoints(url), transport=Transport(timeout=(5, 5)), patience=0)
    return client.request("POST", "/Console/Email/Send", json={})


CALLS: dict[str, tuple[Callable[[str], object], bytes]] = {
    **{f"{name}-body": (token_call(grant, "body"), b"") for name, grant in GRANTS.items()},
    **{f"{name}-basic": (token_call(grant, "basic"), BASIC) for name, grant in GRANTS.items()},
    "activate_trial": (
        lambda url: provisioning(url).activate_trial(
            name="Ada", company="F", email="a@example.com", phone="1", ip_address="127.0.0.1"
        ),
        BASIC,
    ),
    "trial_status": (lambda url: provisioning(url).trial_status(trial=Trial(id="1", hash="h")), BASIC),
    "api": (api_call, b"Authorization: Bearer A1"),
}
"""Each call, given the base URL, and the header with its credentials; empty if they are in the form."""


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """Another server, on another port, which would answer."""
    server = Server(answer(200, PAIR))
    try:
        yield server
    finally:
        server.close()


@pytest.mark.parametrize("name", CALLS)
def test_a_netrc_adds_no_credentials_and_replaces_none(
    name: str, elsewhere: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    call, header = CALLS[name]
    call(elsewhere.url)
    lines = [line for line in elsewhere.arrived[0].split(b"\r\n") if line.lower().startswith(b"authorization:")]

    assert lines == ([header] if header else [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("name", CALLS)
def test_no_redirect_is_followed_neither_to_another_server_nor_to_the_same(
    name: str, status: int, elsewhere: Server
) -> None:
    call, _ = CALLS[name]
    for base in (elsewhere.url.encode(), b""):
        server = Server(answer(status, b"", b"Location: " + base + b"/moved"), answer(200, PAIR))
        try:
            with pytest.raises((APIError, UnexpectedResponse)) as caught:
                call(server.url)
        finally:
            server.close()
        assert len(server.arrived) == 1
        if name.endswith(("-body", "-basic")):
            assert caught.value.reason == "redirect"
        assert "secret" not in f"{caught.value!r} {caught.value}"
    assert elsewhere.arrived == []


@pytest.mark.parametrize("name", CALLS)
def test_the_target_of_a_redirect_is_not_even_read(name: str) -> None:
    """The library requests would parse it, whatever it is, and raise an exception of its own."""
    call, _ = CALLS[name]
    server = Server(answer(302, b"", b"Location: http://[moved"))
    try:
        with pytest.raises((APIError, UnexpectedResponse)) as caught:
            call(server.url)
    finally:
        server.close()
    assert caught.value.status == 302


@pytest.mark.parametrize("name", CALLS)
def test_a_proxy_that_the_environment_names_is_used(
    name: str, elsewhere: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("http_proxy", elsewhere.url)
    call, _ = CALLS[name]
    call("http://127.0.0.2:9")

    assert elsewhere.arrived[0].split()[1].startswith(b"http://127.0.0.2:9/")
