"""Fixtures that several tests of the services share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_mailup.models import Token


@pytest.fixture
def expired_row(
    transactional_db: None, mailup_connection: Callable[..., Token], mailup_server: str, user: Any
) -> Token:
    """A connection that has run out, in a committed row that other processes see, with MailUp on a socket."""
    token = mailup_connection(user)
    past = timezone.now() - timedelta(hours=1)
    Token.objects.update(connected_at=past, expires_at=past, refresh_at=past)
    token.refresh_from_db()
    return token
