"""Fixtures of the suite. The double of MailUp is the sandbox, by the fixtures that the package ships."""

from __future__ import annotations

import socket
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from . import servers


def pytest_configure() -> None:
    """Stop if the database that DATABASE_URL names can't be used, but is required."""
    if servers.REQUIRED and django_settings.NO_DATABASE:
        raise pytest.UsageError(django_settings.NO_DATABASE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip everything if the database that DATABASE_URL names can't be used."""
    for item in items if django_settings.NO_DATABASE else ():
        item.add_marker(pytest.mark.skip(reason=django_settings.NO_DATABASE))


class Clock:
    """A clock that stands still until it is moved. Gives datetimes to services and seconds to the sandbox."""

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
    """One clock for the services that are given it, and for the sandbox."""
    made = Clock()
    mailup_sandbox.clock = made.seconds
    return made


@pytest.fixture
def user(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("ada", "ada@example.com", "secret")


@pytest.fixture
def other_user(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("leo", "leo@example.com", "secret")


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches outside the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
