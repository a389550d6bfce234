"""Measure the queries about connections in a table of a million rows, of which a thousand need attention."""

from __future__ import annotations

import argparse
import statistics
import time
from datetime import timedelta
from typing import Any

from . import stage

NEED_ATTENTION = 1000
RUNS = 7
SHOWN = 100
"""Rows of a page, and of a batch."""

NUMBERS = {
    "postgresql": "SELECT generate_series(1, {rows}) AS n",
    "sqlite": "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < {rows}) SELECT n FROM up",
    "mysql": "SELECT seq AS n FROM seq_1_to_{rows}",
}
LATER = {
    "postgresql": "token.{column} + n % 3000 * INTERVAL '1 second'",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', token.{column}, (n % 3000) || ' seconds')",
    "mysql": "token.{column} + INTERVAL n % 3000 SECOND",
}
UUIDS = {"postgresql": "gen_random_uuid()", "sqlite": "lower(hex(randomblob(16)))", "mysql": "uuid()"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, help="1,000,000 on PostgreSQL and 100,000 elsewhere, unless given")
    parser.add_argument("--database", choices=["postgres", "mariadb", "sqlite"], default="postgres")
    parser.add_argument("--plans", action="store_true", help="print the database's plan of each query")
    options = parser.parse_args()
    count = options.rows or (1_000_000 if options.database == "postgres" else 100_000)
    with stage.database(options.database):
        stage.set_up_django()
        populate(count)
        rows = measure(options.plans)
    result: dict[str, Any] = {"rows": count, "database": options.database}
    for row in rows:
        result[f"{row['query'].replace(' ', '_')}_ms"] = round(max(row["count, ms"], row["first 100, ms"]), 2)
    stage.report(f"Queries about {count:,} connections", rows, result)


def populate(count: int) -> None:
    """Store connections that are well, then put a thousand of them into the other states."""
    from django.db import connection
    from django.utils import timezone

    from django_mailup.models import ClientRegistration, Token

    now = timezone.now()
    registrations = [
        ClientRegistration.objects.create(name=slug, slug=slug, client_id=slug, client_secret="secret")
        for slug in ("default", "off", "refused")
    ]
    ClientRegistration.objects.filter(slug="off").update(enabled=False)
    ClientRegistration.objects.filter(slug="refused").update(failed_at=now)
    first = Token.objects.create(
        registration=registrations[0], access_token="a" * 180, refresh_token="r" * 180, connected_at=now,
        expires_at=now + timedelta(minutes=30), refresh_at=now + timedelta(minutes=20),
    )  # fmt: skip
    columns = [field.column for field in Token._meta.concrete_fields if not field.primary_key]
    quote = connection.ops.quote_name
    later = LATER[connection.vendor]
    new = {
        "expires_at": later.format(column="expires_at"),
        "refresh_at": later.format(column="refresh_at"),
        "key": UUIDS[connection.vendor],
        "account_uid": f"CAST(n AS {'CHAR' if connection.vendor == 'mysql' else 'VARCHAR'})",
    }
    values = ", ".join(new.get(column, f"token.{quote(column)}") for column in columns)
    names, table = ", ".join(map(quote, columns)), quote(Token._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} token,"  # noqa: S608
            f" ({NUMBERS[connection.vendor].format(rows=count - 1)}) numbers WHERE token.id = {first.pk}"
        )
    put_into_states(now)
    with connection.cursor() as cursor:
        cursor.execute({"postgresql": "VACUUM ANALYZE", "sqlite": "ANALYZE", "mysql": f"ANALYZE TABLE {table}"}[
            connection.vendor
        ])  # fmt: skip
        cursor.fetchall() if connection.vendor == "mysql" else None


def put_into_states(now: Any) -> None:
    """Put an equal number of rows into each state that isn't well, and make as many due."""
    from django_mailup.models import ClientRegistration, Token

    hour_ago = now - timedelta(hours=1)
    changes: list[dict[str, Any]] = [
        {"status": Token.Status.REAUTHORIZATION_REQUIRED, "failure_count": 1, "failed_at": hour_ago},
        {"registration": ClientRegistration.objects.get(slug="off")},
        {"registration": ClientRegistration.objects.get(slug="refused")},
        {"encryption_key_id": "0" * 12},
        {"failure_count": 3, "failed_at": hour_ago, "error_code": "unavailable"},
        {"refresh_at": hour_ago, "expires_at": hour_ago},
        {"refresh_at": now - timedelta(minutes=1)},
    ]
    keys = list(Token.objects.order_by("key").values_list("pk", flat=True)[:NEED_ATTENTION])
    for index, change in enumerate(changes):
        Token.objects.filter(pk__in=keys[index :: len(changes)]).update(**change)


def measure(plans: bool) -> list[dict[str, Any]]:
    """Return a row for each question: the median time of counting its rows, and of reading the first hundred."""
    from django.utils import timezone

    from django_mailup.models import Token
    from django_mailup.verdict import State

    now = timezone.now()
    questions = {state.value: Token.objects.in_state(state, now=now) for state in State if state != State.WELL}
    questions["due"] = Token.objects.due(now=now)
    rows = []
    for name, question in questions.items():
        first = question.defer("access_token", "refresh_token").select_related("registration")[:SHOWN]
        if plans:
            print(f"\n{name}\n{first.explain()}")
        rows.append(
            {
                "query": name,
                "rows": question.count(),
                "count, ms": milliseconds(question.count),
                "first 100, ms": milliseconds(lambda first=first: list(first.all())),
            }
        )
    return rows


def milliseconds(call: Any) -> float:
    """Return the median time that the database takes for the statement of a call."""
    from django.db import connection

    times = []

    def timed(execute: Any, *arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            times.append((time.perf_counter() - started) * 1000)

    with connection.execute_wrapper(timed):
        for _ in range(RUNS):
            call()
    return statistics.median(times)


if __name__ == "__main__":
    main()
