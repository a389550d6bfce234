"""Pytest fixtures for sites that use django_mailup: a MailUp that never leaves the process.

    def test_lists(admin_user, mailup_connection):
        mailup_connection(admin_user)
        assert list(client_for(admin_user).lists.all())

mailup_sandbox       the local MailUp (a Sandbox): change its options, make it fail
mailup_requests      the requests that were sent to it
mailup_registration  a ClientRegistration that it knows
mailup_connection    a function that connects a user, or the site if it gets None, and returns the Token
mailup_server        the base URL of the same sandbox on a socket
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

# pytest loads plugins in every session, even if it uses neither Django nor the sandbox: so imports are in the fixtures.
if TYPE_CHECKING:
    import requests

    from .models import ClientRegistration, Token
    from .sandbox import Sandbox
    from .testing import use_sandbox


@pytest.fixture
def _mailup_in_use() -> Iterator[tuple[use_sandbox, Sandbox]]:
    from .testing import use_sandbox

    context = use_sandbox()
    with context as sandbox:
        yield context, sandbox


@pytest.fixture
def mailup_sandbox(_mailup_in_use: tuple[use_sandbox, Sandbox]) -> Sandbox:
    """A local MailUp, which django_mailup uses in this process during the test."""
    return _mailup_in_use[1]


@pytest.fixture
def mailup_requests(_mailup_in_use: tuple[use_sandbox, Sandbox]) -> list[requests.PreparedRequest]:
    """The requests that were sent to the sandbox, oldest first."""
    return _mailup_in_use[0].requests


@pytest.fixture
def mailup_registration(mailup_sandbox: Sandbox, db: None) -> ClientRegistration:
    """The default ClientRegistration, which the sandbox knows."""
    from . import services

    registration, _ = services.register(
        name="Sandbox", client_id=mailup_sandbox.client_id, client_secret=mailup_sandbox.client_secret
    )
    return registration


@pytest.fixture
def mailup_connection(mailup_registration: ClientRegistration) -> Callable[..., Token]:
    """A function that connects a user, by default the site, to an account in the sandbox, and returns the Token."""
    from . import services

    def connect(user: Any = None, *, username: str = "m12345", password: str = "sandbox") -> Token:
        return services.connect_with_password(
            username=username, password=password, user=user, registration=mailup_registration.slug
        )

    return connect


@pytest.fixture
def mailup_server(mailup_sandbox: Sandbox, settings: Any) -> Iterator[str]:
    """The base URL of the sandbox, which is served on a socket of this machine during the test.

    django_mailup reaches it there, in this process and in others that have the same `settings.MAILUP`.
    """
    from . import network
    from .sandbox.server import serving

    with serving(mailup_sandbox) as base_url:
        settings.MAILUP = {**getattr(settings, "MAILUP", {}), "BASE_URL": base_url, "RATE_LIMIT": 0}
        adapter = network.replace(None)
        yield base_url
        network.replace(adapter)
