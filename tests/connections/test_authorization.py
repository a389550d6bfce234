"""Connecting and disconnecting: begin and complete, the password grant, disconnect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import transaction

from django_mailup.exceptions import (
    AuthorizationDenied,
    CodeRefused,
    LoginRefused,
    MailUpError,
    MailUpUnavailable,
    RegistrationUnavailable,
    StateMismatch,
    TransactionOpen,
    UnexpectedResponse,
)
from django_mailup.models import AuthorizationRequest, ClientRegistration, Token
from django_mailup.services import client_of, connect_with_password, disconnect

from ..journey import CALLBACK, Journey, consent

pytestmark = pytest.mark.django_db


def test_a_connection_is_made_and_named(journey: Journey, heard: Any) -> None:
    completed = journey.connect(next_url="/there/")
    token = completed.token

    assert completed.created
    assert completed.next_url == "/there/"
    assert (token.user, token.account_uid, token.account_username) == (journey.user, "4321", "m12345")
    assert token.company == "Fornaio Rossi"
    assert token.status == Token.Status.ACTIVE
    assert client_of(token).account.info().uid == "4321"
    assert AuthorizationRequest.objects.count() == 0
    assert [name for name, _ in heard] == ["account_connected"]
    assert heard[0][1]["created"] is True
    assert heard[0][1]["token"].user == journey.user


def test_the_state_travels_in_the_path_and_in_the_query(journey: Journey) -> None:
    query = parse_qs(urlsplit(journey.begin()).query)

    assert query["redirect_uri"] == [f"{CALLBACK}{query['state'][0]}/"]


def test_the_query_alone_carries_it_by_choice(journey: Journey, settings: Any) -> None:
    settings.MAILUP = {**settings.MAILUP, "STATE_IN": "query"}
    journey.sandbox.configure(redirect_uri="same")
    url = journey.begin()
    query = parse_qs(urlsplit(url).query)
    assert query["redirect_uri"] == [CALLBACK]

    answer = consent(journey.sandbox, url)
    assert journey.complete(answer, received_state=answer["state"]).created


def test_mailup_may_forget_the_state(journey: Journey) -> None:
    journey.sandbox.configure(echo_state=False)
    answer = consent(journey.sandbox, journey.begin())

    assert "state" not in answer
    assert journey.complete(answer).created


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("access_denied", AuthorizationDenied),
        ("temporarily_unavailable", MailUpUnavailable),
        ("<script>", UnexpectedResponse),
    ],
)
def test_an_error_instead_of_a_code(journey: Journey, error: str, expected: type[MailUpError]) -> None:
    answer = consent(journey.sandbox, journey.begin())

    with pytest.raises(expected) as caught:
        journey.complete(answer, code="", error=error)
    assert error not in str(caught.value)
    assert Token.objects.count() == 0


def test_a_code_that_mailup_refuses(journey: Journey) -> None:
    answer = consent(journey.sandbox, journey.begin())

    with pytest.raises(CodeRefused):
        journey.complete(answer, code="stolen")
    assert Token.objects.count() == 0


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 503}, {"kind": "html", "status": 200}, {"kind": "drop"}]
)
def test_an_outage_leaves_nothing_behind(journey: Journey, fault: Any) -> None:
    answer = consent(journey.sandbox, journey.begin())
    journey.sandbox.fail_with(path="/Token", **fault)

    with pytest.raises((MailUpUnavailable, UnexpectedResponse)):
        journey.complete(answer)
    assert Token.objects.count() == 0
    assert AuthorizationRequest.objects.count() == 0


@pytest.mark.parametrize("slug", ["unknown", "default"])
def test_an_unknown_or_disabled_registration(journey: Journey, slug: str) -> None:
    ClientRegistration.objects.update(enabled=False)

    with pytest.raises(RegistrationUnavailable):
        journey.begin(registration=slug)


def test_a_registration_disabled_on_the_way(journey: Journey) -> None:
    answer = consent(journey.sandbox, journey.begin())
    ClientRegistration.objects.update(enabled=False)

    with pytest.raises(RegistrationUnavailable):
        journey.complete(answer)


def test_a_user_deleted_on_the_way(journey: Journey, django_user_model: Any) -> None:
    answer = consent(journey.sandbox, journey.begin())
    django_user_model.objects.filter(pk=journey.user.pk).delete()

    with pytest.raises(StateMismatch):
        journey.complete(answer)
    assert Token.objects.count() == 0


def test_reconnecting_revives_a_dead_row(journey: Journey) -> None:
    token = journey.connect().token
    Token.objects.update(status=Token.Status.REAUTHORIZATION_REQUIRED, error_code="x", failure_count=3)

    revived = journey.connect(reconnect=token).token
    assert revived.pk == token.pk
    assert revived.is_active
    assert (revived.failure_count, revived.error_code) == (0, "")


def test_connecting_inside_a_transaction_is_refused_before_the_code_is_spent(
    transactional_db: None, journey: Journey
) -> None:
    answer = consent(journey.sandbox, journey.begin())

    with transaction.atomic(), pytest.raises(TransactionOpen):
        journey.complete(answer)
    with transaction.atomic(), pytest.raises(TransactionOpen):
        journey.begin()
    assert journey.complete(answer).created


def test_the_password_grant(journey: Journey, heard: Any) -> None:
    token = connect_with_password(username="m12345", password="sandbox")

    assert token.user is None
    assert token.account_username == "m12345"
    assert [name for name, _ in heard] == ["account_connected"]


def test_a_wrong_password(journey: Journey) -> None:
    with pytest.raises(LoginRefused):
        connect_with_password(username="m12345", password="wrong")
    assert Token.objects.count() == 0


def test_disconnecting_inside_a_transaction_tells_after_the_commit(
    transactional_db: None, mailup_connection: Callable[..., Token], heard: Any
) -> None:
    token = mailup_connection(None)
    heard.clear()
    with transaction.atomic():
        disconnect(token)
        assert heard == []
    assert [name for name, _ in heard] == ["account_disconnected"]

    token = mailup_connection(None)
    heard.clear()
    with transaction.atomic():
        disconnect(token)
        transaction.set_rollback(True)
    assert heard == []
    assert Token.objects.filter(pk=token.pk).exists()


def test_disconnecting_deletes_the_row_and_tells(
    mailup_connection: Callable[..., Token], user: Any, heard: Any
) -> None:
    token = mailup_connection(user)
    disconnect(token)
    disconnect(token)

    assert Token.objects.count() == 0
    assert [name for name, _ in heard] == ["account_connected", "account_disconnected"]
    assert not heard[-1][1]["token"].access_token
    assert heard[-1][1]["token"].user == user
