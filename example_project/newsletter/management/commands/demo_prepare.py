"""Prepare the demo's database: its tables, two users and the client registration."""

from __future__ import annotations

from typing import Any

from config.celery import app
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from django_mailup.models import Token


class Command(BaseCommand):
    help = "Migrate the database, and create the demo's users and its client registration. Used by `demo`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--forget-connections", action="store_true", help="Delete all connections: a new sandbox doesn't know them."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        users = get_user_model().objects
        if not users.filter(username="ada").exists():
            users.create_user("ada", "ada@example.com", "demo")
        if not users.filter(username="admin").exists():
            users.create_superuser("admin", "admin@example.com", "demo")
        call_command("mailup_register", interactive=False, stdout=self.stdout)
        self._declare_queue()
        if options["forget_connections"]:
            Token.objects.all().delete()

    def _declare_queue(self) -> None:
        """Declare the queue now: the filesystem broker fails if worker and beat declare it at the same time."""
        with app.connection_for_write() as connection:
            app.amqp.queues[app.conf.task_default_queue](connection.default_channel).declare()
