"""The report for operators: how many connections are in which state, and which need attention."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from django_mailup.connections.status import status
from django_mailup.models import ClientRegistration, Token
from django_mailup.verdict import State

pytestmark = pytest.mark.django_db
Connect = Callable[..., Token]


def test_connections_are_counted_by_registration_and_state(
    mailup_connection: Connect, user: Any, mailup_requests: list[Any]
) -> None:
    mailup_connection(user)
    mailup_connection(None, username="m67890")
    ClientRegistration.objects.create(slug="other", client_id="b", client_secret="hush")
    mailup_requests.clear()
    report = status()

    assert {row.slug: (row.state, row.well) for row in report.registrations} == {
        "default": ("in order", True),
        "other": ("in order", True),
    }
    assert {row.slug: +row.counts for row in report.registrations} == {"default": {State.WELL: 2}, "other": {}}
    assert (report.total, report.troubles, report.connections) == (4, 0, [])
    assert mailup_requests == []


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"failure_count": 2, "error_code": "unavailable"}, State.FAILING),
        ({"status": Token.Status.REAUTHORIZATION_REQUIRED, "failure_count": 2}, State.ENDED),
        ({"encryption_key_id": "0" * 12}, State.UNREADABLE),
    ],
)
def test_a_connection_that_needs_attention(mailup_connection: Connect, user: Any, change: Any, state: State) -> None:
    mailup_connection(user)
    failing = mailup_connection(None, username="m67890")
    Token.objects.filter(pk=failing.pk).update(**change)
    report = status()

    (row,) = report.connections
    assert (row.registration, row.owner, row.account, row.state) == ("default", "(site)", "m67890", state)
    assert row.last_error.startswith("MailUp can't be reached" if "error_code" in change else "")
    assert (report.total, report.troubles) == (3, 1)
    assert +report.registrations[0].counts == {State.WELL: 1, state: 1}


def test_a_connection_is_late_two_periods_after_it_was_due(mailup_connection: Connect, clock: Any) -> None:
    Token.objects.filter(pk=mailup_connection(None).pk).update(
        refresh_at=clock() - timedelta(seconds=2 * 300), expires_at=clock() + timedelta(hours=1)
    )
    clock.move(seconds=-1)
    assert status(clock=clock).connections == []

    clock.move(seconds=2)
    report = status(clock=clock)
    assert ([row.state for row in report.connections], report.troubles) == ([State.LATE], 1)


@pytest.mark.parametrize(
    ("change", "state", "well", "connection"),
    [
        ({"enabled": False}, "off", True, State.REGISTRATION_OFF),
        ({"error_code": "client_rejected"}, "refused by MailUp", False, State.REGISTRATION_REFUSED),
    ],
)
def test_a_registration(
    mailup_connection: Connect, clock: Any, change: Any, state: str, well: bool, connection: State
) -> None:
    mailup_connection(None)
    ClientRegistration.objects.update(failed_at=clock(), **change)
    report = status()

    (row,) = report.registrations
    assert (row.state, row.well, +row.counts) == (state, well, {connection: 1})
    assert report.troubles == (0 if well else 2)
    assert [each.state for each in report.connections] == ([] if well else [connection])


def test_a_client_secret_that_no_key_opens(mailup_registration: ClientRegistration, settings: Any) -> None:
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": []}
    (row,) = status().registrations

    assert (row.state, row.well) == ("unreadable", False)


def test_only_so_many_of_each_state_are_read(mailup_connection: Connect) -> None:
    for username in ("m12345", "m67890"):
        mailup_connection(None, username=username)
    Token.objects.update(failure_count=1)

    assert len(status(limit=1).connections) == 1
    assert (len(status(limit=None).connections), status(limit=1).troubles) == (2, 2)


def test_nothing_is_decrypted(mailup_connection: Connect) -> None:
    mailup_connection(None)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_mailup_token SET access_token = 'broken', failure_count = 1")

    assert [row.state for row in status().connections] == [State.FAILING]
