"""Encrypted columns: what is stored, what is shown, and what can't be done by accident."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.core.serializers.base import DeserializationError
from django.db import connection
from django.db.models import F, Max, Value

from django_mailup.exceptions import DecryptionFailed
from django_mailup.models import AuthorizationRequest, ClientRegistration, Token
from django_mailup.vault.fields import encrypted_fields
from django_mailup.vault.keyring import newest
from django_mailup.vault.rotation import models_with_secrets

from .conftest import UseKeys, new_key

pytestmark = pytest.mark.django_db
Connect = Callable[..., Token]


def stored(column: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM django_mailup_token")  # noqa: S608
        return str(cursor.fetchone()[0])


@pytest.fixture
def request_under_way(mailup_registration: ClientRegistration, user: Any, clock: Any) -> AuthorizationRequest:
    return AuthorizationRequest.objects.create(
        state_hash="a", session_hash="b", user=user, registration=mailup_registration, expires_at=clock(),
        code_verifier="hush",
    )  # fmt: skip


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


def test_a_ciphertext_moved_to_another_row_is_refused(mailup_connection: Connect, user: Any, other_user: Any) -> None:
    mine, theirs = mailup_connection(user), mailup_connection(other_user, username="m67890")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE django_mailup_token SET access_token = %s WHERE id = %s", [theirs.access_token.ciphertext, mine.pk]
        )

    with pytest.raises(DecryptionFailed):
        Token.objects.get(pk=mine.pk).access_token.reveal()
    assert Token.objects.get(pk=theirs.pk).access_token.reveal() == theirs.access_token.reveal()


def test_an_emptied_column_is_an_error_of_its_own(mailup_connection: Connect) -> None:
    mailup_connection(None)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_mailup_token SET access_token = ''")

    with pytest.raises(DecryptionFailed, match="has been emptied"):
        Token.objects.get().access_token.reveal()


def test_a_verifier_may_be_missing(request_under_way: AuthorizationRequest) -> None:
    assert AuthorizationRequest.objects.get().code_verifier.reveal() == "hush"
    request_under_way.code_verifier = ""
    request_under_way.save()

    assert AuthorizationRequest.objects.get().code_verifier.reveal() == ""


# ---------------------------------------------------------------------------------------------------- assignment


def test_the_key_is_assigned_before_the_secrets() -> None:
    assert {model.__name__ for model in models_with_secrets()} == {
        "ClientRegistration",
        "Token",
        "AuthorizationRequest",
    }
    for model in models_with_secrets():
        names = [field.name for field in model._meta.concrete_fields]
        assert names.index("key") < min(names.index(field.name) for field in encrypted_fields(model))


def test_text_is_encrypted_when_it_is_assigned(mailup_registration: ClientRegistration) -> None:
    mailup_registration.client_secret = "hush"

    assert mailup_registration.client_secret.row == mailup_registration.key
    assert mailup_registration.client_secret.reveal() == "hush"


def test_a_key_given_as_text_is_the_same_key() -> None:
    key = uuid.uuid4()

    assert ClientRegistration(key=str(key), client_secret="hush").client_secret.row == key


def test_a_value_of_another_row_or_column_cannot_be_assigned(mailup_connection: Connect) -> None:
    token, other = mailup_connection(None), mailup_connection(None, username="m67890")

    with pytest.raises(ValueError, match="another row's"):
        token.access_token = other.access_token
    with pytest.raises(ValueError, match=r"A value of django_mailup\.token\.refresh_token can't be one of"):
        token.access_token = token.refresh_token
    token.access_token = token.access_token


@pytest.mark.parametrize("value", [F("client_id"), Value("plain"), 5, b"plain"], ids=repr)
def test_nothing_but_text_can_be_assigned(mailup_registration: ClientRegistration, value: Any) -> None:
    with pytest.raises(TypeError, match="assign text"):
        mailup_registration.client_secret = value


def test_a_row_whose_key_was_changed_is_not_saved(mailup_registration: ClientRegistration) -> None:
    mailup_registration.key = uuid.uuid4()

    with pytest.raises(ValueError, match="key was changed"):
        mailup_registration.save()
    with pytest.raises(ValueError, match="key was changed"):
        ClientRegistration.objects.bulk_create([mailup_registration])


def test_bulk_create_encrypts_for_each_row(mailup_registration: ClientRegistration) -> None:
    ClientRegistration.objects.bulk_create(
        ClientRegistration(slug=name, client_id=name, client_secret=f"secret of {name}") for name in ("a", "b")
    )

    for name in ("a", "b"):
        assert ClientRegistration.objects.get(slug=name).client_secret.reveal() == f"secret of {name}"


# ---------------------------------------------------------------------------------------------------- the key's id


def test_the_id_of_the_key_is_stored_with_each_row(mailup_connection: Connect, user: Any, use_keys: UseKeys) -> None:
    token = mailup_connection(None)
    assert Token.objects.filter(encryption_key_id=newest().id).count() == 1

    use_keys(new_key())
    pair = {"access_token": "A", "refresh_token": "R", "registration": token.registration}
    pair |= {name: getattr(token, name) for name in ("connected_at", "expires_at", "refresh_at")}
    Token.objects.create(user=user, **pair)
    Token.objects.bulk_create([Token(account_uid="bulk", **pair)])
    assert Token.objects.filter(encryption_key_id=newest().id).count() == 2
    assert Token.objects.get(pk=token.pk).encryption_key_id == token.refresh_token.key_id != newest().id


def test_the_lookup_by_key(mailup_connection: Connect) -> None:
    mailup_connection(None)

    assert Token.objects.filter(access_token__key_id=newest().id, refresh_token__key_id=newest().id).exists()
    assert not Token.objects.filter(access_token__key_id=newest().id[:-1]).exists()
    assert not Token.objects.filter(access_token__key_id="%").exists()


# ---------------------------------------------------------------------------------------------------- lookups


@pytest.mark.parametrize("lookup", ["access_token", "access_token__contains", "refresh_token__in", "access_token__gt"])
def test_filtering_on_a_secret_is_refused(lookup: str) -> None:
    with pytest.raises(FieldError, match="can't be filtered on"):
        Token.objects.filter(**{lookup: "x"}).first()


def test_isnull_is_allowed() -> None:
    assert not Token.objects.filter(access_token__isnull=True).exists()


def test_a_row_is_found_by_the_ciphertext_that_was_read(mailup_connection: Connect) -> None:
    token = mailup_connection(None)

    assert Token.objects.filter(access_token=token.access_token).get() == token
    with pytest.raises(FieldError, match="can't be one of"):
        Token.objects.filter(access_token=token.refresh_token).first()


def test_a_value_without_its_row_does_not_open(mailup_connection: Connect) -> None:
    mailup_connection(None)
    found = Token.objects.aggregate(latest=Max("access_token"))["latest"]

    with pytest.raises(FieldError, match="without its row"):
        found.reveal()


# ---------------------------------------------------------------------------------------------------- deferred


@pytest.mark.parametrize("name", ["access_token", "key"])
def test_deferred_secrets_are_loaded_when_asked_for(
    mailup_connection: Connect, django_assert_num_queries: Any, name: str
) -> None:
    secret = mailup_connection(None).access_token.reveal()

    token = Token.objects.defer(name).get()
    with django_assert_num_queries(0 if name == "key" else 1):
        assert token.access_token.reveal() == secret


def test_a_secret_that_was_read_without_the_key_is_bound_later(
    mailup_connection: Connect, django_assert_num_queries: Any
) -> None:
    secret = mailup_connection(None).access_token.reveal()

    (token,) = Token.objects.raw("SELECT id, access_token FROM django_mailup_token")
    with django_assert_num_queries(1):
        assert token.access_token.reveal() == secret
    with django_assert_num_queries(0):
        assert token.access_token.reveal() == secret


def test_reading_a_secret_again(mailup_registration: ClientRegistration, django_assert_num_queries: Any) -> None:
    stale = ClientRegistration.objects.get()
    mailup_registration.client_secret = "newer"
    mailup_registration.save()

    with django_assert_num_queries(1):
        stale.refresh_from_db(fields=["client_secret"])
        assert stale.client_secret.reveal() == "newer"


# ---------------------------------------------------------------------------------------------------- fixtures


def dumped(*, without: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(serializers.serialize("json", Token.objects.all()))
    for row in rows:
        row["fields"].pop(without, None)
    return rows


def test_fixtures_hold_ciphertext_and_load_again(mailup_connection: Connect) -> None:
    token = mailup_connection(None)
    secret = token.access_token.reveal()
    text = json.dumps(dumped())
    assert secret not in text
    assert dumped()[0]["fields"]["access_token"] == token.access_token.ciphertext

    Token.objects.all().delete()
    for loaded in serializers.deserialize("json", text):
        loaded.save()
    assert Token.objects.get().access_token.reveal() == secret


@pytest.mark.parametrize("form", ["json", "xml", "jsonl"])
def test_a_dump_that_is_loaded_opens_everything(
    mailup_connection: Connect, request_under_way: AuthorizationRequest, tmp_path: Path, form: str
) -> None:
    token = mailup_connection(None)
    secrets = (token.access_token.reveal(), token.refresh_token.reveal(), token.registration.client_secret.reveal())
    fixture = tmp_path / f"all.{form}"
    call_command("dumpdata", "django_mailup", format=form, output=str(fixture))
    for model in (AuthorizationRequest, Token, ClientRegistration):
        model.objects.all().delete()
    call_command("loaddata", str(fixture), verbosity=0)

    again = Token.objects.select_related("registration").get()
    assert again.key == token.key
    assert secrets == (
        again.access_token.reveal(), again.refresh_token.reveal(), again.registration.client_secret.reveal()
    )  # fmt: skip
    assert AuthorizationRequest.objects.get().code_verifier.reveal() == "hush"
    assert again.encryption_key_id == token.encryption_key_id


@pytest.mark.parametrize("key", ["missing", None])
def test_a_fixture_without_the_key_is_refused_by_name(
    mailup_connection: Connect, tmp_path: Path, key: str | None
) -> None:
    mailup_connection(None)
    fixture, rows = tmp_path / "old.json", dumped(without="key")
    if key is None:
        rows[0]["fields"]["key"] = None
    fixture.write_text(json.dumps(rows))
    Token.objects.all().delete()

    with pytest.raises(DeserializationError, match=r"django_mailup\.token: the field “key” is missing"):
        call_command("loaddata", str(fixture), verbosity=0)
    assert not Token.objects.exists()


def test_a_fixture_with_a_secret_in_plain_text_is_refused(mailup_connection: Connect) -> None:
    mailup_connection(None)
    rows = dumped()
    rows[0]["fields"]["access_token"] = "plain"

    with pytest.raises(DeserializationError, match="“access_token” is encrypted") as caught:
        list(serializers.deserialize("json", json.dumps(rows)))
    assert "plain" not in str(caught.value)
