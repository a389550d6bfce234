"""Models: which fields a site may save, and which rows can't exist or be deleted."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from django_mailup.models import Token

from .stored import sealed, stored_rows

pytestmark = pytest.mark.django_db
Connect = Callable[..., Token]


def test_the_migration_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("makemigrations", check_changes=True, dry_run=True)  # it exits if there is anything to add

    assert capsys.readouterr().out == "No changes detected\n"


def test_a_stale_instances_save_overwrites_nothing_that_services_manage(mailup_connection: Connect) -> None:
    stale = mailup_connection(None)
    later = timezone.now() + timedelta(days=1)
    Token.objects.update(
        **sealed(stale, access_token="newer", refresh_token="newer"), generation=9, expires_at=later, claim_owner="x",
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
    stored = stored_rows(Token)
    setattr(token, name, {"company": "x"} if name == "error_details" else "assigned")

    with pytest.raises(ValueError, match=f"may write {name} of a Token"):
        token.save()
    assert stored_rows(Token) == stored


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
    assert token.generation == 1  # loads the deferred field; the assignment must still be noticed
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
    token.pk, token.key, token._state.adding = None, uuid.uuid4(), True
    token.access_token, token.refresh_token = "A", "R"

    with pytest.raises(IntegrityError, match=r"account|registration_id"), transaction.atomic():
        token.save()


def test_a_registration_with_tokens_is_protected(mailup_connection: Connect) -> None:
    from django.db.models import ProtectedError

    with pytest.raises(ProtectedError):
        mailup_connection(None).registration.delete()
