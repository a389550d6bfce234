"""Connect an account by MailUp user name and password (the password grant), for service accounts."""

from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from environ import Env

from ... import services
from ...exceptions import MailUpError
from ...frames import forgets_locals
from ...models import DEFAULT_REGISTRATION
from ...secret import Secret
from ...text import printable
from ..owners import find_user


class Command(BaseCommand):
    help = (
        "Connect a MailUp account by its user name and password, for the site itself or for a user. The password is"
        " prompted for, or taken from the environment variable MAILUP_PASSWORD; it is sent once and never stored."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "username", nargs="?", help="MailUp user name, such as m12345 (prompted for when left out)."
        )
        parser.add_argument(
            "--user", help="User name, on this site, of the connection's owner (default: the site itself)."
        )
        parser.add_argument("--registration", default=DEFAULT_REGISTRATION, help="Slug of the client registration.")

    @forgets_locals
    def handle(self, *args: Any, **options: Any) -> None:
        user = find_user(options["user"]) if options["user"] else None
        try:
            username = options["username"] or input("MailUp user name: ")
            password = Secret(Env().str("MAILUP_PASSWORD", "") or getpass.getpass("MailUp password: "))
        except (EOFError, KeyboardInterrupt):
            raise CommandError("Nothing was connected.") from None
        try:
            token = services.connect_with_password(
                username=username, password=password.value, user=user, registration=options["registration"]
            )
        except MailUpError as error:
            raise CommandError(printable(error)) from None
        self.stdout.write(printable(f"{token} is connected for {user if user is not None else 'this site'}."))
