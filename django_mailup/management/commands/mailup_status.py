"""Print the state of registrations and connections. The exit code is 1 if one needs attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ... import services
from ...text import printable
from ...verdict import State

SHOWN = 100


class Command(BaseCommand):
    help = (
        "Print how many connections are in which state, and those that need attention. Exits with 1 when one does."
        " Nothing is decrypted, and MailUp is asked nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--all", action="store_true", help=f"print all that need attention, not only {SHOWN} of each state"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        report = services.status(limit=None if options["all"] else SHOWN)
        self._print(
            ("registration", "state", *map(_name, State), "last error"),
            [
                (row.slug, row.state, *(str(row.counts[state]) for state in State), row.last_error)
                for row in report.registrations
            ],
        )
        if report.connections:
            self.stdout.write("")
            self._print(
                ("registration", "owner", "account", "state", "expires", "last error"),
                [
                    (row.registration, row.owner, row.account, _name(row.state), row.expires, row.last_error)
                    for row in report.connections
                ],
            )
        if report.troubles:
            raise CommandError(f"{report.troubles} of {report.total} need attention.")
        self.stdout.write("All is well.")

    def _print(self, head: Sequence[object], rows: Sequence[Sequence[object]]) -> None:
        """Print a table."""
        lines = [[printable(str(cell)) for cell in cells] for cells in (head, *rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for cells in lines:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())


def _name(state: State) -> str:
    """Return the name of a state in English, as all that commands print is."""
    return state.value.replace("_", " ")
