"""Encrypting everything again with the newest key, beside processes that use and renew it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections, transaction

from django_mailup.exceptions import DecryptionFailed
from django_mailup.models import AuthorizationRequest, ClientRegistration, Token
from django_mailup.sandbox import Sandbox
from django_mailup.services import keys_in_use, refresh, register, rotate_keys, rows_that_need_another_key
from django_mailup.vault import rotation
from django_mailup.vault.keyring import newest
from django_mailup.vault.rotation import models_with_secrets

from ..processes import HAS_SERVER, Gate, eventually, victim
from ..renewal.conftest import expired_row as expired_row
from ..stored import sealed
from .conftest import UseKeys, new_key
from .kms import PATH

Connect = Callable[..., Token]
ROOT = Path(__file__).resolve().parent.parent.parent


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("mailup_rotate_keys", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def everything() -> dict[str, list[str]]:
    """Return every stored secret in plain text, by column."""
    return {
        "client_secret": [row.client_secret.reveal() for row in ClientRegistration.objects.order_by("pk")],
        "access_token": [row.access_token.reveal() for row in Token.objects.order_by("pk")],
        "refresh_token": [row.refresh_token.reveal() for row in Token.objects.order_by("pk")],
        "code_verifier": [row.code_verifier.reveal() for row in AuthorizationRequest.objects.order_by("pk")],
    }


def all_but_secrets() -> list[dict[str, Any]]:
    """Return all other columns of all rows."""
    changes = {"client_secret", "access_token", "refresh_token", "code_verifier", "encryption_key_id"}
    return [
        row
        for model in models_with_secrets()
        for row in model._base_manager.order_by("pk").values(
            *(field.attname for field in model._meta.concrete_fields if field.attname not in changes)
        )
    ]


@pytest.fixture
def rows(mailup_connection: Connect, user: Any, other_user: Any, clock: Any) -> list[Token]:
    """Rows of each kind: a dead connection, one that is claimed, requests with and without a verifier."""
    tokens = [mailup_connection(None), mailup_connection(user), mailup_connection(other_user, username="m67890")]
    Token.objects.filter(pk=tokens[1].pk).update(status=Token.Status.REAUTHORIZATION_REQUIRED, failure_count=3)
    Token.objects.filter(pk=tokens[2].pk).update(claim_owner="somebody", claimed_until=clock())
    for verifier in ("", "hush"):
        AuthorizationRequest.objects.create(
            state_hash=verifier, session_hash="b", user=user, registration=tokens[0].registration, expires_at=clock(),
            code_verifier=verifier,
        )  # fmt: skip
    return tokens


@pytest.mark.django_db
def test_everything_is_encrypted_with_the_newest_key(rows: list[Token], use_keys: UseKeys, old_key: str) -> None:
    secrets, others, new = everything(), all_but_secrets(), new_key()
    use_keys(new, old_key)
    done = rotate_keys()

    assert (done.key_id, done.encrypted, done.left) == (newest().id, 5, 0)
    use_keys(new)
    assert everything() == secrets
    assert all_but_secrets() == others
    assert set(Token.objects.values_list("encryption_key_id", flat=True)) == {newest().id}


@pytest.mark.django_db
def test_a_second_rotation_finds_nothing_to_do(
    rows: list[Token], use_keys: UseKeys, old_key: str, django_assert_num_queries: Any
) -> None:
    use_keys(new_key(), old_key)
    rotate_keys()

    with django_assert_num_queries(2 * len(models_with_secrets())):  # one pass, and the rows that are left
        assert rotate_keys().encrypted == 0


@pytest.mark.django_db
def test_it_goes_on_where_it_was_interrupted(
    rows: list[Token], use_keys: UseKeys, old_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH_SIZE", 1)
    secrets, new = everything(), new_key()
    use_keys(new, old_key)

    def interrupt(model: str, done: int, total: int) -> None:
        if (model, done, total) == ("django_mailup.Token", 2, 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate_keys(progress=interrupt)
    left = rows_that_need_another_key()
    assert 0 < left < 5
    assert everything() == secrets

    assert rotate_keys().encrypted == left
    use_keys(new)
    assert everything() == secrets


@pytest.mark.django_db
def test_what_was_written_by_hand_is_seen_although_its_column_says_otherwise(
    rows: list[Token], use_keys: UseKeys, old_key: str
) -> None:
    new = new_key()
    use_keys(new, old_key)
    Token.objects.update(encryption_key_id=newest().id)
    assert rows_that_need_another_key() == 5
    rotate_keys()
    Token.objects.filter(pk=rows[0].pk).update(encryption_key_id="")
    assert rows_that_need_another_key() == 1

    rotate_keys()
    assert rows_that_need_another_key() == 0
    use_keys(new)
    assert len(everything()["access_token"]) == 3


@pytest.mark.django_db
def test_a_row_that_no_key_opens_is_left_and_said(rows: list[Token], use_keys: UseKeys, old_key: str) -> None:
    use_keys(new_key())
    lost = Token.objects.get(pk=rows[0].pk)
    Token.objects.filter(pk=lost.pk).update(**sealed(lost, access_token="lost"))
    use_keys(new_key(), old_key)
    before = Token.objects.get(pk=lost.pk)

    with pytest.raises(CommandError, match="1 rows need another key than the newest"):
        run()
    after = Token.objects.get(pk=lost.pk)
    assert (after.access_token, after.refresh_token) == (before.access_token, before.refresh_token)
    assert Token.objects.filter(encryption_key_id=newest().id).count() == 2


@pytest.mark.django_db
def test_a_row_that_changes_meanwhile_is_done_in_the_next_pass(
    rows: list[Token], use_keys: UseKeys, old_key: str
) -> None:
    new = new_key()
    use_keys(new, old_key)
    token = Token.objects.get(pk=rows[0].pk)
    table = rotation._Table(Token, "default", newest().id)
    (batch,) = table.batches(None)
    use_keys(old_key)
    Token.objects.filter(pk=token.pk).update(**sealed(token, access_token="renewed"))
    use_keys(new, old_key)

    assert table.encrypt_again(batch) == (2, 1)
    assert Token.objects.get(pk=token.pk).access_token.reveal() == "renewed"
    assert rotate_keys().left == 0
    use_keys(new)
    assert Token.objects.get(pk=token.pk).access_token.reveal() == "renewed"


@pytest.mark.django_db
def test_a_row_that_a_worker_writes_with_the_old_key_meanwhile_is_done_as_well(
    rows: list[Token], use_keys: UseKeys, old_key: str
) -> None:
    new = new_key()
    use_keys(new, old_key)
    written: list[Token] = []

    def write_once(label: str, done: int, total: int) -> None:
        if label == Token._meta.label and not written:
            written.append(Token.objects.get(pk=rows[0].pk))
            use_keys(old_key)
            Token.objects.filter(pk=rows[0].pk).update(**sealed(written[0], access_token="renewed"))
            use_keys(new, old_key)

    assert rotate_keys(progress=write_once).left == 0
    assert written
    use_keys(new)
    assert Token.objects.get(pk=rows[0].pk).access_token.reveal() == "renewed"


def test_a_locked_row_is_not_waited_for(
    transactional_db: None, rows: list[Token], use_keys: UseKeys, old_key: str
) -> None:
    if not HAS_SERVER:
        pytest.skip("SQLite has no row locks")
    use_keys(new_key(), old_key)

    def rotate() -> Any:
        try:
            return rotate_keys()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Token.objects.filter(pk=rows[0].pk).update(company="locked")
        done = pool.submit(rotate).result(20)
        assert (done.encrypted, done.left) == (4, 1)
    assert rotate_keys().encrypted == 1


# ---------------------------------------------------------------------------------------------------- the command


@pytest.mark.django_db
def test_the_command_says_what_it_does(rows: list[Token], use_keys: UseKeys, old_key: str) -> None:
    use_keys(new_key(), old_key)
    said = run("--database", "default")

    assert "django_mailup.Token: 3 of 3" in said
    assert f"5 rows were encrypted again, with the key {newest().id}." in said


@pytest.mark.django_db
def test_check_prints_rows_per_key_and_fails_while_an_old_one_is_needed(
    rows: list[Token], use_keys: UseKeys, old_key: str
) -> None:
    old, new, everywhere = newest().id, new_key(), {"ClientRegistration": 1, "Token": 3, "AuthorizationRequest": 1}
    assert "Only the newest key is needed." in run("--check")
    use_keys(new, old_key)
    out = io.StringIO()
    with pytest.raises(CommandError, match="5 rows need another key"):
        call_command("mailup_rotate_keys", "--check", stdout=out)
    for model, count in everywhere.items():
        assert [f"django_mailup.{model}", old, str(count), "old"] in [
            line.split() for line in out.getvalue().splitlines()
        ]

    run()
    said = run("--check")
    for model, count in everywhere.items():
        expected = [f"django_mailup.{model}", newest().id, str(count), "newest"]
        assert expected in [line.split() for line in said.splitlines()]
    use_keys(new_key())
    with pytest.raises(CommandError, match="5 rows"):
        run("--check")
    assert {use.is_configured for use in keys_in_use() or []} == {False}


@pytest.mark.django_db
def test_an_emptied_secret_is_counted_without_a_key(rows: list[Token]) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("UPDATE django_mailup_clientregistration SET client_secret = ''")

    uses = {(use.model, use.key_id): use.rows for use in keys_in_use() or []}
    assert uses["django_mailup.ClientRegistration", ""] == 1


@pytest.mark.django_db
def test_the_command_says_that_the_keys_cannot_be_had(kms: ModuleType, use_keys: UseKeys) -> None:
    kms.answer = RuntimeError("sealed")
    use_keys(path=PATH)

    for arguments in ([], ["--check"]):
        with pytest.raises(CommandError, match="encryption keys can't be had"):
            run(*arguments)


@pytest.mark.django_db
def test_leaving_secret_key(settings: Any, use_keys: UseKeys) -> None:
    use_keys()
    register(name="A", client_id="id", client_secret="hush")
    use_keys(new_key())
    run()

    settings.MAILUP = {**settings.MAILUP, "SECRET_KEY_READS": False}
    assert "Only the newest key" in run("--check")
    assert ClientRegistration.objects.get().client_secret.reveal() == "hush"


ELSEWHERE = """
import django, sys
from django.conf import settings
settings.DATABASES["elsewhere"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}
class Router:
    def db_for_write(self, model, **hints):
        return "elsewhere" if model._meta.app_label == "django_mailup" else None
    db_for_read = db_for_write
    def allow_migrate(self, db, app_label, **hints):
        return db == "elsewhere"
settings.DATABASE_ROUTERS = [Router()]
django.setup()
from django.core.management import call_command
from tests.vault.conftest import new_key
from django_mailup.models import ClientRegistration
from django_mailup.services import register, rotate_keys
call_command("migrate", database="elsewhere", verbosity=0)
old, new = new_key(), new_key()
settings.MAILUP = {"ENCRYPTION_KEYS": [old]}
register(name="A", client_id="id", client_secret="hush")
settings.MAILUP = {"ENCRYPTION_KEYS": [new, old]}
assert rotate_keys().encrypted == 1
settings.MAILUP = {"ENCRYPTION_KEYS": [new]}
assert ClientRegistration.objects.using("elsewhere").get().client_secret.reveal() == "hush"
call_command("mailup_rotate_keys", "--check", "--database", "elsewhere")
newer = new_key()
settings.MAILUP = {"ENCRYPTION_KEYS": [newer, new]}
Router.db_for_write = lambda self, model, **hints: None  # the default database, which has no tables
assert rotate_keys(using="elsewhere").encrypted == 1
settings.MAILUP = {"ENCRYPTION_KEYS": [newer]}
assert ClientRegistration.objects.using("elsewhere").get().client_secret.reveal() == "hush"
"""


def test_the_database_is_the_one_that_the_router_or_the_caller_names(tmp_path: Path) -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": "sqlite://:memory:"}

    subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(tmp_path / "elsewhere.sqlite3")], env=env, cwd=ROOT, check=True
    )


# ---------------------------------------------------------------------------------------------------- two deploys


@pytest.mark.slow
def test_two_deploys_beside_a_worker_that_has_the_old_list(
    expired_row: Token, mailup_sandbox: Sandbox, settings: Any, use_keys: UseKeys, old_key: str
) -> None:
    new = new_key()
    use_keys(old_key, new)  # the first deploy: the new key last, everywhere
    gate = Gate(mailup_sandbox, after=True)
    with victim("process", expired_row, settings) as worker:
        gate.reached.wait()
        use_keys(new, old_key)  # the second deploy reaches us, and not yet the worker, which waits for MailUp
        assert rotate_keys().left == 0
        gate.open.set()
        worker.hear("renewed")
    row = Token.objects.get()
    assert row.generation == 2
    assert row.encryption_key_id == row.access_token.key_id == row.refresh_token.key_id != newest().id

    assert (rotate_keys().encrypted, rows_that_need_another_key()) == (1, 0)
    use_keys(new)
    refresh(Token.objects.get())
    assert Token.objects.get().generation == 3


@pytest.mark.slow
def test_a_worker_that_has_the_old_list_reads_what_was_rotated(
    expired_row: Token, settings: Any, use_keys: UseKeys, old_key: str
) -> None:
    new = new_key()
    use_keys(new, old_key)
    rotate_keys()
    use_keys(old_key, new)
    with victim("job", expired_row, settings) as worker:
        worker.hear("renewed")

    eventually(lambda: Token.objects.filter(generation=2).exists())
    use_keys(old_key)
    with pytest.raises(DecryptionFailed):  # why the new key is first deployed as the last one
        ClientRegistration.objects.get().client_secret.reveal()
