"""The judge of hostile requests finds each kind of wrong: each is made here by hand, and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from django_mailup.models import AuthorizationRequest, ClientRegistration, Token
from django_mailup.services import refresh
from django_mailup.testing import use_sandbox

from .drivers import Faults, Reply
from .hostile_requests import HostileRequest
from .hunt import Hunt
from .people import World

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
REQUEST = HostileRequest("GET", b"/mailup/", b"", (), b"")
Change = Callable[[World], object]


@pytest.fixture
def hunt() -> Iterator[Hunt]:
    in_use = use_sandbox()
    with in_use as sandbox:
        world = World(sandbox)
        world.populate()
        yield Hunt(world, Faults(), in_use.requests)


class Doing:
    """Stands for a request that had an effect: it makes one change, and answers with a redirect."""

    def __init__(self, change: Change, world: World, location: str = "") -> None:
        self.change, self.world, self.location = change, world, location

    def send(self, request: HostileRequest) -> Reply:
        self.change(self.world)
        return Reply(302, self.location)


def judge(hunt: Hunt, who: str, change: Change) -> list[str]:
    browser = next(each for each in hunt.world.browsers if each.name == who)
    hunt.send(Doing(change, hunt.world), browser, REQUEST)
    return hunt.findings.wrong_rows


def of(world: World, name: str | None) -> Any:
    return Token.objects.filter(user=world.users[name] if name else None)


def request_of(world: World, name: str, **columns: Any) -> None:
    registration = ClientRegistration.objects.get()
    number = AuthorizationRequest.objects.count()
    AuthorizationRequest.objects.create(
        user=world.users[name], registration=registration, state_hash=f"{number}", session_hash="x",
        redirect_uri="https://testserver/", expires_at=timezone.now() + timedelta(minutes=9), **columns,
    )  # fmt: skip


def others_answer(world: World) -> None:
    """Let the code that MailUp gave to Ada be exchanged by whoever asks."""
    from django_mailup.mailup.grants import AuthorizationCode
    from django_mailup.registrations import oauth

    answer = next(each for each in world.answers if each.browser.name == "ada")
    grant = AuthorizationCode(answer.code, f"https://testserver{answer.path}")
    oauth.exchange(world.registration, grant, clock=timezone.now)


def rename_registration(world: World) -> None:
    ClientRegistration.objects.update(client_id="theirs")


WRONG: dict[str, tuple[str, Change, str]] = {
    "another's connection goes": ("leo", lambda w: of(w, "ada").first().delete(), "leo deleted a connection"),
    "the site's connection goes": ("ada", lambda w: of(w, None).first().delete(), "ada deleted a connection of None"),
    "a connection changes hands": ("root", lambda w: Token.objects.filter(pk=of(w, "ada").first().pk).update(
        user=w.users["leo"], account_uid="7"), "root changed ['account', 'owner']"),
    "a viewer renews": ("viewer", lambda w: refresh(of(w, "ada").first()), "viewer renewed or ended"),
    "another's connection ends": ("leo", lambda w: of(w, "ada").update(status="reauthorization_required"),
                                  "leo renewed or ended"),
    "a connection for another": ("leo", lambda w: Token.objects.create(
        user=w.users["ada"], registration=w.registration, access_token="a", refresh_token="r",
        expires_at=timezone.now(), refresh_at=timezone.now(), connected_at=timezone.now()), "leo made a connection"),
    "a connection of the site": ("nobody", lambda w: Token.objects.create(
        user=None, registration=w.registration, access_token="a", refresh_token="r",
        expires_at=timezone.now(), refresh_at=timezone.now(), connected_at=timezone.now()),
        "nobody made a connection of the site"),
    "a registration changes": ("viewer", rename_registration, "viewer did change a client registration"),
    "a registration is added": ("editor", lambda w: ClientRegistration.objects.create(
        name="x", slug="x", client_id="x", client_secret="x"), "editor did add a client registration"),
    "an authorization for another": ("leo", lambda w: request_of(w, "ada"), "leo started an authorization"),
    "an authorization of the site": ("leo", lambda w: request_of(w, "leo", for_site=True),
                                     "leo started an authorization of the site"),
    "an authorization for another's connection": ("leo", lambda w: request_of(
        w, "leo", token_key=of(w, "ada").first().key), "leo started to reconnect a connection of"),
    "too many authorizations": ("leo", lambda w: [request_of(w, "leo") for _ in range(25)], "under way"),
    "another's authorization is spent": ("leo", lambda w: AuthorizationRequest.objects.filter(
        user=w.users["ada"]).delete(), "leo spent an authorization of ada"),
    "a user becomes more": ("root", lambda w: get_user_model().objects.filter(username="leo").update(is_staff=True),
                            "a user was added"),
    "another's code is exchanged": ("leo", others_answer, "leo had a code exchanged that belongs to ada"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(hunt: Hunt, name: str) -> None:
    who, change, sentence = WRONG[name]

    assert any(sentence in line for line in judge(hunt, who, change)), hunt.findings


RIGHT: dict[str, tuple[str, Change]] = {
    "nothing happens": ("nobody", lambda w: None),
    "one's own connection goes": ("ada", lambda w: of(w, "ada").first().delete()),
    "an editor renews": ("editor", lambda w: refresh(of(w, "ada").first())),
    "an editor renames the registration": ("editor", rename_registration),
    "one's own authorization": ("leo", lambda w: request_of(w, "leo")),
    "an authorization of the site": ("officer", lambda w: request_of(w, "officer", for_site=True)),
    "a superuser deletes": ("root", lambda w: of(w, "ada").first().delete()),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_not(hunt: Hunt, name: str) -> None:
    who, change = RIGHT[name]

    assert judge(hunt, who, change) == []


def test_a_redirect_away_is_found(hunt: Hunt) -> None:
    browser = hunt.world.browsers[0]
    for location in ("/mailup/", "//evil.example", "https://services.mailup.com/Authorization/OAuth/LogOn?client_id=x"):
        hunt.send(Doing(lambda w: None, hunt.world, location), browser, REQUEST)

    assert hunt.findings.led_away == ["//evil.example"]


def test_a_fault_of_ours_is_told_from_another(hunt: Hunt) -> None:
    from django_mailup.services import client_for

    faults = Faults()
    for fault in (lambda: client_for(object()), lambda: {}["x"]):
        try:
            fault()
        except Exception as error:
            faults.note(error)

    assert [each.ours for each in faults.take()] == [True, False]
