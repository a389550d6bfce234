"""Do what jobs do: run every command and every task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from celery import Celery
from django.core.management.base import CommandError
from django.utils import timezone
from kombu import Connection

from django_mailup import services, tasks
from django_mailup.models import ClientRegistration, Token

from .drivers import World
from .watch import Watch

BROKER = "memory://canary"


def register_command(world: World) -> None:
    world.patch.setenv("MAILUP_CLIENT_SECRET", world.watch.planted.make("client secret"))
    world.watch.command("mailup_register", "--noinput", "--slug=third", "--client-id=third")
    assert ClientRegistration.objects.filter(slug="third").exists()


def connect_command(world: World) -> None:
    world.patch.setenv("MAILUP_PASSWORD", world.password)
    assert world.watch.command("mailup_connect", "m67890") is None
    world.watch.planted.add_tokens(world.sandbox)
    world.patch.setenv("MAILUP_PASSWORD", world.watch.planted.make("password"))
    assert world.watch.command("mailup_connect", "m67890") is not None


def import_command(world: World) -> None:
    Token.objects.filter(user=None).delete()  # the command takes the only one
    services.connect_with_password(username="m67890", password=world.password)
    assert world.watch.command("mailup_import", world.file("command.csv"), list_id=1) is None


def refresh_command(world: World) -> None:
    make_due(world.connection())
    world.watch.command("mailup_refresh_tokens")
    world.watch.planted.add_tokens(world.sandbox)


def rotate_command(world: World) -> None:
    keys = [world.watch.planted.make_key("encryption key"), *world.settings.MAILUP["ENCRYPTION_KEYS"]]
    world.settings.MAILUP = {**world.settings.MAILUP, "ENCRYPTION_KEYS": keys}
    assert isinstance(world.watch.command("mailup_rotate_keys", check=True), CommandError)
    for check in (False, True):
        assert world.watch.command("mailup_rotate_keys", check=check) is None


COMMANDS: dict[str, Callable[[World], None]] = {
    "mailup_connect": connect_command,
    "mailup_import": import_command,
    "mailup_refresh_tokens": refresh_command,
    "mailup_register": register_command,
    "mailup_rotate_keys": rotate_command,
    "mailup_status": lambda world: world.watch.command("mailup_status"),
    "mailup_sandbox": lambda world: None,  # it prints the sandbox's own secret, which is none
}


@contextmanager
def worker() -> Iterator[Celery]:
    """A Celery whose messages stay in this process's memory."""
    app = Celery("canary", broker=BROKER, set_as_current=True)
    try:
        yield app
    finally:
        app.close()


def messages(watch: Watch) -> list[Any]:
    """Note the waiting messages, and return the positional arguments of each."""
    found = []
    with Connection(BROKER) as connection:
        queue = connection.SimpleQueue("celery")
        while queue.qsize():
            message = queue.get_nowait()
            watch.note("celery message", message.payload, message.headers, message.properties)
            found.append(message.payload[0])
            message.ack()
        queue.close()
    return found


def make_due(token: Token) -> None:
    past = timezone.now() - timedelta(hours=1)
    Token.objects.filter(pk=token.pk).update(connected_at=past, expires_at=past, refresh_at=past)


def refresh_tasks(world: World) -> None:
    make_due(world.connection())
    tasks.refresh_expiring_tokens.delay()
    assert len(messages(world.watch)) == 1
    world.watch.run(lambda: tasks.refresh_expiring_tokens.apply(throw=True))
    (batch,) = messages(world.watch)
    world.watch.run(lambda: tasks.refresh_tokens.apply(batch, throw=True))
    world.watch.planted.add_tokens(world.sandbox)
    make_due(world.connection())
    world.sandbox.fail_with("status", status=503, path="/Token")
    world.watch.run(lambda: tasks.refresh_tokens.apply(batch, throw=True))


def import_task(world: World) -> None:
    token = world.connection()
    arguments = (str(world.file("task.csv")), str(token.key))
    tasks.import_csv.apply_async(arguments, {"list_id": 1})
    messages(world.watch)
    result = world.watch.run(lambda: tasks.import_csv.apply(arguments, {"list_id": 1}, throw=True).get())
    assert result["sent"] == 1
    world.watch.objects.append(result)


TASKS: dict[str, Callable[[World], None]] = {
    "django_mailup.refresh_expiring_tokens": refresh_tasks,
    "django_mailup.refresh_tokens": refresh_tasks,
    "django_mailup.import_csv": import_task,
}
