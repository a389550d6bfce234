"""Run the journey against a running demo. Used by `demo --check`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ...demo.journey import STEPS, Journey


class Command(BaseCommand):
    help = "Run the seventeen steps of the journey and print a line for each. Used by `demo --check`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sabotage", choices=STEPS)

    def handle(self, *args: Any, **options: Any) -> None:
        passed, failed = Journey(options["sabotage"]).play(self._say)
        self._say(f"journey: {passed} steps passed, {failed} failed")
        if failed:
            raise SystemExit(1)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
