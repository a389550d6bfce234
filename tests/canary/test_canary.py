"""No secret is in any place. Everything is driven, every place is watched, and leaks put in on purpose are found."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.core.management import get_commands
from django.core.management.base import BaseCommand
from django.urls import reverse

from django_mailup import tasks, urls
from django_mailup.conf import app_settings
from django_mailup.models import ClientRegistration
from django_mailup.sandbox import Sandbox
from django_mailup.vault.fields import EncryptedTextField

from . import drivers, jobs
from .planted import Planted
from .site import Held
from .watch import Watch, watching

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def planted(settings: Any) -> Planted:
    made = Planted()
    settings.SECRET_KEY = made.make("SECRET_KEY")
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": [made.make_key("encryption key")]}
    if hasattr(app_settings, "PKCE"):
        settings.MAILUP["PKCE"] = True
    return made


@pytest.fixture
def watch(planted: Planted, admin_user: Any) -> Iterator[Watch]:
    with watching(planted, admin_user) as made:
        yield made
    cache.clear()


@pytest.fixture
def world(
    watch: Watch,
    mailup_sandbox: Sandbox,
    mailup_server: str,
    admin_user: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> drivers.World:
    mailup_sandbox.configure(import_seconds=0.0)
    settings.MAILUP = {**settings.MAILUP, "RATE_LIMIT": 1000}  # so that the cache is used
    mailup_sandbox.state.clients[mailup_sandbox.client_id] = watch.planted.make("client secret")
    mailup_sandbox.state.users["m67890"].password = watch.planted.make("password")
    secret = mailup_sandbox.state.clients[mailup_sandbox.client_id]
    ClientRegistration.objects.create(name="Ours", client_id=mailup_sandbox.client_id, client_secret=secret)
    return drivers.World(watch, mailup_sandbox, admin_user, settings, monkeypatch, tmp_path)


def test_everything_that_there_is_is_driven() -> None:
    """A new page, command or task must get a driver. Admin pages and actions are found when they are driven."""
    with jobs.worker():
        known = {name for name in current_app.tasks if name.startswith("django_mailup.")}

    assert tasks.__name__ == "django_mailup.tasks"
    assert set(jobs.TASKS) == known
    assert set(drivers.PAGES) == {pattern.name for pattern in urls.urlpatterns}
    assert set(jobs.COMMANDS) == {name for name, app in get_commands().items() if app == "django_mailup"}


def encrypted_columns() -> set[tuple[type, str]]:
    models = apps.get_app_config("django_mailup").get_models()
    return {(m, field.name) for m in models for field in m._meta.get_fields() if isinstance(field, EncryptedTextField)}


@pytest.mark.slow
def test_no_place_shows_a_secret(world: drivers.World) -> None:
    watch = world.watch
    filled: set[tuple[type, str]] = set()
    for page in drivers.PAGES.values():
        page(world)
        filled |= {(m, c) for m, c in encrypted_columns() if any(getattr(row, c) for row in m._default_manager.all())}
    drivers.fail_on(
        world,
        urls.urlpatterns,
        "django_mailup",
        key=world.connection().key,
        reason="error",
        state=watch.planted.make("state"),
    )
    drivers.drive_admin(world)
    for command in jobs.COMMANDS.values():
        command(world)
    with jobs.worker():
        for task in jobs.TASKS.values():
            task(world)
    drivers.drive_faults(world)
    watch.look()

    assert filled == encrypted_columns()
    assert watch.planted.kinds() == {
        "SECRET_KEY", "encryption key", "client secret", "access token", "refresh token", "code", "state", "verifier",
        "password",
    }  # fmt: skip
    assert set(watch.shown) >= set(LEAKS)
    assert {place for place in LEAKS if not any(text for text, _ in watch.shown[place])} == set()
    assert watch.leaks() == {}


def fail_with(middleware: str, *, debug: bool = False) -> Callable[[Watch, Any, str], None]:
    def leak(watch: Watch, settings: Any, secret: str) -> None:
        Held.text = secret
        settings.DEBUG = debug
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"tests.canary.site.{middleware}"]
        watch.request("GET", reverse("django_mailup:connections"))

    return leak


def leak_into_a_session(watch: Watch, settings: Any, secret: str) -> None:
    session = SessionStore()
    session["leak"] = secret
    session.save()


def leak_into_the_log_of_actions(watch: Watch, settings: Any, secret: str) -> None:
    kind = ContentType.objects.get_for_model(ClientRegistration)
    user = ClientRegistration.tokens.field.model.user.field.related_model.objects.get()
    LogEntry.objects.create(user=user, content_type=kind, action_flag=CHANGE, change_message=f"Changed to {secret}")


def leak_into_a_column(watch: Watch, settings: Any, secret: str) -> None:
    ClientRegistration.objects.create(name=f"Ours {secret}", client_id="leak", client_secret="x")


def leak_into_a_message(watch: Watch, settings: Any, secret: str) -> None:
    with jobs.worker():
        tasks.import_csv.apply_async(("file.csv", secret))
        jobs.messages(watch)


class Talkative(BaseCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(Held.text)


def leak_into_output(watch: Watch, settings: Any, secret: str) -> None:
    Held.text = secret
    watch.command(Talkative())


class Open:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Open({self.text!r})"


LEAKS: dict[str, Callable[[Watch, Any, str], object]] = {
    "response": fail_with("showing_middleware"),
    "debug page": fail_with("leaking_middleware", debug=True),
    "error mail": fail_with("leaking_middleware"),
    "sentry": fail_with("leaking_middleware"),
    "sentry breadcrumbs": fail_with("logging_middleware"),
    "log": lambda watch, settings, secret: logging.getLogger("some.library").debug("Sent %s", secret),
    "repr": lambda watch, settings, secret: watch.objects.append([Open(secret)]),
    "session": leak_into_a_session,
    "log entry": leak_into_the_log_of_actions,
    "database": leak_into_a_column,
    "dumpdata": leak_into_a_column,
    "cache": lambda watch, settings, secret: cache.set("leak", {"a": secret}),
    "celery message": leak_into_a_message,
    "command output": leak_into_output,
}


@pytest.mark.parametrize("place", LEAKS)
def test_the_canary_finds_a_leak_in_each_place(watch: Watch, settings: Any, place: str) -> None:
    watch.look()
    assert watch.leaks() == {}
    LEAKS[place](watch, settings, watch.planted.make("client secret"))
    watch.look()

    assert watch.leaks()[place] == {"client secret"}
