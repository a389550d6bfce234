"""Start the whole example: site, sandbox, Celery worker and beat. `--check` runs the journey and ends."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...demo.journey import STEPS
from ...demo.processes import ChildFailed, Children, free_port

SITE_HOST, SANDBOX_HOST = "127.0.0.1", "localhost"  # two names, as ports of one host share cookies


class Command(BaseCommand):
    help = "Start site, MailUp sandbox, Celery worker and beat, until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="Port of the site (default: %(default)s).")
        parser.add_argument(
            "--sandbox-port", type=int, default=8777, help="Port of the sandbox (default: %(default)s)."
        )
        parser.add_argument("--check", action="store_true", help="Run the whole journey on a new database, then end.")
        parser.add_argument("--sabotage", choices=STEPS, help="With --check: break this step on purpose.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["sabotage"] and not options["check"]:
            raise CommandError("--sabotage goes with --check.")
        signal.signal(signal.SIGTERM, self._stop)
        try:
            if options["check"]:
                status = self._check(options["sabotage"])
            else:
                status = self._demo(options["port"], options["sandbox_port"])
        except ChildFailed as error:
            raise CommandError(f"{error}; see its log in {self._var}") from None
        except KeyboardInterrupt:
            self.stdout.write("Everything is stopped.")
            return
        if status:
            raise SystemExit(status)

    def _stop(self, *args: Any) -> None:
        raise KeyboardInterrupt

    def _demo(self, port: int, sandbox_port: int) -> int:
        self._var = Path(settings.VAR_DIR)
        site_port = self._port(SITE_HOST, port)
        real = bool(os.environ.get("MAILUP_BASE_URL"))
        env = {} if real else self._sandbox_env(self._port(SANDBOX_HOST, sandbox_port))
        env |= self._key_env()
        children = Children(env)
        try:
            self._start_all(children, env, site_port)
            where = settings.MAILUP.get("BASE_URL") if real else env["MAILUP_BASE_URL"]
            self.stdout.write(
                f"\nThe site        http://{SITE_HOST}:{site_port}/       log in as ada, password demo\n"
                f"Its admin       http://{SITE_HOST}:{site_port}/admin/ log in as admin, password demo\n"
                f"MailUp          {where}/" + ("" if real else "  log in as m12345 or m67890, password sandbox") + "\n"
                f"Logs            {self._var}\n\nCtrl-C stops everything."
            )
            self.stdout.flush()
            while True:
                children.check()
                time.sleep(0.5)
        finally:
            children.end()

    def _check(self, sabotage: str | None) -> int:
        self._var = Path(tempfile.mkdtemp(prefix="mailup-demo-"))
        site_port, sandbox_port = free_port(SITE_HOST, 0), free_port(SANDBOX_HOST, 0)
        env = {
            **self._sandbox_env(sandbox_port),
            "EXAMPLE_VAR_DIR": str(self._var),
            "MAILUP_REFRESH_PERIOD": "1",
            "MAILUP_TOKEN_DEADLINE": "5",
            "DEMO_SITE": f"http://{SITE_HOST}:{site_port}",
            **self._key_env(),
        }
        children = Children(env)
        try:
            self._start_all(children, env, site_port)
            arguments = ["--sabotage", sabotage] if sabotage else []
            status = children.run("manage.py", "demo_journey", *arguments)
            if status and not sabotage:
                for log in sorted(self._var.glob("*.log")):
                    self.stderr.write(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}")
            return status
        finally:
            children.end()
            shutil.rmtree(self._var, ignore_errors=True)

    def _sandbox_env(self, port: int) -> dict[str, str]:
        from django_mailup.sandbox import Sandbox

        return {
            "MAILUP_BASE_URL": f"http://{SANDBOX_HOST}:{port}",
            "MAILUP_CLIENT_ID": Sandbox.client_id,
            "MAILUP_CLIENT_SECRET": Sandbox.client_secret,
            "DEMO_SANDBOX_PORT": str(port),
        }

    def _key_env(self) -> dict[str, str]:
        """Return the environment variable of the demo's encryption key, or nothing if the settings have one.

        As in production, secrets have a key other than SECRET_KEY. It is kept in a file beside the database.
        """
        if settings.MAILUP.get("ENCRYPTION_KEYS"):
            return {}
        path = self._var / "encryption.key"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(Fernet.generate_key().decode())
        return {"MAILUP_ENCRYPTION_KEYS": path.read_text()}

    def _start_all(self, children: Children, env: dict[str, str], site_port: int) -> None:
        own_database = "DATABASE_URL" not in os.environ
        forget = ["--forget-connections"] if "DEMO_SANDBOX_PORT" in env and own_database else []
        if children.run("manage.py", "demo_prepare", *forget):
            raise ChildFailed("preparing the database failed")
        if "DEMO_SANDBOX_PORT" in env:
            port = env["DEMO_SANDBOX_PORT"]
            log = self._var / "sandbox.log"
            children.start("sandbox", "manage.py", "mailup_sandbox", "--host", SANDBOX_HOST, "--port", port, log=log)
        site = f"{SITE_HOST}:{site_port}"
        children.start("site", "manage.py", "runserver", site, "--noreload", log=self._var / "site.log")
        celery = ("celery", "-A", "config.celery")
        worker = ("worker", "-P", "threads", "-c", "2", "-l", "INFO", "--without-gossip", "--without-mingle")
        children.start("worker", *celery, *worker, log=self._var / "worker.log")
        beat = ("beat", "-l", "INFO", "--max-interval", "1", "-s", str(self._var / "beat"), "--pidfile=")
        children.start("beat", *celery, *beat, log=self._var / "beat.log")
        if "DEMO_SANDBOX_PORT" in env:
            children.wait_for_port("sandbox", SANDBOX_HOST, int(env["DEMO_SANDBOX_PORT"]))
        children.wait_for_port("site", SITE_HOST, site_port)

    def _port(self, host: str, wanted: int) -> int:
        port = free_port(host, wanted)
        if port != wanted:
            self.stdout.write(f"Port {wanted} of {host} is taken; using {port}.")
        return port
