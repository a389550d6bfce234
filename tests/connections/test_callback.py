"""Completing an authorization: what MailUp may answer, and what each answer spends."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction

from django_mailup.connections.answer import Answer
from django_mailup.exceptions import (
    AuthorizationDenied,
    AuthorizationFailed,
    CodeRefused,
    MailUpError,
    MailUpUnavailable,
    PermissionMissing,
    RegistrationUnavailable,
    StateMismatch,
    TransactionOpen,
    UnexpectedResponse,
)
from django_mailup.models import AuthorizationRequest, ClientRegistration, Token
from django_mailup.services import client_of

from ..journey import SESSION, Journey, consent

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


@pytest.mark.parametrize(
    ("error", "expected", "reason"),
    [
        ("access_denied", AuthorizationDenied, "access_denied"),
        ("temporarily_unavailable", AuthorizationFailed, "temporarily_unavailable"),
        ("invalid_scope", AuthorizationFailed, "invalid_scope"),
        ("<script>", AuthorizationFailed, "other"),
        ("", AuthorizationFailed, "no_code"),
    ],
)
@pytest.mark.parametrize("kept", ["state", "path"])
def test_an_answer_without_a_code_spends_nothing(
    journey: Journey, caplog: Any, error: str, expected: type[MailUpError], reason: str, kept: str
) -> None:
    answer = consent(journey.sandbox, journey.begin())
    instead = {"path": answer["path"], kept: answer[kept]}

    with pytest.raises(expected) as caught:
        journey.complete(instead, error=error)
    assert caught.value.reason == reason
    assert "<script>" not in f"{caught.value} {caplog.text}"
    assert Token.objects.count() == 0
    assert journey.complete(answer).created


def test_an_error_beside_a_code_is_an_error(journey: Journey) -> None:
    answer = consent(journey.sandbox, journey.begin())

    with pytest.raises(AuthorizationFailed):
        journey.complete(answer, error="server_error")
    assert journey.sandbox.state.counters["exchanges"] == 0


@pytest.mark.parametrize(
    ("change", "reason"), [({"repeated": True}, "repeated"), ({"state_in_query": "another"}, "contradictory")]
)
def test_an_answer_that_contradicts_itself_spends_nothing(
    journey: Journey, settings: Any, change: Any, reason: str
) -> None:
    settings.MAILUP = {**settings.MAILUP, "STATE_IN": "path"}
    answer = consent(journey.sandbox, journey.begin())
    given = {"code": answer["code"], "state_in_path": answer["state"], "state_in_query": answer["state"], **change}

    with pytest.raises(StateMismatch) as caught:
        journey.complete_with(Answer(**given))
    assert caught.value.reason == reason
    assert journey.complete(answer).created


def test_an_answer_shows_nothing_of_itself() -> None:
    assert "hush" not in repr(Answer(code="hush", error="hush", state_in_path="hush", state_in_query="hush"))


def test_the_permission_to_connect_the_site_is_looked_at_again(journey: Journey, django_user_model: Any) -> None:
    permission = Permission.objects.get(codename="connect_site")
    journey.user.user_permissions.add(permission)
    answers = [consent(journey.sandbox, journey.begin(for_site=True)) for _ in range(2)]
    journey.user.user_permissions.remove(permission)

    with pytest.raises(PermissionMissing):
        journey.complete(answers[0], user=django_user_model.objects.get(pk=journey.user.pk))
    assert journey.sandbox.state.counters["exchanges"] == 0

    journey.user.user_permissions.add(permission)
    token = journey.complete(answers[1], user=django_user_model.objects.get(pk=journey.user.pk)).token
    assert token.user is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "forged"}, "unknown"),
        ({"session": "another"}, "other_session"),
        ({"seconds": 600}, "expired"),
        ({"twice": True}, "unknown"),
        ({"state": ""}, "unknown"),
    ],
    ids=str,
)
def test_each_rejected_callback_is_logged_with_its_reason(
    journey: Journey, clock: Any, caplog: Any, change: dict[str, Any], reason: str
) -> None:
    answer = consent(journey.sandbox, journey.begin(clock=clock))
    if change.pop("twice", False):
        journey.complete(answer, clock=clock)
    clock.move(seconds=change.pop("seconds", 0))
    caplog.clear()
    with pytest.raises(StateMismatch):
        journey.complete(answer, clock=clock, **change)

    (record,) = caplog.records
    known = reason != "unknown"
    assert record.__dict__["event"] == "mailup.callback_rejected"
    assert record.__dict__["mailup"] == {
        "error": "state_mismatch", "reason": reason, "user": str(journey.user.pk),
        "registration": "default" if known else "",
    }  # fmt: skip
    assert not any(value in caplog.text for value in (answer["code"], answer["state"], SESSION))


def test_another_users_answer_is_logged_as_such(journey: Journey, other_user: Any, caplog: Any) -> None:
    answer = consent(journey.sandbox, journey.begin())
    with pytest.raises(StateMismatch):
        journey.complete(answer, user=other_user)

    assert "reason=other_user" in caplog.text
    assert f"user={other_user.pk}" in caplog.text
