"""One renewal: what a failure leaves on the row, and what the next success clears."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_mailup.exceptions import MailUpUnavailable, ReauthorizationRequired, RegistrationUnavailable
from django_mailup.models import ClientRegistration, Token
from django_mailup.renewal import claims, on_demand, periodic
from django_mailup.renewal.attempt import Renewal
from django_mailup.renewal.own_connection import Caller
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_of, connect_with_password, rotate_keys, rows_that_need_another_key, status

TOKEN = "/Authorization/OAuth/Token"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "html", "status": 200},
        {"kind": "status", "status": 429},
        {"kind": "drop"},
    ],
    ids=str,
)
def test_an_outage_leaves_the_connection_alone(expired: Token, mailup_sandbox: Sandbox, fault: Any) -> None:
    mailup_sandbox.fail_with(path=TOKEN, **fault)
    pair = expired.refresh_token.reveal()

    with pytest.raises(Exception, match=r".") as caught:
        on_demand.usable_token(expired.key)
    expired.refresh_from_db()
    assert expired.status == Token.Status.ACTIVE
    assert expired.refresh_token.reveal() == pair
    assert expired.failure_count == 1
    assert (expired.error_code, str(expired.last_error)) == (caught.value.code, str(caught.value))  # type: ignore[attr-defined]
    assert expired.refresh_at > timezone.now() + timedelta(seconds=20)
    assert expired.claim_owner == ""

    on_demand.refresh(expired)
    expired.refresh_from_db()
    assert (expired.failure_count, expired.error_code, expired.failed_at) == (0, "", None)


def test_a_registration_that_is_disabled_is_no_failure_of_its_connections(
    expired: Token, mailup_requests: list[Any]
) -> None:
    ClientRegistration.objects.update(enabled=False)
    mailup_requests.clear()

    with pytest.raises(RegistrationUnavailable):
        on_demand.usable_token(expired.key)
    assert mailup_requests == []
    expired.refresh_from_db()
    assert (expired.failure_count, expired.error_code, expired.claim_owner) == (0, "", "")
    ClientRegistration.objects.update(enabled=True)
    assert on_demand.usable_token(expired.key).generation == 2


def test_what_is_logged_is_what_is_stored(
    expired: Token, mailup_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        mailup_sandbox.fail_with("status", status=503, path=TOKEN)
        with pytest.raises(MailUpUnavailable):
            on_demand.refresh(expired)
    with caplog.at_level("INFO", logger="django_mailup"):
        on_demand.refresh(expired)

    key = str(expired.key)
    assert [each.__dict__["mailup"] for each in caplog.records if each.name == "django_mailup"] == [
        {"token": key, "error": "unavailable", "failures": 1},
        {"token": key, "error": "unavailable", "failures": 2},
        {"token": key, "generation": 2},
    ]


@pytest.fixture
def without_refresh_token(
    transactional_db: None, mailup_registration: ClientRegistration, mailup_sandbox: Sandbox, clock: Any
) -> Token:
    """A connection of the site for which MailUp gave an access token alone."""
    pair = mailup_sandbox.state.redeem_password("m12345", "sandbox", mailup_sandbox.client_id)
    body = json.dumps({"access_token": pair.access_token, "expires_in": 3600})
    mailup_sandbox.fail_with("body", status=200, body=body, path=TOKEN)
    return connect_with_password(username="m12345", password="sandbox", clock=clock)


def test_a_connection_without_a_refresh_token_lasts_as_long_as_its_access_token(
    without_refresh_token: Token, mailup_sandbox: Sandbox, clock: Any
) -> None:
    clock.move(seconds=3600 - 60)
    assert list(periodic.hand_out_due(clock=clock)) == []
    assert client_of(without_refresh_token, clock=clock).account.info().username == "m12345"
    clock.move(seconds=60)
    (due,) = periodic.hand_out_due(clock=clock)
    assert periodic.refresh_many(due.keys, clock=clock) == periodic.Tally(failed=1)

    without_refresh_token.refresh_from_db()
    assert without_refresh_token.status == Token.Status.REAUTHORIZATION_REQUIRED
    assert str(without_refresh_token.last_error).startswith("MailUp gave no refresh token")
    assert mailup_sandbox.state.counters["refreshes"] == 0


def test_a_call_that_would_need_its_refresh_token_asks_for_consent(without_refresh_token: Token, clock: Any) -> None:
    clock.move(seconds=3600)

    with pytest.raises(ReauthorizationRequired, match="no refresh token"):
        client_of(without_refresh_token, clock=clock).account.info()


def test_a_connection_without_a_refresh_token_is_complete(without_refresh_token: Token, clock: Any) -> None:
    assert without_refresh_token.refresh_token.reveal() == ""
    assert status(clock=clock).troubles == 0
    assert rows_that_need_another_key() == rotate_keys().encrypted == 0


def test_a_connection_without_a_refresh_token_is_merged(
    without_refresh_token: Token, mailup_sandbox: Sandbox, clock: Any
) -> None:
    older = connect_with_password(username="m12345", password="sandbox", clock=clock)
    assert older.key == without_refresh_token.key
    pair = mailup_sandbox.state.redeem_password("m12345", "sandbox", mailup_sandbox.client_id)
    mailup_sandbox.fail_with("body", status=200, body=json.dumps({"access_token": pair.access_token}), path=TOKEN)
    newer = connect_with_password(username="m12345", password="sandbox", clock=clock)

    assert newer.key == older.key
    assert (newer.access_token.reveal(), newer.refresh_token.reveal()) == (pair.access_token, "")
    assert newer.encryption_key_id == newer.access_token.key_id


def claim_taken(token: Token, *, seconds_ago: float) -> claims.Claim:
    """Claim a row, as a process that has been held up ever since."""
    claim = claims.take(token, caller=Caller.IN_AUTOCOMMIT)
    assert claim is not None
    return dataclasses.replace(claim, taken_at=claim.taken_at - seconds_ago)


def test_a_process_that_was_held_up_sends_nothing(expired: Token, mailup_requests: list[Any]) -> None:
    """Its claim may end before the answer comes, and another process begin with the same refresh token."""
    mailup_requests.clear()
    outcome = Renewal.begin(claim_taken(expired, seconds_ago=claims.lifetime() / 2), timezone.now).outcome()

    assert mailup_requests == []
    assert isinstance(outcome.error, MailUpUnavailable)
    assert (outcome.error.reason, outcome.error.may_have_arrived) == ("delayed", False)
    assert "interrupted" not in outcome.columns


def test_a_request_that_begins_late_ends_before_half_of_the_claim_is_over(
    expired: Token, mailup_sandbox: Sandbox, settings: Any
) -> None:
    settings.MAILUP = {**settings.MAILUP, "TOKEN_DEADLINE": 40}
    answer = threading.Event()
    mailup_sandbox.hooks.before_refresh = lambda _: answer.wait()
    renewal = Renewal.begin(claim_taken(expired, seconds_ago=claims.lifetime() / 2 - 9), timezone.now)

    assert renewal.seconds_left() <= 9
    answer.set()
    assert renewal.outcome().error is None


def test_a_claim_outlasts_a_request_twice(settings: Any) -> None:
    settings.MAILUP = {**settings.MAILUP, "TOKEN_DEADLINE": 40}
    claim = claims.Claim(Token(), "owner", time.monotonic())

    assert claims.lifetime() == 90
    assert claim.seconds_to_call() <= 45
    assert claim.ends_at == claim.taken_at + 90
