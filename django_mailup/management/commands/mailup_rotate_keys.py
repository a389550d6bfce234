"""Encrypt all stored secrets again with the newest key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from ... import services
from ...exceptions import MailUpError
from ...text import printable


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret again with the newest of ENCRYPTION_KEYS. It may run beside everything else; if it"
        " is interrupted, run it again. Exits with 1 when something still needs another key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Change nothing; print how many rows each key has.")
        parser.add_argument(
            "--database", choices=tuple(connections), help="The database (default: the one that the routers write to)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        using = options["database"]
        try:
            if options["check"]:
                self._print_uses(using)
                left = services.rows_that_need_another_key(using=using)
            else:
                done = services.rotate_keys(using=using, progress=self._progress)
                self.stdout.write(f"{done.encrypted} rows were encrypted again, with the key {done.key_id}.")
                left = done.left
        except MailUpError as error:
            raise CommandError(printable(error)) from None
        if left:
            raise CommandError(
                f"{left} rows need another key than the newest."
                + ("" if options["check"] else " Run it again; --check says which keys.")
            )
        if options["check"]:
            self.stdout.write("Only the newest key is needed.")

    def _print_uses(self, using: str | None) -> None:
        rows = [("model", "key", "rows", "")]
        for use in services.keys_in_use(using=using) or []:
            state = "newest" if use.is_newest else "old" if use.is_configured else "not configured"
            rows.append((use.model, printable(use.key_id) or "-", str(use.rows), state))
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def _progress(self, model: str, done: int, total: int) -> None:
        self.stderr.write(f"{model}: {done} of {total}", ending="\r" if self.stderr.isatty() else "\n")
