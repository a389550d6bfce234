"""Exceptions that leave without local variables: those of the function, of what it called, and of their causes."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import pre_save
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone
from requests.adapters import BaseAdapter

from django_mailup import request_secrets, services
from django_mailup.admin import ClientRegistrationAdmin
from django_mailup.connections import authorization, begin, callback, state
from django_mailup.frames import forgets_locals
from django_mailup.mailup import AccessToken, Provisioning, Transport, Trial
from django_mailup.management.commands import mailup_connect, mailup_register
from django_mailup.models import AuthorizationRequest, ClientRegistration, Token
from django_mailup.registrations import store
from django_mailup.sandbox import Sandbox
from django_mailup.secret import Secret
from django_mailup.vault.sealed import Sealed

from .journey import Journey, consent, led_to


def variables_of(error: BaseException | None) -> str:
    """Return the local variables of all frames below this module's tests, of an exception and of its causes."""
    shown = []
    while error is not None:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        shown += [repr(frame.f_locals) for frame in frames if not frame.f_code.co_name.startswith("test_")]
        error = error.__cause__ or error.__context__
    return "\n".join(shown)


def inner(secret: str) -> None:
    copied = secret * 2
    raise KeyError(len(copied))


@forgets_locals
def plain(secret: str) -> None:
    inner(secret)


@forgets_locals
def chained(secret: str) -> None:
    try:
        inner(secret)
    except KeyError as error:
        raise ValueError from error


@forgets_locals
def in_context(secret: str) -> None:
    try:
        inner(secret)
    except KeyError:
        raise ValueError  # noqa: B904


@forgets_locals
def grouped(secret: str) -> None:
    try:
        inner(secret)
    except KeyError as error:
        raise ExceptionGroup("several", [error]) from None


def kept(secret: str) -> KeyError:
    """Return what `inner` raises, for an exception that is raised later and has no context."""
    try:
        inner(secret)
    except KeyError as error:
        return error
    raise AssertionError


@forgets_locals
def caused_earlier(secret: str) -> None:
    earlier = kept(secret)
    raise ValueError from earlier


@forgets_locals
def grouped_earlier(secret: str) -> None:
    earlier = kept(secret)
    raise ExceptionGroup("several", [earlier])


@forgets_locals
def interrupted(secret: str) -> None:
    try:
        inner(secret)
    except KeyError:
        raise KeyboardInterrupt  # noqa: B904


@pytest.mark.parametrize(
    "function", [plain, chained, in_context, grouped, caused_earlier, grouped_earlier, interrupted]
)
@pytest.mark.parametrize("by_name", [False, True])
def test_no_frame_keeps_its_variables(function: Any, by_name: bool) -> None:
    with pytest.raises(BaseException) as caught:
        function(secret="planted") if by_name else function("planted")

    assert "planted" not in variables_of(caught.value)
    if isinstance(caught.value, ExceptionGroup):
        assert "planted" not in variables_of(caught.value.exceptions[0])
    assert "raise KeyError(len(copied))" in "".join(traceback.format_exception(caught.value)) or function is grouped


def test_without_the_decorator_they_would() -> None:
    with pytest.raises(KeyError) as caught:
        plain.__wrapped__("planted")  # type: ignore[attr-defined]

    assert "planted" in variables_of(caught.value)


def test_what_the_caller_was_handling_is_left_alone() -> None:
    def handle(note: str) -> None:
        try:
            inner(note)
        except KeyError:
            plain("planted")

    with pytest.raises(KeyError) as caught:
        handle("the caller's")

    assert caught.value.__context__ is not None
    assert "the caller's" * 2 in variables_of(caught.value.__context__)


def test_a_generator_of_the_callers_goes_on() -> None:
    def numbers() -> Iterator[int]:
        try:
            inner("the caller's")
        except KeyError:
            with pytest.raises(KeyError):
                plain("planted")
            yield 1
        yield 2

    assert list(numbers()) == [1, 2]


def test_results_and_names_stay() -> None:
    @forgets_locals
    def add(one: int, *, two: int = 2) -> int:
        return one + two

    assert add(1) == 3
    assert add.__name__ == "add"


# ----------------------------------------------------------- the functions that handle secrets


class Broken(Exception):
    """Something of the site's breaks."""


def broken(*_: object, **__: object) -> None:
    raise Broken


@contextmanager
def broken_database() -> Iterator[None]:
    """Let each query fail, as when the server is gone."""
    with connection.execute_wrapper(broken):
        yield


@contextmanager
def broken_save(model: type) -> Iterator[None]:
    """Let a receiver of the site's fail whenever a row of a model is saved."""
    pre_save.connect(broken, sender=model)
    try:
        yield
    finally:
        pre_save.disconnect(broken, sender=model)


@dataclass
class World:
    """What the failing calls use."""

    sandbox: Sandbox
    registration: ClientRegistration
    user: Any
    browser: Client
    monkeypatch: pytest.MonkeyPatch


@pytest.fixture
def world(
    db: None,
    mailup_sandbox: Sandbox,
    mailup_registration: ClientRegistration,
    admin_user: Any,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    client.force_login(admin_user)
    return World(mailup_sandbox, mailup_registration, admin_user, client, monkeypatch)


def press_connect(world: World) -> None:
    with broken_save(AuthorizationRequest):
        world.browser.post("/mailup/connect/")


def start(world: World) -> None:
    pending = AuthorizationRequest(user=world.user, registration=world.registration)
    with broken_save(AuthorizationRequest):
        begin._start(pending, session="planted", clock=timezone.now)


def come_back(world: World) -> None:
    with broken_save(Token):
        found = consent(world.sandbox, led_to(world.browser.post("/mailup/connect/")))
        world.browser.get(found.pop("path"), found)


def complete(world: World) -> None:
    with broken_save(Token):
        Journey(world.sandbox, world.user).connect()


def issue(world: World) -> None:
    with broken_database():
        state.issue(AuthorizationRequest(registration=world.registration), session="planted")


def find(world: World) -> None:
    with broken_database():
        state.find("planted")


def log_in(world: World) -> None:
    with broken_save(Token):
        authorization.connect_with_password(username="m12345", password="sandbox")


def register(world: World) -> None:
    with broken_save(ClientRegistration):
        store.register(name="Ours", client_id="other", client_secret="planted")


def register_by_command(world: World) -> None:
    world.monkeypatch.setenv("MAILUP_CLIENT_SECRET", "planted")
    with broken_save(ClientRegistration):
        call_command("mailup_register", "--client-id=other", "--noinput")


def connect_by_command(world: World) -> None:
    world.monkeypatch.setenv("MAILUP_PASSWORD", "sandbox")
    with broken_save(Token):
        call_command("mailup_connect", "m12345")


def enter_secret(world: World) -> None:
    url = f"/admin/django_mailup/clientregistration/{world.registration.pk}/change/"
    fields = {"name": "Ours", "slug": "default", "client_id": "b", "enabled": "on", "new_secret": "planted"}
    with broken_save(ClientRegistration):
        world.browser.post(url, fields)


def too_many_parameters() -> dict[str, str]:
    return {f"p{number}": "planted" for number in range(2000)}


def take(world: World) -> None:
    request_secrets.take_url(RequestFactory().get("/", {**too_many_parameters(), "code": "planted"}), Secret("planted"))


def hide(world: World) -> None:
    request_secrets.hide_posted(RequestFactory().post("/", too_many_parameters()), "new_secret")


def assign(world: World) -> None:
    with override_settings(MAILUP={"ENCRYPTION_KEYS": ["no key"]}):
        world.registration.client_secret = "planted"  # type: ignore[assignment]


def assign_nonsense(world: World) -> None:
    world.registration.client_secret = ["planted"]  # type: ignore[assignment]


def seal_for_field(world: World) -> None:
    with override_settings(MAILUP={"ENCRYPTION_KEYS": ["no key"]}):
        FIELD.seal("planted", world.registration.key)


def seal(world: World) -> None:
    with override_settings(MAILUP={"ENCRYPTION_KEYS": ["no key"]}):
        Sealed.seal("planted", FIELD.sealed_column, world.registration.key)


def send(world: World) -> None:
    Transport(timeout=(1, 1), adapter=BrokenAdapter()).send("GET", "https://mailup.example/", AccessToken("planted"))


def ask_for_a_trial(world: World) -> None:
    provisioning = Provisioning("planted", "planted", adapter=BrokenAdapter())
    provisioning.trial_status(trial=Trial(id="1", hash="planted"))


class BrokenAdapter(BaseAdapter):
    """A network that isn't there."""

    def send(self, *_: Any, **__: Any) -> Any:
        raise requests.ConnectionError

    def close(self) -> None:
        """Do nothing."""


FIELD: Any = ClientRegistration._meta.get_field("client_secret")
FORGETFUL: dict[str, tuple[Callable[..., Any], Callable[[World], None]]] = {
    "AuthorizeView": (services.begin, press_connect),
    "CallbackView": (services.complete, come_back),
    "admin": (ClientRegistrationAdmin.change_view, enter_secret),
    "begin._start": (begin._start, start),
    "callback._complete": (callback._complete, complete),
    "state.issue": (state.issue, issue),
    "state.find": (state.find, find),
    "connect_with_password": (authorization.connect_with_password, log_in),
    "register": (store.register, register),
    "mailup_register": (mailup_register.Command.handle, register_by_command),
    "mailup_connect": (mailup_connect.Command.handle, connect_by_command),
    "take_url": (request_secrets.take_url, take),
    "hide_posted": (request_secrets.hide_posted, hide),
    "assigned": (type(ClientRegistration.client_secret).__set__, assign),
    "assigned-wrongly": (type(ClientRegistration.client_secret).__set__, assign_nonsense),
    "field.seal": (type(FIELD).seal, seal_for_field),
    "Sealed.seal": (Sealed.seal, seal),
    "Transport.send": (Transport.send, send),
    "Provisioning": (Provisioning._post, ask_for_a_trial),
}
"""What handles a secret: a function on the way, and a call that fails in it."""


@pytest.mark.parametrize("name", FORGETFUL)
def test_what_handles_secrets_forgets_them_when_it_fails(name: str, world: World) -> None:
    function, call = FORGETFUL[name]
    code = inspect.unwrap(function).__code__
    with pytest.raises(Exception) as caught:
        call(world)

    left, error = [], caught.value
    while error is not None:
        left += [frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code is code]
        error = error.__cause__ or error.__context__
    assert left, "the call failed elsewhere"
    assert not any(left)
