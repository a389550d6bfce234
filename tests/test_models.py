"""Models, encrypted fields and keys: what is stored, what is shown, what can't be done by accident."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import override_settings
from django.utils import timezone

from django_mailup.crypto import Sealed
from django_mailup.database_clock import DatabaseNow
from django_mailup.exceptions import DecryptionFailed, Misconfigured
from django_mailup.models import ClientRegistration, Token
from django_mailup.sandbox import Sandbox

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


def test_a_wrong_key_is_said_to_be_one(mailup_connection: Connect, settings: Any) -> None:
    mailup_connection(None)
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}

    with pytest.raises(DecryptionFailed):
        Token.objects.get().access_token.reveal()


def test_one_unreadable_row_does_not_break_a_list(mailup_connection: Connect) -> None:
    mailup_connection(None)
    mailup_connection(None, username="m67890")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_mailup_token SET access_token = 'broken' WHERE account_uid = '4321'")

    assert [str(token) for token in Token.objects.all()] == ["m12345", "m67890"]
    with pytest.raises(DecryptionFailed):
        Token.objects.get(account_uid="4321").access_token.reveal()


@pytest.fixture
def without_keys(settings: Any, mailup_registration: ClientRegistration, mailup_sandbox: Sandbox) -> None:
    """A site that has never set ENCRYPTION_KEYS."""
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": []}
    mailup_registration.client_secret = mailup_sandbox.client_secret
    mailup_registration.save()


def test_setting_keys_later_keeps_every_row_readable(
    without_keys: None, mailup_connection: Connect, settings: Any
) -> None:
    secret = mailup_connection(None).access_token.reveal()

    key = Fernet.generate_key().decode()
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": [key]}
    assert Token.objects.get().access_token.reveal() == secret

    Token.objects.update(access_token=secret)
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": [Fernet.generate_key().decode(), key]}
    settings.SECRET_KEY = "another"  # what is written with an explicit key doesn't need SECRET_KEY any more
    assert Token.objects.get().access_token.reveal() == secret


def test_secret_key_fallbacks_are_read(without_keys: None, mailup_connection: Connect, settings: Any) -> None:
    secret = mailup_connection(None).access_token.reveal()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]

    assert Token.objects.get().access_token.reveal() == secret


def test_a_ciphertext_moved_to_another_column_is_refused(mailup_connection: Connect) -> None:
    mailup_connection(None)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_mailup_token SET access_token = refresh_token")

    with pytest.raises(DecryptionFailed):
        Token.objects.get().access_token.reveal()


@override_settings(MAILUP={"ENCRYPTION_KEYS": ["short"]})
def test_a_malformed_key_is_never_used() -> None:
    with pytest.raises(Misconfigured):
        Sealed.seal("x", "test")


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


def test_a_stale_instances_save_overwrites_nothing_that_services_manage(mailup_connection: Connect) -> None:
    stale = mailup_connection(None)
    later = timezone.now() + timedelta(days=1)
    Token.objects.update(
        access_token="newer", refresh_token="newer", generation=9, expires_at=later, claim_owner="x",
        status=Token.Status.REAUTHORIZATION_REQUIRED, failure_count=4, error_code="y", refresh_at=later,
    )  # fmt: skip
    stale.company = "Renamed"
    stale.save()

    token = Token.objects.get()
    assert token.company == "Renamed"
    assert token.access_token.reveal() == token.refresh_token.reveal() == "newer"
    assert (token.generation, token.claim_owner, token.failure_count, token.error_code) == (9, "x", 4, "y")
    assert token.expires_at == token.refresh_at == later
    assert token.status == Token.Status.REAUTHORIZATION_REQUIRED

    stale.error_code = "named"
    with pytest.raises(ValueError, match="error_code"):
        stale.save(update_fields=["error_code"])


@pytest.mark.parametrize("name", sorted(Token.MANAGED))
def test_saving_a_managed_field_that_was_assigned_is_refused(mailup_connection: Connect, name: str) -> None:
    token = mailup_connection(None)
    stored = Token.objects.values().get()
    setattr(token, name, {"company": "x"} if name == "error_details" else "assigned")

    with pytest.raises(ValueError, match=f"may write {name} of a Token"):
        token.save()
    assert Token.objects.values().get() == stored


def test_reading_the_row_again_forgets_what_was_assigned(mailup_connection: Connect) -> None:
    token = mailup_connection(None)
    token.generation = 7
    token.refresh_from_db(fields=["company"])
    with pytest.raises(ValueError, match="generation"):
        token.save()

    token.refresh_from_db()
    token.save()
    assert Token.objects.get().generation == 1


def test_a_managed_field_that_was_deferred_and_assigned_is_noticed(mailup_connection: Connect) -> None:
    mailup_connection(None)
    token = Token.objects.only("company").get()
    token.status = Token.Status.REAUTHORIZATION_REQUIRED
    with pytest.raises(ValueError, match="status"):
        token.save()

    token = Token.objects.only("company", "status").get()
    token.status = Token.Status.REAUTHORIZATION_REQUIRED
    assert token.generation == 1  # loads it, which must not forget the assignment
    with pytest.raises(ValueError, match="status"):
        token.save()


def test_djangos_ways_to_make_and_change_rows_work(mailup_connection: Connect, user: Any) -> None:
    first = mailup_connection(None)
    same, created = Token.objects.get_or_create(pk=first.pk, defaults={"generation": 5})
    assert (same.generation, created) == (1, False)
    changed, created = Token.objects.update_or_create(pk=first.pk, defaults={"company": "Renamed"})
    assert (changed.company, created) == ("Renamed", False)

    made, created = Token.objects.get_or_create(
        user=user, registration=first.registration,
        defaults={"access_token": "A", "refresh_token": "R", "generation": 5, "connected_at": first.connected_at,
                  "expires_at": first.expires_at, "refresh_at": first.refresh_at},
    )  # fmt: skip
    assert created
    made.company = "Theirs"
    made.save()
    assert Token.objects.get(user=user).company == "Theirs"
    with pytest.raises(ValueError, match="generation"):
        Token.objects.update_or_create(pk=first.pk, defaults={"generation": 9})


def test_bulk_updates_of_managed_fields_are_refused(mailup_connection: Connect) -> None:
    token = mailup_connection(None)
    token.generation, token.company = 9, "Renamed"

    with pytest.raises(ValueError, match="generation"):
        Token.objects.bulk_update([token], ["company", "generation"])
    with pytest.raises(ValueError, match="generation"):
        Token.objects.bulk_create([token], update_conflicts=True, update_fields=["generation"], unique_fields=["pk"])
    Token.objects.bulk_update([token], ["company"])
    assert Token.objects.values_list("company", "generation").get() == ("Renamed", 1)


def test_a_fixture_is_loaded_by_loaddata(mailup_connection: Connect, tmp_path: Path) -> None:
    secret = mailup_connection(None).access_token.reveal()
    fixture = tmp_path / "tokens.json"
    call_command("dumpdata", "django_mailup", output=str(fixture))
    Token.objects.all().delete()
    call_command("loaddata", str(fixture), verbosity=0)

    token = Token.objects.get()
    assert token.access_token.reveal() == secret
    token.save()


def test_saving_a_row_with_deferred_fields(mailup_connection: Connect) -> None:
    mailup_connection(None)
    token = Token.objects.only("company").get()
    token.company = "Renamed"
    token.save()

    assert Token.objects.get().company == "Renamed"


def test_one_row_for_an_account_of_a_user(mailup_connection: Connect, user: Any) -> None:
    token = mailup_connection(user)
    token.pk, token._state.adding = None, True

    with pytest.raises(IntegrityError), transaction.atomic():
        token.save()


def test_a_registration_with_tokens_is_protected(mailup_connection: Connect) -> None:
    from django.db.models import ProtectedError

    with pytest.raises(ProtectedError):
        mailup_connection(None).registration.delete()


def test_the_databases_clock_is_utc_with_fractions(mailup_connection: Connect) -> None:
    mailup_connection(None)
    before = timezone.now()
    Token.objects.update(claimed_until=DatabaseNow(90.5))
    late = Token.objects.get().claimed_until - timedelta(seconds=90.5)

    assert abs((late - before).total_seconds()) < 5
    assert Token.objects.filter(claimed_until__gt=DatabaseNow(80)).exists()
    assert not Token.objects.filter(claimed_until__gt=DatabaseNow(100)).exists()
    assert Token.objects.filter(claimed_until__gt=DatabaseNow(-3600)).exists()
