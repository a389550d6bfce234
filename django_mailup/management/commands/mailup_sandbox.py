"""Run a local MailUp on a real socket."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Run a local stand-in for MailUp: login and consent pages, tokens, REST API. For development and tests only."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="localhost", help="Address to listen on (default: %(default)s).")
        parser.add_argument("--port", type=int, default=8777, help="Port; 0 takes a free one (default: %(default)s).")
        parser.add_argument(
            "--option",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="Turn a switch of django_mailup.sandbox.Options, such as access_lifetime=60. May be repeated.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from ...sandbox import Sandbox
            from ...sandbox.server import bind
        except ImportError:
            raise CommandError('The sandbox needs werkzeug: pip install "django-mailup-connect[sandbox]"') from None
        sandbox = Sandbox()
        try:
            sandbox.configure(**dict(each.split("=", 1) for each in options["option"]))
        except ValueError as error:
            raise CommandError(f"--option: {error}") from None
        try:
            server = bind(sandbox, options["host"], options["port"])
        except OSError as error:
            raise CommandError(f"Can't listen on {options['host']}:{options['port']}: {error.strerror}.") from None
        base_url = f"http://{options['host']}:{server.socket.getsockname()[1]}"
        self.stdout.write(f"MailUp sandbox at {base_url} (Ctrl-C ends it)")
        self.stdout.write(f"  client ID      {sandbox.client_id}")
        self.stdout.write(f"  client secret  {sandbox.client_secret}")
        for username in sandbox.state.users:
            self.stdout.write(f"  user           {username}, password “sandbox”")
        self.stdout.write(f'  use it with    MAILUP = {{"BASE_URL": "{base_url}"}}')
        self.stdout.flush()
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            self.stdout.write("")
