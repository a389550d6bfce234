"""Changes on a row as another process would make them."""

from __future__ import annotations

import threading
from typing import Any

from django.db import connections

from django_mailup.database_clock import DatabaseNow
from django_mailup.models import Token


def claim(token: Token, *, owner: str = "another process", seconds: float) -> None:
    Token.objects.filter(pk=token.pk).update(claim_owner=owner, claimed_until=DatabaseNow(seconds))


def in_a_moment(token: Token, **columns: Any) -> threading.Timer:
    """Change a row from another connection, 0.2 s from now."""

    def write() -> None:
        Token.objects.filter(pk=token.pk).update(**columns)
        connections.close_all()

    timer = threading.Timer(0.2, write)
    timer.start()
    return timer
