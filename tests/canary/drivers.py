"""Do what people do: show every page, take every action in the admin; and let MailUp fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import override_settings
from django.urls import URLPattern, reverse
from django.utils import timezone

from django_mailup import services
from django_mailup.mailup import AuthorizationCode, Password, RefreshToken
from django_mailup.models import AuthorizationRequest, ClientRegistration, Token
from django_mailup.registrations.oauth import oauth_client
from django_mailup.sandbox import Sandbox

from ..journey import consent
from .site import mailup_url
from .watch import Watch

FAILING = ["tests.canary.site.failing_middleware"]


class World:
    """A site with a registration, and a MailUp; `user` may do everything."""

    def __init__(
        self, watch: Watch, sandbox: Sandbox, user: Any, settings: Any, patch: pytest.MonkeyPatch, folder: Path
    ) -> None:
        self.watch, self.sandbox, self.user = watch, sandbox, user
        self.settings, self.patch, self.folder = settings, patch, folder

    def connection(self) -> Token:
        """Return a connection of the user's, made by the password grant."""
        token = services.connect_with_password(username="m67890", password=self.password, user=self.user)
        self.watch.planted.add_tokens(self.sandbox)
        self.watch.objects.append(token)
        return token

    @property
    def password(self) -> str:
        return self.sandbox.state.users["m67890"].password

    def file(self, name: str) -> Path:
        path = self.folder / name
        path.write_text("email,name\nada@example.com,Ada\nnobody,=1+1\n", encoding="utf-8")
        return path


def press_connect(world: World, **fields: str) -> str:
    """Press Connect, plant the state and the verifier, and return MailUp's URL, on which the browser is led."""
    watch = world.watch
    pressed = watch.request("POST", reverse("django_mailup:authorize"), fields, allowed=["state"])
    url = mailup_url(pressed)
    watch.planted.add("state", parse_qs(urlsplit(url).query)["state"][0])
    pending = AuthorizationRequest.objects.latest("pk")
    if not pending.code_verifier:
        pending.code_verifier = watch.planted.make("verifier")
        pending.save(update_fields=["code_verifier"])
    else:
        watch.planted.add("verifier", pending.code_verifier.reveal())
    watch.objects.append(pending)
    watch.look()
    return url


def come_back(world: World, url: str, **options: Any) -> None:
    world.watch.listening = False
    answer = consent(world.sandbox, url)
    world.watch.listening = True
    world.watch.planted.add("code", answer["code"])
    world.watch.request("GET", answer.pop("path"), answer, **options)
    world.watch.planted.add_tokens(world.sandbox)


def connections_page(world: World) -> None:
    world.connection()
    world.watch.request("GET", reverse("django_mailup:connections"))


def authorize_page(world: World) -> None:
    world.watch.request("GET", reverse("django_mailup:authorize"), {"next": "/"})
    press_connect(world, next="/")


def callback_page(world: World) -> None:
    come_back(world, press_connect(world))
    assert Token.objects.filter(user=world.user, account_username="m12345").exists()
    come_back(world, press_connect(world, for_site="on"))
    reload = {"cookies": False, "allowed": ["state", "code"]}  # the page leads the same browser to the same URL again
    with override_settings(SESSION_COOKIE_SAMESITE="Strict"):
        come_back(world, press_connect(world), **reload)
    world.sandbox.fail_with("status", status=400, path="/Token")
    come_back(world, press_connect(world))
    forged = world.watch.planted.make("code"), world.watch.planted.make("state")
    world.watch.request("GET", reverse("django_mailup:callback"), dict(zip(["code", "state"], forged, strict=True)))
    world.watch.request("GET", reverse("django_mailup:callback"), {"error": "access_denied", "state": forged[1]})
    world.watch.request("POST", reverse("django_mailup:callback", args=[forged[1]]), {"code": forged[0]})


def disconnect_page(world: World) -> None:
    path = reverse("django_mailup:disconnect", args=[world.connection().key])
    for method in ("GET", "POST"):
        assert world.watch.request(method, path).status_code in (200, 302)


def failed_page(world: World) -> None:
    world.watch.request("GET", reverse("django_mailup:failed", args=["state_mismatch"]))


PAGES: dict[str, Callable[[World], None]] = {
    "connections": connections_page,
    "authorize": authorize_page,
    "callback": callback_page,
    "disconnect": disconnect_page,
    "failed": failed_page,
}


def fail_on(world: World, patterns: list[URLPattern], namespace: str, **arguments: Any) -> None:
    """Ask for each of these pages while a middleware of the site fails after the view."""
    planted = world.watch.planted
    for pattern in patterns:
        if pattern.name is None:
            continue
        names = pattern.pattern.converters
        values = {name: arguments[name] for name in names}
        query = {"code": planted.make("code"), "state": planted.make("state")}
        for debug in (False, True):
            with override_settings(DEBUG=debug, MIDDLEWARE=[*world.settings.MIDDLEWARE, *FAILING]):
                path = reverse(f"{namespace}:{pattern.name}", kwargs=values)
                assert world.watch.request("GET", path, query if "callback" in path else {}).status_code == 500


def admins() -> Iterator[tuple[type[Model], admin.ModelAdmin[Any]]]:
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label == "django_mailup":
            yield model, model_admin


def drive_admin(world: World) -> None:
    """Show every page of our models, enter a secret, and take every action."""
    watch = world.watch
    path = "admin:django_mailup_clientregistration_"
    fields = {"name": "Second", "slug": "second", "client_id": "second", "enabled": "on"}
    secret = {"new_secret": watch.planted.make("client secret")}
    assert watch.request("POST", reverse(f"{path}add"), {**fields, **secret}).status_code == 302
    second = ClientRegistration.objects.get(slug="second")
    secret = {"new_secret": watch.planted.make("client secret")}
    for changed in ({"name": ""}, {"name": "Third"}):
        watch.request("POST", reverse(f"{path}change", args=[second.pk]), {**fields, **secret, **changed})
    assert ClientRegistration.objects.get(pk=second.pk).name == "Third"
    for model, model_admin in admins():
        token = world.connection()
        row = token if model is Token else second
        for pattern in model_admin.get_urls():
            if pattern.name:
                arguments = {"object_id": row.pk} if "object_id" in pattern.pattern.converters else {}
                watch.request("GET", reverse(f"admin:{pattern.name}", kwargs=arguments))
        fail_on(world, model_admin.get_urls(), "admin", object_id=row.pk)
        for action in action_names(model_admin):
            row = world.connection() if model is Token else second
            chosen = {"action": action, "_selected_action": str(row.pk)}
            watch.request("POST", reverse(f"admin:django_mailup_{model._meta.model_name}_changelist"), chosen)
        watch.objects += model._default_manager.all()


def action_names(model_admin: admin.ModelAdmin[Any]) -> list[str]:
    return [action if isinstance(action, str) else action.__name__ for action in model_admin.actions or ()]


def drive_faults(world: World) -> None:
    """Let MailUp fail in many ways, sending back the secrets that it was sent, and note every exception."""
    watch, planted = world.watch, world.watch.planted
    token = world.connection()
    registration = ClientRegistration.objects.get(pk=token.registration_id)
    client = oauth_client(registration, clock=timezone.now)
    grants = [
        AuthorizationCode(planted.make("code"), f"https://site.example/{planted.make('state')}/"),
        Password("m67890", planted.make("password")),
        RefreshToken(planted.make("refresh token")),
    ]
    api = services.client_for(world.user, account=token)
    watch.objects += [client, api, token.access_token, token.refresh_token, registration.client_secret, *grants]
    echoed = " ".join(text for texts in planted._texts.values() for text in texts)
    for status in (200, 400, 401, 403, 404, 429, 500, 302):
        in_use = Token.objects.get(pk=token.pk).access_token.reveal()
        body = json.dumps({"error": echoed, "ErrorCode": in_use, "ErrorDescription": f"Bad token {in_use}"})
        for grant in grants:
            world.sandbox.fail_with("body", status=status, body=body, path="/Token")
            watch.run(lambda grant=grant: client.exchange(grant))
        world.sandbox.fail_with("body", status=status, body=body, path="/Console/Email", times=-1)
        watch.run(lambda: api.request("POST", "/Console/Email/Send", patience=0))
        world.sandbox.faults.clear()
    planted.add_tokens(world.sandbox)
    pair = watch.run(lambda: client.exchange(Password("m67890", world.password)))
    planted.add_tokens(world.sandbox)
    watch.objects += [pair, api.account.info()]
