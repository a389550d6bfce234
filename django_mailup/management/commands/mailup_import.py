"""Import recipients of a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ... import services
from ...exceptions import MailUpError
from ...models import DEFAULT_REGISTRATION
from ...text import printable
from ..owners import find_user

WIDTH = 40


class Command(BaseCommand):
    help = (
        "Import the recipients of a CSV file (UTF-8, with headings) into a list or group. If it is interrupted, run it"
        " again: what MailUp has taken is not sent twice. Lines that can't be imported are written to FILE.rejects.csv."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="The CSV file.")
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--list", type=int, dest="list_id", help="Id of the list.")
        where.add_argument("--group", type=int, dest="group_id", help="Id of the group.")
        parser.add_argument(
            "--map", action="append", default=[], metavar="COLUMN=FIELD",
            help="What a column is: email, name, mobile_prefix, mobile_number, a personal field, or nothing."
            " FIELD begins after the last “=”; give a personal field with one in its name by its id.",
        )  # fmt: skip
        parser.add_argument("--delimiter", default="", help="Between cells (default: found out).")
        parser.add_argument("--chunk", type=int, default=1000, help="Recipients in a call (default: 1000).")
        parser.add_argument("--confirm", action="store_true", help="Double opt-in: prepare mails that ask to confirm.")
        parser.add_argument("--dry-run", action="store_true", help="Read and check everything, send nothing.")
        parser.add_argument(
            "--unsure", choices=["stop", "skip", "send"], default="stop",
            help="What to do with a chunk that an interrupted run may have sent (default: stop).",
        )  # fmt: skip
        parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="Wait for MailUp to finish.")
        parser.add_argument(
            "--user", help="User name, on this site, of the connection's owner (default: the site itself)."
        )
        parser.add_argument("--registration", default=DEFAULT_REGISTRATION, help="Slug of the client registration.")

    def handle(self, *args: Any, **options: Any) -> None:
        mapping = {}
        for each in options["map"]:
            column, sign, target = each.rpartition("=")
            if not sign:
                raise CommandError(printable(f"--map is written COLUMN=FIELD, not {each}."))
            mapping[column] = target
        try:
            registration = options["registration"]
            client = (
                services.client_for(find_user(options["user"]), registration=registration)
                if options["user"]
                else services.client_for_site(registration=registration)
            )
            outcome = services.import_csv(
                options["file"], client, list_id=options["list_id"], group_id=options["group_id"], mapping=mapping,
                delimiter=options["delimiter"], chunk=options["chunk"], dry_run=options["dry_run"],
                unsure=options["unsure"], progress=self._bar, confirm=options["confirm"],
            )  # fmt: skip
            self.stderr.write("")
            verb = "would be sent" if options["dry_run"] else "were sent"
            self.stdout.write(
                f"{outcome.sent} recipients {verb}, {outcome.skipped} were sent before, {outcome.rejected} rejected."
            )
            if outcome.rejected:
                self.stdout.write(printable(f"See {options['file']}.rejects.csv for the lines and the reasons."))
            for import_id in outcome.import_ids if options["wait"] else ():
                done = client.imports.wait(import_id=import_id, seconds=options["wait"])
                self.stdout.write(
                    f"Import {done.id}: {done.created} created, {done.updated} updated, {done.not_valid} not valid."
                )
        except (MailUpError, ValueError) as error:
            raise CommandError(printable(error)) from None

    def _bar(self, done: int, total: int) -> None:
        """Draw how much is read, on a terminal."""
        if self.stderr.isatty():
            full = WIDTH * done // max(total, 1)
            self.stderr.write(f"\r[{'#' * full}{'.' * (WIDTH - full)}] {100 * done // max(total, 1)} %", ending="")
