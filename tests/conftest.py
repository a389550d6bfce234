"""Fixtures of all tests. The package's own fixtures give them the sandbox, the only stand-in for MailUp."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import TransactionTestCase
from django.utils import timezone

from django_mailup.models import ClientRegistration, Token
from django_mailup.sandbox import Sandbox

from . import servers
from .journey import Journey

TIME_LIMITS = {"slow": 180, "brokers": 180, "browser": 180, "demo": 300}
"""Seconds for a test with one of these markers. Others have the `timeout` of pyproject.toml."""
TIME_FACTOR = int(os.environ.get("TIME_LIMIT_FACTOR", "1"))
"""By which the limits are multiplied: `tests.under_load` sets it, since a process starts slowly on a busy machine."""


def pytest_configure() -> None:
    """Stop if the database that DATABASE_URL names can't be used, but is required."""
    if servers.REQUIRED and django_settings.NO_DATABASE:
        raise pytest.UsageError(django_settings.NO_DATABASE)


@pytest.hookimpl(tryfirst=True)  # before `-m` selects by the markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip everything if the database that DATABASE_URL names can't be used. Give each test its time limit.

    Mark the tests that use a database. pytest-django refuses it to all others.
    """
    for item in items:
        if _uses_database(item):
            item.add_marker("database")
        if django_settings.NO_DATABASE:
            item.add_marker(pytest.mark.skip(reason=django_settings.NO_DATABASE))
        limits = [seconds for marker, seconds in TIME_LIMITS.items() if item.get_closest_marker(marker)]
        if not item.get_closest_marker("timeout"):
            limit = max(limits, default=float(item.config.getini("timeout")))
            item.add_marker(pytest.mark.timeout(limit * TIME_FACTOR))


def _uses_database(item: pytest.Item) -> bool:
    """Return whether pytest-django lets a test use a database: by its marker, a fixture or its class."""
    fixtures = {"db", "transactional_db", "django_db_serialized_rollback", "django_db_reset_sequences", "live_server"}
    return (
        item.get_closest_marker("django_db") is not None
        or not fixtures.isdisjoint(getattr(item, "fixturenames", ()))
        or issubclass(getattr(item, "cls", None) or object, TransactionTestCase)
    )


class Clock:
    """A clock that stands still until it is moved. Services are given datetimes, the sandbox seconds."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock(mailup_sandbox: Any) -> Clock:
    """One clock for the sandbox and for the services that a test passes it to."""
    made = Clock()
    mailup_sandbox.clock = made.seconds
    return made


@pytest.fixture
def user(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("ada", "ada@example.com", "secret")


@pytest.fixture
def other_user(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("leo", "leo@example.com", "secret")


@pytest.fixture
def expired(transactional_db: None, mailup_connection: Callable[..., Token], user: Any) -> Token:
    """A connection whose access token has expired, in a committed row that other threads see."""
    token = mailup_connection(user)
    now = timezone.now()
    Token.objects.update(expires_at=now - timedelta(seconds=1), refresh_at=now, connected_at=now - timedelta(hours=1))
    token.refresh_from_db()
    return token


@pytest.fixture
def journey(mailup_sandbox: Sandbox, mailup_registration: ClientRegistration, user: Any) -> Journey:
    """A user who connects an account at the sandbox."""
    return Journey(mailup_sandbox, user)


@pytest.fixture
def site_token(db: None, mailup_connection: Callable[..., Token], mailup_sandbox: Sandbox) -> Token:
    """The site's own connection, to a MailUp that carries out imports at once."""
    mailup_sandbox.configure(import_seconds=0.0)
    return mailup_connection(None)


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches outside the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
