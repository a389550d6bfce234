"""Clients without Django, on the in-process sandbox, and an OAuth client on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django_mailup.mailup import AccessToken, Endpoints, MailUpClient, OAuthClient, Transport
from django_mailup.sandbox import Options, Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter
from django_mailup.sandbox.server import serving

from .token_calls import make


class Source:
    """A TokenSource without a database. It logs in to the sandbox, and logs in again when a token is refused."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.renewals = 0
        self.current = self._log_in()

    def _log_in(self) -> AccessToken:
        pair = self.sandbox.state.redeem_password("m12345", "sandbox", self.sandbox.client_id)
        return AccessToken(pair.access_token)

    def get(self) -> AccessToken:
        return self.current

    def renew(self, refused: AccessToken) -> AccessToken:
        assert refused == self.current
        self.renewals += 1
        self.current = self._log_in()
        return self.current


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that uses the sandbox twice, unless it is marked: then with every unkind option, which is slow."""
    if "sandbox" in metafunc.fixturenames:
        is_kind = metafunc.definition.get_closest_marker("kind_sandbox") is not None
        unkind = [] if is_kind else [pytest.param("unkind", marks=pytest.mark.slow)]
        metafunc.parametrize("sandbox", ["kind", *unkind], indirect=True)


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """A sandbox as MailUp's documents describe it, or as unkind as MailUp may be."""
    make = Options if request.param == "kind" else Options.unkind
    return Sandbox(make(rate_limit=0, import_seconds=0.0))


@pytest.fixture
def source(sandbox: Sandbox) -> Source:
    return Source(sandbox)


@pytest.fixture
def adapter(sandbox: Sandbox) -> SandboxAdapter:
    return SandboxAdapter(sandbox)


@pytest.fixture
def client(source: Source, adapter: SandboxAdapter) -> MailUpClient:
    return MailUpClient(source, transport=Transport(timeout=(1, 1), adapter=adapter), patience=0)


@pytest.fixture
def oauth(sandbox: Sandbox, adapter: SandboxAdapter) -> OAuthClient:
    return make(sandbox, adapter)


@pytest.fixture
def on_socket(sandbox: Sandbox) -> Iterator[Any]:
    with serving(sandbox) as base_url:
        yield lambda **options: make(sandbox, endpoints=Endpoints(base_url), **options)
