"""Connections that need a renewal, and MailUp's token endpoint under a test's control."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from django_mailup.models import Token
from django_mailup.sandbox import Sandbox

from .jobs import AT_ONCE, Calls

Connect = Callable[..., Token]


@pytest.fixture
def expired_row(
    transactional_db: None, mailup_connection: Callable[..., Token], mailup_server: str, user: Any
) -> Token:
    """A connection whose token has expired, in a committed row that other processes see; MailUp is on a socket."""
    token = mailup_connection(user)
    past = timezone.now() - timedelta(hours=1)
    Token.objects.update(connected_at=past, expires_at=past, refresh_at=past)
    token.refresh_from_db()
    return token


@pytest.fixture
def due_keys(mailup_connection: Connect, django_user_model: Any, clock: Any, settings: Any) -> list[UUID]:
    """Keys of due connections, each with its own pair: one that a job renews alone, and two groups of AT_ONCE."""
    settings.MAILUP = {**settings.MAILUP, "REFRESH_CONCURRENCY": AT_ONCE}
    keys = [
        mailup_connection(django_user_model.objects.create(username=f"u{number}")).key
        for number in range(1 + 2 * AT_ONCE)
    ]
    clock.move(hours=1)
    Token.objects.update(connected_at=clock() - timedelta(hours=1), expires_at=clock(), refresh_at=clock())
    return keys


@pytest.fixture
def calls(mailup_sandbox: Sandbox) -> Calls:
    """The refreshes that the sandbox is working on."""
    return Calls(mailup_sandbox)
