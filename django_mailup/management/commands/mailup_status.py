"""Print the state of registrations and connections. The exit code is 1 if one needs attention."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ... import services
from ...text import printable


class Command(BaseCommand):
    help = (
        "Print a table of client registrations and connections. Exits with 1 when something needs a person or is late."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        report = services.status()
        rows: list[tuple[str, ...]] = [("registration", "owner", "account", "state", "expires", "last error")]
        for row in report.rows:
            shown = (row.registration, row.owner, row.account, row.state, row.expires, row.last_error)
            rows.append(tuple(printable(cell) for cell in shown))
        widths = [max(len(cells[column]) for cells in rows) for column in range(len(rows[0]))]
        for cells in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
        if report.troubles:
            raise CommandError(f"{report.troubles} of {len(report.rows)} need attention.")
        self.stdout.write("All is well.")
