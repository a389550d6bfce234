"""The database's clock in UTC, as an expression. Claims use it, so that the clocks of hosts need not agree."""

from __future__ import annotations

from typing import Any

from django.db import models


class DatabaseNow(models.Func):
    """The current time of the database's clock in UTC, with fractions of a second.

    `django.db.models.functions.Now` isn't used because on MariaDB and MySQL it is the server's local time.

    Args:
        seconds: added to it; may be negative.
    """

    output_field = models.DateTimeField()  # type: ignore[assignment]
    arity = 0

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self._seconds = float(seconds)

    def __deepcopy__(self, memo: Any) -> DatabaseNow:
        return DatabaseNow(self._seconds)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        # The form in which Django stores datetimes here, so that comparing text compares moments.
        return "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %s)", [f"{self._seconds:+.3f} seconds"]

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        return "(CLOCK_TIMESTAMP() + %s * INTERVAL '1 second')", [self._seconds]

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        return "(UTC_TIMESTAMP(6) + INTERVAL %s MICROSECOND)", [round(self._seconds * 1_000_000)]
