"""Renew the tokens that are due, at REFRESH_RATE, for sites without Celery: run it from cron every REFRESH_PERIOD."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ... import services
from ...exceptions import MailUpError
from ...text import printable


class Command(BaseCommand):
    help = "Renew every MailUp token that is due. Exits with 1 when a renewal failed; that one is tried again later."

    def handle(self, *args: Any, **options: Any) -> None:
        services.clear_expired_requests()
        try:
            tally = services.refresh_due()
        except MailUpError as error:
            raise CommandError(printable(error)) from None
        self.stdout.write(f"{tally.refreshed} renewed, {tally.failed} failed.")
        if tally.failed:
            raise CommandError("Run mailup_status to see what failed.")
