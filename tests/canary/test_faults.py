"""Our own faults leak nothing: not in error mails with HTML, not on debug pages, not to sentry-sdk with locals."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from django.db.models.signals import pre_save
from django.urls import reverse

from django_mailup import network, services, signals
from django_mailup.exceptions import DecryptionFailed
from django_mailup.models import ClientRegistration, Token
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

from ..journey import consent
from .planted import Planted
from .reports import crash_reports
from .site import Site, mailup_url

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def planted(settings: Any) -> Planted:
    """Keys that the site uses."""
    made = Planted()
    settings.SECRET_KEY = made.make("SECRET_KEY")
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": [made.make_key("encryption key")]}
    return made


def fail(**_: object) -> None:
    raise RuntimeError("a receiver of the site's")


@contextmanager
def failing_save(model: type) -> Iterator[None]:
    pre_save.connect(fail, sender=model)
    try:
        yield
    finally:
        pre_save.disconnect(fail, sender=model)


@contextmanager
def failing_receiver() -> Iterator[None]:
    signals.account_connected.connect(fail)
    try:
        yield
    finally:
        signals.account_connected.disconnect(fail)


class Fault:
    """Something of the site's that breaks, and by what its reports are recognised."""

    def __init__(self, name: str, recognised_by: str, **values: Any) -> None:
        self.name, self.recognised_by, self.values = name, recognised_by, values

    def __repr__(self) -> str:
        return self.name

    @contextmanager
    def broken(self, settings: Any, model: type) -> Iterator[None]:
        """Break it. What is saved meanwhile is a `model`."""
        for name, value in self.values.items():
            changed = {**getattr(settings, name), **value} if isinstance(value, dict) else value
            setattr(settings, name, [*settings.MIDDLEWARE, *value] if name == "MIDDLEWARE" else changed)
        if self.name == "keys":
            settings.MAILUP["ENCRYPTION_KEYS"] = [*settings.MAILUP["ENCRYPTION_KEYS"], "no key"]
        with failing_save(model) if self.name == "save" else failing_receiver():
            yield


def register(planted: Planted, sandbox: Sandbox) -> None:
    """Register a client with a new secret at the sandbox and here."""
    sandbox.state.clients[sandbox.client_id] = planted.make("client secret")
    secret = sandbox.state.clients[sandbox.client_id]
    ClientRegistration.objects.create(name="Ours", client_id=sandbox.client_id, client_secret=secret)


SESSION = Fault("session", "session backend is down", SESSION_ENGINE="tests.canary.site")
SAVE = Fault("save", "a receiver of the site")
KEYS = Fault("keys", "ENCRYPTION_KEYS")
MIDDLEWARE = Fault("middleware", "a middleware of the site", MIDDLEWARE=["tests.canary.site.failing_middleware"])
MESSAGES = Fault("messages", "message storage is down", MESSAGE_STORAGE="tests.canary.site.BrokenMessages")
TARGET = Fault("target", "NoReverseMatch", MAILUP={"CONNECTED_URL": "no-such-url"})
RECEIVER = Fault("receiver", "a receiver of the site")


@pytest.mark.parametrize("debug", [False, True], ids=["production", "DEBUG"])
@pytest.mark.parametrize("state_in", ["path", "query"])
@pytest.mark.parametrize("fault", [SESSION, SAVE, MIDDLEWARE, MESSAGES, TARGET, RECEIVER], ids=repr)
def test_a_fault_in_the_callback(
    planted: Planted, mailup_sandbox: Sandbox, user: Any, settings: Any, fault: Fault, state_in: str, debug: bool
) -> None:
    settings.MAILUP = {**settings.MAILUP, "STATE_IN": state_in}
    register(planted, mailup_sandbox)
    site = Site(user)
    pressed = site.request("POST", reverse("django_mailup:authorize"), {})
    url = mailup_url(pressed)
    answer = consent(mailup_sandbox, url)
    planted.add("code", answer["code"])
    planted.add("state", parse_qs(urlsplit(url).query)["state"][0])
    for shown in site.shown.values():
        shown.clear()
    settings.DEBUG = debug
    with fault.broken(settings, Token):
        response = site.request("GET", answer.pop("path"), answer)

    assert response.status_code == (302 if fault is RECEIVER else 500)
    assert fault.recognised_by in str(site.shown["sentry"])
    if response.status_code == 500:
        assert fault.recognised_by in str(site.shown["answer" if debug else "error mail"])
    planted.add_tokens(mailup_sandbox)
    assert planted.found_in(*site.shown["answer"], *site.shown["error mail"], *site.shown["sentry"]) == set()
    # What the server logs about the request is made of this, afterwards.
    assert planted.found_in({k: v for k, v in site.environ.items() if isinstance(v, str)}) == set()


@pytest.mark.parametrize("debug", [False, True], ids=["production", "DEBUG"])
@pytest.mark.parametrize("encoding", ["application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize("fault", [SESSION, SAVE, KEYS, MIDDLEWARE], ids=repr)
@pytest.mark.parametrize("page", ["add", "change"])
def test_a_fault_while_a_client_secret_is_entered(
    planted: Planted, admin_user: Any, settings: Any, page: str, fault: Fault, encoding: str, debug: bool
) -> None:
    arguments = []
    if page == "change":
        arguments = [ClientRegistration.objects.create(name="Ours", client_id="a", client_secret="old").pk]
    fields = {"name": "Ours", "slug": "default", "client_id": "b", "enabled": "on"}
    site = Site(admin_user)
    settings.DEBUG = debug
    with fault.broken(settings, ClientRegistration):
        response = site.request(
            "POST",
            reverse(f"admin:django_mailup_clientregistration_{page}", args=arguments),
            {**fields, "new_secret": planted.make("client secret")},
            content_type=encoding,
        )

    assert planted.found_in(*site.shown["answer"], *site.shown["error mail"], *site.shown["sentry"]) == set()
    if fault is KEYS:  # the form says it
        assert response.status_code == 200
        assert fault.recognised_by in str(site.shown["answer"])
    else:
        assert response.status_code == 500
        assert fault.recognised_by in str(site.shown["answer" if debug else "error mail"])
        assert fault.recognised_by in str(site.events)


@pytest.mark.parametrize("action", ["refresh_now", "test_connection", "disconnect"])
def test_a_fault_in_an_action_on_tokens(
    planted: Planted, mailup_sandbox: Sandbox, admin_user: Any, settings: Any, action: str
) -> None:
    register(planted, mailup_sandbox)
    token = services.connect_with_password(username="m12345", password="sandbox")
    planted.add_tokens(mailup_sandbox)
    site = Site(admin_user)
    settings.DEBUG = True
    with MIDDLEWARE.broken(settings, Token):
        site.request(
            "POST",
            reverse("admin:django_mailup_token_changelist"),
            {"action": action, "_selected_action": str(token.pk)},
        )
    planted.add_tokens(mailup_sandbox)

    assert MIDDLEWARE.recognised_by in str(site.shown["answer"])
    assert planted.found_in(*site.shown["answer"], *site.shown["error mail"], *site.shown["sentry"]) == set()


def test_a_callback_with_too_many_parameters(planted: Planted, user: Any, settings: Any) -> None:
    site = Site(user)
    query = {
        "code": planted.make("code"),
        "state": planted.make("state"),
        **{f"p{number}": "" for number in range(2000)},
    }
    for debug in (False, True):
        settings.DEBUG = debug
        response = site.request("GET", reverse("django_mailup:callback"), query)
        assert response.status_code == 400

    assert "TooManyFieldsSent" in str(site.shown["answer"])
    assert planted.found_in(*site.shown["answer"], *site.shown["error mail"], *site.shown["sentry"]) == set()


def test_keys_that_cannot_be_used_are_not_shown_to_a_sites_own_view(
    planted: Planted, mailup_sandbox: Sandbox, user: Any, settings: Any
) -> None:
    register(planted, mailup_sandbox)
    services.connect_with_password(username="m12345", password="sandbox", user=user)
    planted.add_tokens(mailup_sandbox)
    with KEYS.broken(settings, Token):
        _, shown = crash_reports(lambda: services.client_for(user))
    settings.MAILUP["ENCRYPTION_KEYS"] = [planted.make_key("encryption key")]
    failure, more = crash_reports(lambda: services.client_for(user))

    assert isinstance(failure, DecryptionFailed)
    assert planted.found_in(*shown, *more) == set()


@pytest.mark.parametrize("fault", [SAVE, KEYS], ids=repr)
def test_a_crash_of_mailup_register(
    planted: Planted, settings: Any, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setenv("MAILUP_CLIENT_SECRET", planted.make("client secret"))
    with fault.broken(settings, ClientRegistration):
        failure, shown = crash_reports(lambda: call_command("mailup_register", "--client-id=a", "--noinput"))

    assert fault.recognised_by in str(failure)
    assert planted.found_in(*shown, failure, repr(failure)) == set()
    assert planted.found_in(os.environ["MAILUP_CLIENT_SECRET"]) == {"client secret"}


@pytest.mark.parametrize("prompted", [False, True])
def test_a_crash_of_mailup_connect(
    planted: Planted, mailup_sandbox: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch, prompted: bool
) -> None:
    register(planted, mailup_sandbox)
    mailup_sandbox.state.users["m12345"].password = planted.make("password")
    if prompted:
        monkeypatch.setattr("getpass.getpass", lambda _: mailup_sandbox.state.users["m12345"].password)
    else:
        monkeypatch.setenv("MAILUP_PASSWORD", mailup_sandbox.state.users["m12345"].password)
    with SAVE.broken(settings, Token):
        failure, shown = crash_reports(lambda: call_command("mailup_connect", "m12345"))
    planted.add_tokens(mailup_sandbox)

    assert SAVE.recognised_by in str(failure)
    assert planted.kinds() >= {"password", "client secret", "access token", "refresh token"}
    assert planted.found_in(*shown, failure, repr(failure)) == set()


class Interrupted(Exception):
    """Like Celery's SoftTimeLimitExceeded."""


class InterruptingAdapter(SandboxAdapter):
    """A network on which a call is interrupted, as by a signal handler."""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        headers = dict(request.headers)  # what urllib3's frames hold
        raise Interrupted(len(headers))


def test_an_interrupted_call(planted: Planted, mailup_sandbox: Sandbox, user: Any) -> None:
    register(planted, mailup_sandbox)
    services.connect_with_password(username="m12345", password="sandbox", user=user)
    planted.add_tokens(mailup_sandbox)
    before = network.replace(InterruptingAdapter(mailup_sandbox))
    try:
        failure, shown = crash_reports(lambda: list(services.client_for(user).lists.all()))
    finally:
        network.replace(before)

    assert isinstance(failure, Interrupted)
    assert planted.found_in(*shown) == set()
