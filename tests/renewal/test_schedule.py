"""The arithmetic of expiry, margin and backoff, for all lifetimes and settings."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from django_mailup.mailup.tokens import TokenSet
from django_mailup.renewal import schedule

ROW = uuid.uuid4()
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
LIFETIMES = st.floats(1, 10 * 365 * 86400).map(lambda seconds: timedelta(seconds=seconds))
MARGINS = st.integers(1, 10**6)
with_settings = examples(suppress_health_check=[HealthCheck.function_scoped_fixture])


def set_margin(mailup: Any, margin: int) -> None:
    mailup.MAILUP = {**mailup.MAILUP, "REFRESH_MARGIN": margin}


@with_settings
@given(MOMENTS, LIFETIMES, MARGINS)
def test_a_pair_is_due_in_the_second_half_of_its_life(
    settings: Any, received: datetime, lifetime: timedelta, margin: int
) -> None:
    set_margin(settings, margin)
    due = schedule.due_at(received, received + lifetime)

    assert received + lifetime / 2 - timedelta(microseconds=1) <= due <= received + lifetime
    # Before the margin only where the first half of the life leaves no other way.
    assert due >= received + lifetime - timedelta(seconds=margin)
    if timedelta(seconds=margin) <= lifetime / 2:
        assert due == received + lifetime - timedelta(seconds=margin)


@with_settings
@given(MOMENTS, LIFETIMES, MARGINS)
def test_the_periodic_task_comes_never_before_it_is_due_and_never_after_expiry(
    settings: Any, received: datetime, lifetime: timedelta, margin: int
) -> None:
    set_margin(settings, margin)
    pair = TokenSet("A", "R", received, received + lifetime)
    columns = schedule.columns(pair, ROW)

    assert schedule.due_at(received, pair.expires_at) <= columns["refresh_at"] <= pair.expires_at
    assert columns["refresh_at"] - schedule.due_at(received, pair.expires_at) <= schedule.LONGEST_JITTER


def test_pairs_that_came_together_are_not_due_together() -> None:
    received = datetime(2026, 1, 1, tzinfo=UTC)
    pair = TokenSet("A", "R", received, received + timedelta(hours=1))

    assert len({schedule.columns(pair, ROW)["refresh_at"] for _ in range(20)}) > 1


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 1000 < moment.year < 9000), LIFETIMES)
def test_a_pair_that_is_dead_on_arrival_is_due_at_once(received: datetime, lifetime: timedelta) -> None:
    assert schedule.due_at(received, received - lifetime) == received


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_backoff_is_bounded_and_doubles(failures: int, fraction: float) -> None:
    wait = schedule.backoff(failures, fraction=fraction)

    assert schedule.FIRST_BACKOFF / 2 <= wait <= schedule.LONGEST_BACKOFF
    assert wait <= schedule.backoff(failures + 1, fraction=fraction)
    assert schedule.backoff(failures, fraction=0) <= wait <= schedule.backoff(failures, fraction=1)
    following = schedule.backoff(failures + 1, fraction=fraction)
    rounding = timedelta(microseconds=2)
    assert (
        abs(following - 2 * wait) <= rounding or schedule.backoff(failures + 1, fraction=1) == schedule.LONGEST_BACKOFF
    )


@pytest.mark.parametrize(
    ("lifetime", "expected"), [(3600, 2700), (900, 450), (1000, 500), (2000, 1100), (0, 0), (-5, 0)]
)
def test_the_margin_never_reaches_into_the_first_half_of_a_life(lifetime: int, expected: int) -> None:
    received = datetime(2026, 1, 1, tzinfo=UTC)
    due = schedule.due_at(received, received + timedelta(seconds=lifetime))

    assert due - received == timedelta(seconds=expected)


def test_backoff_doubles_up_to_an_hour() -> None:
    waits = [schedule.backoff(failures, fraction=1).total_seconds() / 60 for failures in (1, 2, 3, 6, 7, 100)]

    assert waits == [1, 2, 4, 32, 60, 60]


def test_no_report_that_prints_the_columns_shows_a_secret() -> None:
    pair = TokenSet("the access token", "the refresh token", *[datetime(2020, 1, 1, tzinfo=UTC)] * 2)
    columns = schedule.columns(pair, ROW)

    assert "the access token" not in repr(columns)
    assert "the refresh token" not in repr(columns)
    assert columns["refresh_token"].reveal() == "the refresh token"


def test_a_pair_is_encrypted_for_its_row_and_the_key_is_named() -> None:
    columns = schedule.columns(TokenSet("A", "R", *[datetime(2020, 1, 1, tzinfo=UTC)] * 2), ROW)

    assert columns["access_token"].row == columns["refresh_token"].row == ROW
    assert columns["encryption_key_id"] == columns["access_token"].key_id == columns["refresh_token"].key_id != ""
