"""Print the state of registrations and connections. The exit code is 1 if one needs attention."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ... import services


class Command(BaseCommand):
    help = (
        "Print a table of client registrations and connections. Exits with 1 when something needs a person or is late."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        report = services.status()
        rows = [("registration", "owner", "account", "state", "expires", "last error")]
        rows += [(r.registration, r.owner, r.account, r.state, r.expires, r.last_error) for r in report.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if report.troubles:
            raise CommandError(f"{report.troubles} of {len(report.rows)} need attention.")
        self.stdout.write("All is well.")
