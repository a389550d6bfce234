"""What another process does to a row, done by a test."""

from __future__ import annotations

import threading
from typing import Any

from django.db import connections

from django_mailup.database_clock import DatabaseNow
from django_mailup.models import Token


def claim(token: Token, *, owner: str = "another process", seconds: float) -> None:
    Token.objects.filter(pk=token.pk).update(claim_owner=owner, claimed_until=DatabaseNow(seconds))


def in_a_moment(token: Token, **columns: Any) -> threading.Timer:
    """Write on a row from another connection, shortly after somebody has begun to wait for it."""

    def write() -> None:
        Token.objects.filter(pk=token.pk).update(**columns)
        connections.close_all()

    timer = threading.Timer(0.2, write)
    timer.start()
    return timer
