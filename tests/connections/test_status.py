"""The report for operators: each registration and connection, and which of them need attention."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from django_mailup.connections.status import status
from django_mailup.models import ClientRegistration, Token

pytestmark = pytest.mark.django_db
Connect = Callable[..., Token]


def test_there_is_a_row_for_each_registration_and_connection(
    mailup_connection: Connect, user: Any, mailup_requests: list[Any]
) -> None:
    mailup_connection(user)
    mailup_connection(None, username="m67890")
    mailup_requests.clear()
    report = status()

    assert [(row.registration, row.owner, row.account, row.state) for row in report.rows] == [
        ("default", "", "", "in order"),
        ("default", "ada", "m12345", "active"),
        ("default", "(site)", "m67890", "active"),
    ]
    assert report.troubles == 0
    assert mailup_requests == []


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"failure_count": 2}, "failing (2)"),
        ({"status": Token.Status.REAUTHORIZATION_REQUIRED, "failure_count": 2}, "must be reconnected"),
    ],
)
def test_a_connection_that_needs_attention(mailup_connection: Connect, change: Any, state: str) -> None:
    mailup_connection(None)
    Token.objects.update(**change)
    report = status()

    assert (report.rows[-1].state, report.rows[-1].well, report.troubles) == (state, False, 1)


def test_a_connection_is_late_two_periods_after_it_was_due(mailup_connection: Connect, clock: Any) -> None:
    Token.objects.filter(pk=mailup_connection(None).pk).update(
        refresh_at=clock() - timedelta(seconds=2 * 300), expires_at=clock() + timedelta(hours=1)
    )
    clock.move(seconds=-1)
    assert status(clock=clock).rows[-1].state == "active"

    clock.move(seconds=2)
    report = status(clock=clock)
    assert (report.rows[-1].state, report.rows[-1].well, report.troubles) == ("late", False, 1)


@pytest.mark.parametrize(
    ("change", "state", "well"),
    [
        ({"enabled": False}, "disabled", True),
        ({"error_code": "client_rejected"}, "refused by MailUp", False),
    ],
)
def test_a_registration(
    mailup_registration: ClientRegistration, clock: Any, change: Any, state: str, well: bool
) -> None:
    ClientRegistration.objects.update(failed_at=clock(), **change)
    (row,) = status().rows

    assert (row.state, row.well) == (state, well)


@pytest.mark.parametrize("column", ["access_token", "refresh_token"])
def test_a_secret_that_cannot_be_read(mailup_connection: Connect, column: str) -> None:
    mailup_connection(None)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE django_mailup_token SET {column} = 'broken'")  # noqa: S608
    report = status()

    assert (report.rows[-1].state, report.troubles) == ("unreadable", 1)
