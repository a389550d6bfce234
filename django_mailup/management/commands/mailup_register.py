"""Store this site's MailUp client id and secret. Running it again with the same values changes nothing."""

from __future__ import annotations

import getpass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from environ import Env

from ... import services
from ...exceptions import MailUpError
from ...frames import forgets_locals
from ...models import DEFAULT_REGISTRATION, ClientRegistration
from ...secret import Secret
from ...text import printable


class Command(BaseCommand):
    help = (
        "Create or update a MailUp client registration. The client ID comes from the option, the environment variable"
        " MAILUP_CLIENT_ID or a prompt; the secret from MAILUP_CLIENT_SECRET or a prompt, since others may see options."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--slug", default=DEFAULT_REGISTRATION, help="How code names it (default: %(default)s).")
        parser.add_argument("--name", help="How people name it (default: the slug, or the name it has).")
        parser.add_argument("--client-id", help="As shown in MailUp's console.")
        parser.add_argument("--noinput", "--no-input", action="store_false", dest="interactive", help="Never prompt.")

    @forgets_locals
    def handle(self, *args: Any, **options: Any) -> None:
        env = Env()
        client_id = options["client_id"] or env.str("MAILUP_CLIENT_ID", "") or self._ask("Client ID: ", input, options)
        secret = Secret(env.str("MAILUP_CLIENT_SECRET", "") or self._ask("Client secret: ", getpass.getpass, options))
        existing = ClientRegistration.objects.filter(slug=options["slug"]).first()
        name = options["name"] or (existing.name if existing else "MailUp")
        try:
            registration, created = services.register(
                slug=options["slug"], name=name, client_id=client_id, client_secret=secret.value
            )
        except ValidationError as error:
            raise CommandError(printable("; ".join(error.messages))) from None
        except UnicodeError:
            raise CommandError("Nothing was stored: the client secret is not UTF-8 text.") from None
        except MailUpError as error:
            raise CommandError(printable(f"Nothing was stored: {error}")) from None
        verb = "created" if created else "up to date"
        self.stdout.write(
            printable(f"Client registration “{registration.slug}” is {verb}: client ID {registration.client_id}.")
        )

    def _ask(self, question: str, ask: Any, options: Any) -> str:
        if not options["interactive"]:
            raise CommandError(f"{question.rstrip(': ')} is missing: give it in the environment.")
        try:
            answer = ask(question).strip()
        except (EOFError, KeyboardInterrupt):
            raise CommandError("Nothing was stored.") from None
        if not answer:
            raise CommandError("Nothing was stored: the answer was empty.")
        return str(answer)
