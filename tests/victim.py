"""A process that tests kill: `python -m tests.victim '{"kind": …, "database": …, "mailup": …, "key": …}'`.

It renews one token. On demand: in a script (`process`) or in a request to a web server (`web`). Ahead of time: in a
script (`job`) or in a task of a Celery worker with beat (`worker`, `group`). It writes to standard output: `ready`;
`claim` and `save`, each with its process id, just before that statement is sent; at the end `renewed`, or `failed` with
the name of the exception.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any
from uuid import UUID


def say(*words: object) -> None:
    """Write a line at once, by one system call. Celery may have replaced sys.stdout."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def tell_statements(sender: object, connection: Any, **_: object) -> None:
    """Write which step of a renewal a statement is, before it is sent."""

    def tell(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        changes = sql.partition(" WHERE ")[0] if sql.startswith("UPDATE") else ""
        if "claim_owner" in changes:
            say("claim" if "CASE" in changes else "save", os.getpid())
        elif "FOR UPDATE" in sql:  # a job locks its rows first
            say("claim" if "claimed_until" in sql else "save", os.getpid())
        return execute(sql, params, many, context)

    connection.execute_wrappers.append(tell)


def renew(key: str, *, ahead_of_time: bool = False) -> None:
    """Renew the token, and write the outcome."""
    from django_mailup.renewal import on_demand, periodic

    try:
        if ahead_of_time:
            assert periodic.refresh_many([UUID(key)]).refreshed == 1
        else:
            on_demand.usable_token(UUID(key))
    except Exception as error:
        say("failed", type(error).__name__)
        raise
    say("renewed")


def serve(key: str) -> None:
    """Run a web server with one view, which renews the token."""
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.http import HttpRequest, HttpResponse
    from django.urls import path

    def view(request: HttpRequest) -> HttpResponse:
        renew(key)
        return HttpResponse()

    settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": [path("", view)]})
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.daemon_threads = True
    server.set_app(WSGIHandler())
    say("ready", server.server_address[1])
    server.serve_forever()


def work(given: dict[str, Any]) -> None:
    """Run a Celery worker with one pool process, and beat."""
    from celery import Celery, signals

    app = Celery("victim")
    app.conf.update(given["celery"], worker_redirect_stdouts=False, beat_schedule={})
    import django_mailup.tasks  # noqa: F401

    signals.worker_ready.connect(lambda **_: say("ready"), weak=False)
    signals.task_success.connect(lambda **_: say("renewed"), weak=False)
    arguments = ["-P", "prefork", "-c", "1", "-B", "-s", given["beat"], "-l", "CRITICAL"]
    app.worker_main(["worker", *arguments, "--without-gossip", "--without-mingle"])


def main() -> None:
    given = json.loads(sys.argv[1])
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings
    from django.db.backends.signals import connection_created

    settings.DATABASES["default"].update(given["database"])
    settings.MAILUP = given["mailup"]
    django.setup()
    connection_created.connect(tell_statements)
    if given["kind"] == "web":
        serve(given["key"])
    elif given["kind"] in ("process", "job"):
        say("ready")
        renew(given["key"], ahead_of_time=given["kind"] == "job")
        sys.stdin.read()
    else:
        work(given)


if __name__ == "__main__":
    main()
