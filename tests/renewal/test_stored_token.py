"""What callers get from a stored token after a failure: its error as data, half a minute of failing fast, and the wait
that MailUp asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from django_mailup.exceptions import (
    ClientRejected,
    DecryptionFailed,
    MailUpUnavailable,
    RateLimited,
)
from django_mailup.models import Token
from django_mailup.registrations import circuit_breaker
from django_mailup.renewal import on_demand, periodic, stored_token
from django_mailup.sandbox import Sandbox

Connect = Callable[..., Token]
TOKEN = "/Authorization/OAuth/Token"
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
LIFETIMES = st.floats(1, 10 * 365 * 86400).map(lambda seconds: timedelta(seconds=seconds))


@pytest.fixture
def expired(mailup_connection: Connect, user: Any, clock: Any) -> Token:
    token = mailup_connection(user)
    clock.move(hours=2)
    Token.objects.update(expires_at=clock() - timedelta(hours=1), refresh_at=clock() - timedelta(hours=1))
    token.refresh_from_db()
    return token


def refuse_for_ten_minutes(sandbox: Sandbox) -> None:
    sandbox.fail_with("status", status=429, path=TOKEN, retry_after=600)


def test_a_call_succeeds_half_a_minute_after_five_failures(expired: Token, mailup_sandbox: Sandbox, clock: Any) -> None:
    """The periodic task waits longer after each failure; callers don't."""
    for _ in range(5):
        mailup_sandbox.fail_with("status", status=503, path=TOKEN)
        with pytest.raises(MailUpUnavailable):
            on_demand.refresh(expired, clock=clock)
    expired.refresh_from_db()
    assert expired.failure_count == 5
    assert expired.refresh_at > clock() + timedelta(minutes=5)

    clock.move(seconds=31)
    assert on_demand.usable_token(expired.key, clock=clock).generation == 2


def test_two_callers_of_one_429_see_the_same_rest_of_the_wait(
    expired: Token, mailup_sandbox: Sandbox, mailup_requests: list[Any], clock: Any
) -> None:
    refuse_for_ten_minutes(mailup_sandbox)
    with pytest.raises(RateLimited) as first:
        on_demand.usable_token(expired.key, clock=clock)
    mailup_requests.clear()
    with pytest.raises(RateLimited) as second:
        on_demand.usable_token(expired.key, clock=clock)
    clock.move(seconds=250)
    with pytest.raises(RateLimited) as third:
        on_demand.usable_token(expired.key, clock=clock)

    assert (first.value.retry_after, second.value.retry_after, third.value.retry_after) == (600, 600, 350)
    assert str(first.value) == str(second.value)
    assert mailup_requests == []


def test_the_wait_that_mailup_asked_for_binds_everybody(
    expired: Token, mailup_sandbox: Sandbox, mailup_requests: list[Any], clock: Any
) -> None:
    refuse_for_ten_minutes(mailup_sandbox)
    with pytest.raises(RateLimited):
        on_demand.usable_token(expired.key, clock=clock)
    mailup_requests.clear()

    clock.move(seconds=599)
    with pytest.raises(RateLimited):
        on_demand.usable_token(expired.key, clock=clock)
    with pytest.raises(RateLimited):
        on_demand.refresh(expired, clock=clock)
    assert not Token.objects.due(now=clock()).exists()
    assert periodic.refresh_many([expired.key], clock=clock) == periodic.Tally(skipped=1)
    assert mailup_requests == []

    clock.move(seconds=2)
    assert on_demand.usable_token(expired.key, clock=clock).generation == 2
    expired.refresh_from_db()
    assert (expired.blocked_until, expired.error_code, expired.error_details) == (None, "", {})


def test_without_retry_after_nothing_is_blocked(expired: Token, mailup_sandbox: Sandbox, clock: Any) -> None:
    mailup_sandbox.fail_with("status", status=429, path=TOKEN)
    with pytest.raises(RateLimited):
        on_demand.usable_token(expired.key, clock=clock)
    expired.refresh_from_db()

    assert expired.blocked_until is None
    on_demand.refresh(expired, clock=clock)


def test_what_a_caller_gets_without_a_request_of_its_own_says_that_nothing_was_sent(
    expired: Token, mailup_sandbox: Sandbox, clock: Any
) -> None:
    mailup_sandbox.fail_with("drop", path=TOKEN)
    with pytest.raises(MailUpUnavailable):
        on_demand.usable_token(expired.key, clock=clock)
    with pytest.raises(MailUpUnavailable) as caught:
        on_demand.usable_token(expired.key, clock=clock)

    assert not caught.value.may_have_arrived
    assert caught.value.grant_may_be_spent


def test_the_error_is_stored_as_data(expired: Token, mailup_sandbox: Sandbox, clock: Any) -> None:
    mailup_sandbox.fail_with("status", status=503, path=TOKEN)
    with pytest.raises(MailUpUnavailable):
        on_demand.usable_token(expired.key, clock=clock)
    expired.refresh_from_db()

    assert expired.error_code == "unavailable"
    assert expired.error_details == {"reason": "status", "status": 503, "grant_may_be_spent": True}
    assert str(expired.last_error) == "MailUp answered with status 503: try again later."
    assert expired.failed_at == clock() != timezone.now()


def test_callers_fail_fast_for_half_a_minute(
    expired: Token, mailup_sandbox: Sandbox, mailup_requests: list[Any], clock: Any
) -> None:
    mailup_sandbox.fail_with("status", status=503, path=TOKEN)
    with pytest.raises(MailUpUnavailable):
        on_demand.usable_token(expired.key, clock=clock)
    mailup_requests.clear()
    clock.move(seconds=29)
    with pytest.raises(MailUpUnavailable):
        on_demand.usable_token(expired.key, clock=clock)
    assert mailup_requests == []

    clock.move(seconds=2)
    assert on_demand.usable_token(expired.key, clock=clock).generation == 2


def test_a_failure_of_a_time_to_come_stops_nobody(expired: Token, mailup_sandbox: Sandbox, clock: Any) -> None:
    """The clock of this host, or of the one that stored the failure, has been set back."""
    mailup_sandbox.fail_with("status", status=503, path=TOKEN)
    with pytest.raises(MailUpUnavailable):
        on_demand.usable_token(expired.key, clock=clock)
    clock.move(minutes=-5)

    assert on_demand.usable_token(expired.key, clock=clock).generation == 2


def test_a_refused_client_is_told_before_anything_is_written(
    expired: Token, clock: Any, django_assert_num_queries: Any
) -> None:
    circuit_breaker.mark_refused(expired.registration, now=clock())

    with django_assert_num_queries(1), pytest.raises(ClientRejected):
        on_demand.usable_token(expired.key, clock=clock)


def test_unreadable_secrets_are_said_to_be_so(expired: Token, settings: Any, mailup_requests: list[Any]) -> None:
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": []}
    mailup_requests.clear()

    with pytest.raises(DecryptionFailed):
        on_demand.usable_token(expired.key)
    assert mailup_requests == []


@given(MOMENTS, LIFETIMES, st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_what_is_called_fresh_lives_long_enough_for_a_call(
    received: datetime, lifetime: timedelta, elapsed: timedelta
) -> None:
    live = stored_token.UsableToken(access_token=None, generation=1, expires_at=received + lifetime)  # type: ignore[arg-type]
    left = received + lifetime - (received + elapsed)

    assert live.is_fresh(received + elapsed) == (left > stored_token.ABOUT_TO_EXPIRE)
