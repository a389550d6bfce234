"""The database's own clock in UTC, as an expression. Claims live by it, so that hosts needn't agree on the time."""

from __future__ import annotations

from typing import Any

from django.db import models


class DatabaseNow(models.Func):
    """The present by the database's clock, some seconds from now, in UTC with fractions.

    Not `django.db.models.functions.Now`, which on MariaDB and MySQL is the local time of the server.
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
