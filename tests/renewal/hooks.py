"""Functions for PREPARE_CONNECTION."""

from __future__ import annotations

import threading
from typing import Any

from django.db import OperationalError

from django_mailup.renewal.preparation import Prepare

calls: list[tuple[str, str, Any]] = []
"""What `record` has seen: which function was called, the name of its thread, and its connection."""


def record(connection: Any) -> Prepare:
    """Note both calls in `calls`."""
    calls.append(("hook", threading.current_thread().name, connection))
    return lambda new: calls.append(("prepare", threading.current_thread().name, new))


def fail_once(connection: Any) -> Prepare:
    """Fail at the first connection, as a database that is just going down."""
    tries: list[None] = []

    def prepare(new: Any) -> None:
        tries.append(None)
        if len(tries) == 1:
            raise OperationalError("the database is just going down")
        record(connection)(new)

    return prepare


def copy_session_variable(connection: Any) -> Prepare:
    """Give the new connection the tenant that row-level security goes by: the session variable app.tenant."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.tenant')")
        tenant = cursor.fetchone()

    def prepare(new: Any) -> None:
        with new.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant', %s, false)", tenant)

    return prepare


def return_nothing(connection: Any) -> None:
    """Return nothing, as a hook of somebody who took the connection for the new one."""
