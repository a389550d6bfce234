"""Encrypted columns: what is stored, what is shown, and what can't be done by accident."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import connection

from django_mailup.exceptions import DecryptionFailed
from django_mailup.models import ClientRegistration, Token

pytestmark = pytest.mark.django_db
Connect = Callable[..., Token]


def stored(column: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM django_mailup_token")  # noqa: S608
        return str(cursor.fetchone()[0])


def test_the_database_holds_ciphertext(mailup_connection: Connect) -> None:
    token = mailup_connection(None)

    for column in ("access_token", "refresh_token"):
        secret = getattr(token, column).reveal()
        assert len(secret) == 120
        assert secret not in stored(column)


def test_nothing_shows_a_secret(mailup_connection: Connect, mailup_registration: ClientRegistration) -> None:
    token = mailup_connection(None)
    shown = f"{token!r} {token} {vars(token)} {token.access_token} {mailup_registration!r} {vars(mailup_registration)}"

    for sealed in (token.access_token, token.refresh_token, mailup_registration.client_secret):
        assert sealed.reveal() not in shown
        assert sealed.ciphertext not in shown


def test_one_unreadable_row_does_not_break_a_list(mailup_connection: Connect) -> None:
    mailup_connection(None)
    mailup_connection(None, username="m67890")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_mailup_token SET access_token = 'broken' WHERE account_uid = '4321'")

    assert [str(token) for token in Token.objects.all()] == ["m12345", "m67890"]
    with pytest.raises(DecryptionFailed):
        Token.objects.get(account_uid="4321").access_token.reveal()


def test_a_ciphertext_moved_to_another_column_is_refused(mailup_connection: Connect) -> None:
    mailup_connection(None)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_mailup_token SET access_token = refresh_token")

    with pytest.raises(DecryptionFailed):
        Token.objects.get().access_token.reveal()


@pytest.mark.parametrize("lookup", ["access_token", "access_token__contains", "refresh_token__in", "access_token__gt"])
def test_filtering_on_a_secret_is_refused(lookup: str) -> None:
    with pytest.raises(FieldError):
        Token.objects.filter(**{lookup: "x"}).first()


def test_isnull_is_allowed() -> None:
    assert not Token.objects.filter(access_token__isnull=True).exists()


def test_fixtures_hold_ciphertext_and_load_again(mailup_connection: Connect) -> None:
    token = mailup_connection(None)
    secret = token.access_token.reveal()
    dumped = serializers.serialize("json", Token.objects.all())
    assert secret not in dumped
    assert json.loads(dumped)[0]["fields"]["access_token"] == token.access_token.ciphertext

    Token.objects.all().delete()
    for loaded in serializers.deserialize("json", dumped):
        loaded.save()
    assert Token.objects.get().access_token.reveal() == secret


def test_deferred_secrets_are_loaded_when_asked_for(mailup_connection: Connect) -> None:
    secret = mailup_connection(None).access_token.reveal()

    assert Token.objects.defer("access_token").get().access_token.reveal() == secret
