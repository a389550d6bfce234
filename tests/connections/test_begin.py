"""Beginning an authorization: the form of `state`, PKCE, scope, and beginning again without what came back."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection, transaction

from django_mailup.exceptions import CodeRefused, RegistrationUnavailable, StateMismatch, TransactionOpen
from django_mailup.models import AuthorizationRequest, ClientRegistration, Token
from django_mailup.services import begin_again, connect_with_password, register

from ..journey import CALLBACK, SESSION, Journey, consent
from ..threads import in_threads

pytestmark = pytest.mark.django_db


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def again(journey: Journey, **options: Any) -> str:
    return begin_again(**{"user": journey.user, "session": SESSION, **options})


@pytest.mark.parametrize("slug", ["unknown", "default"])
def test_an_unknown_or_disabled_registration(journey: Journey, slug: str) -> None:
    ClientRegistration.objects.update(enabled=False)

    with pytest.raises(RegistrationUnavailable):
        journey.begin(registration=slug)


@pytest.mark.parametrize("of_site", [False, True])
def test_reconnecting_goes_by_the_connections_registration_and_owner(journey: Journey, of_site: bool) -> None:
    """Whatever else the caller says."""
    journey.sandbox.state.clients["second-id"] = "second-secret"
    register(slug="second", name="Second", client_id="second-id", client_secret="second-secret")
    owner = None if of_site else journey.user
    token = connect_with_password(username="m12345", password="sandbox", user=owner, registration="second")
    url = journey.begin(reconnect=token, registration="default", for_site=not of_site)

    assert query_of(url)["client_id"] == "second-id"
    (pending,) = AuthorizationRequest.objects.all()
    assert (pending.registration.slug, pending.for_site, pending.token_key) == ("second", of_site, token.key)


@pytest.mark.parametrize(
    ("setting", "echoes", "form"),
    [
        ("auto", None, "query"),
        ("auto", True, "query"),
        ("auto", False, "path"),
        ("query", None, "query"),
        ("query", False, "query"),
        ("path", None, "path"),
        ("path", True, "path"),
    ],
)
def test_which_form_is_tried_first(
    journey: Journey, settings: Any, setting: str, echoes: bool | None, form: str
) -> None:
    settings.MAILUP = {**settings.MAILUP, "STATE_IN": setting}
    ClientRegistration.objects.update(echoes_state=echoes)
    query = query_of(journey.begin())

    assert query["redirect_uri"] == (CALLBACK if form == "query" else f"{CALLBACK}{query['state']}/")


def test_the_redirect_uri_is_exact_by_default(journey: Journey) -> None:
    journey.sandbox.state.registered_redirect_uris[journey.sandbox.client_id] = CALLBACK
    journey.sandbox.configure(redirect_uri="registered")

    assert journey.connect().created


@pytest.mark.parametrize("pkce", ["ignored", "required"])
def test_pkce_by_a_setting(journey: Journey, settings: Any, pkce: str) -> None:
    settings.MAILUP = {**settings.MAILUP, "PKCE": True}
    journey.sandbox.configure(pkce=pkce)
    url = journey.begin()
    verifier = AuthorizationRequest.objects.get().code_verifier.reveal()

    assert query_of(url)["code_challenge_method"] == "S256"
    assert 43 <= len(verifier) <= 128
    assert verifier not in url
    assert journey.complete(consent(journey.sandbox, url)).created
    assert not AuthorizationRequest.objects.exists()


def test_the_verifier_is_stored_sealed(journey: Journey, settings: Any) -> None:
    settings.MAILUP = {**settings.MAILUP, "PKCE": True}
    journey.begin()
    verifier = AuthorizationRequest.objects.get().code_verifier.reveal()
    with connection.cursor() as cursor:
        cursor.execute("SELECT code_verifier FROM django_mailup_authorizationrequest")
        (stored,) = cursor.fetchone()

    assert stored
    assert verifier not in stored


def test_each_authorization_has_its_own_verifier(journey: Journey, settings: Any) -> None:
    settings.MAILUP = {**settings.MAILUP, "PKCE": True}
    journey.sandbox.configure(pkce="required")
    first, second = consent(journey.sandbox, journey.begin()), consent(journey.sandbox, journey.begin())

    with pytest.raises(CodeRefused):
        journey.complete(first, code=second["code"])


def test_pkce_is_off_by_default(journey: Journey) -> None:
    journey.sandbox.configure(pkce="refused")

    assert "code_challenge" not in query_of(journey.begin())
    assert journey.connect().created


def test_a_server_that_refuses_pkce_says_so(journey: Journey, settings: Any) -> None:
    settings.MAILUP = {**settings.MAILUP, "PKCE": True}
    journey.sandbox.configure(pkce="refused")

    assert consent(journey.sandbox, journey.begin())["error"] == "invalid_request"


def test_a_scope_by_a_setting(journey: Journey, settings: Any) -> None:
    assert "scope" not in query_of(journey.begin())
    settings.MAILUP = {**settings.MAILUP, "SCOPE": "lists:read offline_access"}

    assert query_of(journey.begin())["scope"] == "lists:read offline_access"


def test_beginning_again_takes_the_newest_with_all_it_is_for(journey: Journey, settings: Any) -> None:
    settings.MAILUP = {**settings.MAILUP, "PKCE": True}
    token = journey.connect().token
    journey.begin(next_url="/old/")
    url = journey.begin(next_url="/new/", reconnect=token)
    query = query_of(again(journey))
    new = AuthorizationRequest.objects.order_by("pk").last()

    assert new is not None
    assert query["redirect_uri"] == f"{CALLBACK}{query['state']}/"
    assert query["code_challenge"] != query_of(url)["code_challenge"]
    assert (new.user, new.registration, new.for_site) == (journey.user, token.registration, False)
    assert (new.token_key, new.next_url, new.state_in) == (token.key, "/new/", "path")
    assert journey.complete(consent(journey.sandbox, url)).next_url == "/new/", "the old request stays valid"


@pytest.mark.parametrize("for_site", [False, True])
def test_beginning_again_connects_the_same_owner(journey: Journey, for_site: bool) -> None:
    journey.begin(for_site=for_site)
    again(journey)

    assert [each.for_site for each in AuthorizationRequest.objects.all()] == [for_site] * 2


def test_a_request_begins_again_only_once(journey: Journey) -> None:
    journey.begin(next_url="/1/")
    journey.begin(next_url="/2/")
    for _ in range(2):
        again(journey)

    with pytest.raises(StateMismatch):
        again(journey)
    new = AuthorizationRequest.objects.filter(state_in="path").order_by("pk")
    assert [each.next_url for each in new] == ["/2/", "/1/"]
    assert AuthorizationRequest.objects.filter(hopped=True).count() == 4


@pytest.mark.parametrize(("pending", "begun"), [(1, 1), (5, 5)])
def test_five_answers_without_state_at_once(transactional_db: None, journey: Journey, pending: int, begun: int) -> None:
    for number in range(pending):
        journey.begin(next_url=f"/{number}/")
    results = in_threads(5, lambda: again(journey))

    assert sum(isinstance(result, str) for result in results) == begun
    assert sum(isinstance(result, StateMismatch) for result in results) == 5 - begun
    new = AuthorizationRequest.objects.filter(state_in="path").values_list("next_url", flat=True)
    assert sorted(new) == [f"/{number}/" for number in range(begun)]


@pytest.mark.parametrize("setting", ["query", "path"])
def test_only_auto_begins_again(journey: Journey, settings: Any, setting: str) -> None:
    journey.begin()
    settings.MAILUP = {**settings.MAILUP, "STATE_IN": setting}

    with pytest.raises(StateMismatch):
        again(journey)
    assert AuthorizationRequest.objects.count() == 1


def test_a_request_with_its_state_in_the_path_never_begins_again(journey: Journey) -> None:
    """Its answer always has a state, so that an answer without one is a stranger's."""
    ClientRegistration.objects.update(echoes_state=False)
    journey.begin()

    with pytest.raises(StateMismatch):
        again(journey)


def test_only_a_live_request_of_this_session_and_user_begins_again(
    journey: Journey, other_user: Any, clock: Any
) -> None:
    journey.begin(clock=clock)

    for options in ({"session": "another"}, {"user": other_user}):
        with pytest.raises(StateMismatch):
            again(journey, clock=clock, **options)
    clock.move(seconds=600)
    with pytest.raises(StateMismatch):
        again(journey, clock=clock)
    assert AuthorizationRequest.objects.count() == 1


def test_two_registrations_leave_it_open_which_is_meant(journey: Journey) -> None:
    register(slug="second", name="Second", client_id="another", client_secret="hush")
    journey.begin()
    journey.begin(registration="second")

    with pytest.raises(StateMismatch) as caught:
        again(journey)
    assert caught.value.reason == "several_registrations"
    assert not AuthorizationRequest.objects.filter(hopped=True).exists()


def test_a_disabled_registration_does_not_begin_again(journey: Journey) -> None:
    journey.begin()
    ClientRegistration.objects.update(enabled=False)

    with pytest.raises(RegistrationUnavailable):
        again(journey)


def test_nothing_begins_inside_a_transaction(transactional_db: None, journey: Journey) -> None:
    journey.begin()
    for call in (journey.begin, lambda: again(journey)):
        with transaction.atomic(), pytest.raises(TransactionOpen):
            call()

    assert not AuthorizationRequest.objects.filter(hopped=True).exists()
    assert Token.objects.count() == 0
