"""The verdict on a connection: SQL, the label of a row, Python and the table of docs/operating.md say the same."""

from __future__ import annotations

import base64
import re
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from django_mailup.models import ClientRegistration, Token
from django_mailup.vault import keyring
from django_mailup.verdict import NEEDS_ATTENTION, State, state_of

DOCS = (Path(__file__).resolve().parent.parent / "docs/operating.md").read_text(encoding="utf-8")
CONDITIONS = dict(re.findall(r"^\| \*(.+)\* \| `(.+?)` \|", DOCS, re.MULTILINE))
SECONDS = {"blocked_until": (None, -1, 1), "expires_at": (-1, 1), "refresh_at": (-601, -599)}
COLUMNS: dict[str, tuple[Any, ...]] = {
    "status": ("active", "reauthorization_required"),
    "failure_count": (0, 2),
    "error_code": ("", "decryption_failed"),
    **SECONDS,
}
KEY = b"a" * 32, b"b" * 32


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def connections(db: None, settings: Any, now: datetime) -> list[Token]:
    """Connections with every combination of what a verdict depends on."""
    keys = [base64.urlsafe_b64encode(key).decode() for key in KEY]
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": keys, "SECRET_KEY_READS": False}
    low, high = sorted(key.id for key in keyring.configured() or ())
    for enabled, failed_at, key_id in product((True, False), (None, now), ("", low, low + "0", high, high + "0")):
        registration, _ = ClientRegistration.objects.get_or_create(
            slug=f"{enabled}-{failed_at is None}", client_id=f"{enabled}-{failed_at is None}",
            defaults={"client_secret": "hush", "enabled": enabled, "failed_at": failed_at},
        )  # fmt: skip
        tokens = []
        for values in product(*COLUMNS.values()):
            row = dict(zip(COLUMNS, values, strict=True))
            for name in SECONDS:
                row[name] = None if row[name] is None else now + timedelta(seconds=row[name])
            tokens.append(
                Token(registration=registration, access_token="a", refresh_token="r", connected_at=now, **row)
            )
        Token.objects.bulk_create(tokens)  # which writes the id of the key that has encrypted a row
        Token.objects.filter(key__in=[token.key for token in tokens]).update(encryption_key_id=key_id)
    return list(Token.objects.select_related("registration"))


def test_sql_label_and_python_agree(connections: list[Token], now: datetime) -> None:
    python = {token.pk: state_of(token, now=now) for token in connections}
    assert set(python.values()) == set(State)

    assert dict(Token.objects.with_state(now=now).values_list("pk", "state")) == python
    for state in State:
        found = list(Token.objects.in_state(state, now=now).values_list("pk", flat=True))
        assert sorted(found) == sorted(pk for pk, own in python.items() if own == state)


def test_the_table_of_the_docs_agrees(connections: list[Token], now: datetime) -> None:
    assert list(CONDITIONS) == [state.label for state in State]
    moments = {":now_less_two_periods": now - timedelta(seconds=600), ":now": now}
    ids = ", ".join(f"'{key.id}'" for key in keyring.configured() or ())
    before: list[str] = []
    for state in State:
        own = CONDITIONS[state.label].replace(":key_ids", f"({ids})")
        for name, moment in moments.items():
            own = re.sub(rf"{name}\b", f"'{_literal(moment)}'", own)
        where = " AND ".join([own, *(f"NOT ({earlier})" for earlier in before)])
        before.append(own)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT token.id FROM django_mailup_token token JOIN django_mailup_clientregistration registration"  # noqa: S608
                f" ON registration.id = token.registration_id WHERE {where}"
            )
            found = {pk for (pk,) in cursor.fetchall()}
        assert found == set(Token.objects.in_state(state, now=now).values_list("pk", flat=True))


def test_nothing_is_called_unreadable_while_the_keys_cannot_be_had(
    connections: list[Token], now: datetime, settings: Any
) -> None:
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": "tests.test_verdict.no_keys"}
    unreadable = set(Token.objects.in_state(State.UNREADABLE, now=now).values_list("pk", flat=True))
    assert unreadable == {token.pk for token in connections if state_of(token, now=now) == State.UNREADABLE}
    assert unreadable
    assert {token.error_code for token in connections if token.pk in unreadable} == {"decryption_failed"}


def no_keys() -> list[str]:
    """Return no encryption keys: the vault is down."""
    raise ConnectionError


def test_the_longest_failing_come_first(connections: list[Token], now: datetime) -> None:
    for state in NEEDS_ATTENTION:
        last = Token.objects.in_state(state, now=now).last()
        assert last is not None
        Token.objects.exclude(pk=last.pk).update(failed_at=now)
        Token.objects.filter(pk=last.pk).update(failed_at=now - timedelta(days=1))
        assert Token.objects.in_state(state, now=now).first() == last


def _literal(moment: Any) -> str:
    return str(connection.ops.adapt_datetimefield_value(moment) or moment)
