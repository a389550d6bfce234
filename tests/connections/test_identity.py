"""Whose MailUp account a connection is, and merging two rows of one account."""

from __future__ import annotations

import json
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models import F
from django.db.models.signals import pre_save

from django_mailup.connections import identity
from django_mailup.exceptions import AccountMismatch, DecryptionFailed, TransactionOpen
from django_mailup.models import Token
from django_mailup.services import client_of, refresh, register

from ..journey import Journey
from ..processes import HAS_SERVER, eventually, the_server_holds_a_statement_back
from ..stored import stored_rows
from ..threads import in_threads

pytestmark = pytest.mark.django_db


def test_connecting_again_renews_the_same_row(journey: Journey) -> None:
    first = journey.connect().token
    again = journey.connect()

    assert again.token.pk == first.pk
    assert not again.created
    assert again.token.generation == first.generation + 1
    assert again.token.access_token.reveal() != first.access_token.reveal()
    assert Token.objects.count() == 1


def test_several_accounts_are_several_rows(journey: Journey) -> None:
    journey.connect()
    journey.connect("m67890")

    assert sorted(Token.objects.values_list("account_uid", flat=True)) == ["4321", "8765"]


def test_an_account_has_a_row_for_each_registration(journey: Journey) -> None:
    journey.connect()
    journey.sandbox.state.clients["second-id"] = "second-secret"
    register(slug="second", name="Second", client_id="second-id", client_secret="second-secret")

    assert journey.connect(registration="second").created
    rows = Token.objects.order_by("pk").values_list("registration__slug", "account_uid")
    assert list(rows) == [("default", "4321"), ("second", "4321")]


def test_reconnecting_as_another_account_changes_nothing(journey: Journey) -> None:
    token = journey.connect().token

    with pytest.raises(AccountMismatch, match="m67890"):
        journey.connect("m67890", reconnect=token)
    assert list(Token.objects.values_list("pk", "generation")) == [(token.pk, 1)]


def test_reconnecting_a_connection_whose_account_is_unknown_is_no_mismatch(journey: Journey) -> None:
    unknown = journey.connect().token
    Token.objects.update(account_uid=None)
    completed = journey.connect("m67890", reconnect=unknown)

    assert completed.token.account_uid == "8765"


def test_reconnecting_as_another_connected_account_keeps_both_alive(journey: Journey) -> None:
    token, other = journey.connect().token, journey.connect("m67890").token

    with pytest.raises(AccountMismatch):
        journey.connect("m67890", reconnect=token)
    assert list(Token.objects.order_by("pk").values_list("pk", "generation")) == [(token.pk, 1), (other.pk, 2)]


def test_of_several_connections_the_one_that_was_meant_is_reconnected(journey: Journey) -> None:
    journey.connect()
    meant = journey.connect("m67890").token

    assert journey.connect("m67890", reconnect=meant).token == meant


def test_a_pair_is_kept_although_mailup_does_not_say_whose_it_is(journey: Journey) -> None:
    journey.sandbox.fail_with("status", status=500, path="Authentication/Info")
    completed = journey.connect()

    assert completed.created
    assert completed.token.account_uid is None

    assert len(list(client_of(completed.token).lists.all())) == 3
    completed.token.refresh_from_db()
    assert completed.token.account_username == "m12345"


def test_an_unnamed_row_merges_into_the_older_one_at_the_first_call(journey: Journey) -> None:
    older = journey.connect().token
    journey.sandbox.fail_with("status", status=500, path="Authentication/Info")
    unnamed = journey.connect().token
    assert Token.objects.count() == 2

    client = client_of(unnamed)
    list(client.lists.all())
    list(client.lists.all())
    survivor = Token.objects.get()
    assert survivor.pk == older.pk
    assert survivor.connected_at == unnamed.connected_at > older.connected_at
    assert survivor.access_token.reveal() == unnamed.access_token.reveal()
    assert survivor.generation == 2


def test_the_site_has_its_own_connection_and_only_one_per_account(journey: Journey) -> None:
    mine = journey.connect().token
    journey.user.is_superuser = True
    first = journey.connect(for_site=True)
    second = journey.connect(for_site=True)

    assert first.token.user is None
    assert second.token.pk == first.token.pk != mine.pk


def test_a_merged_pair_is_encrypted_for_the_row_that_holds_it_now(journey: Journey) -> None:
    older = journey.connect().token
    journey.sandbox.fail_with("status", status=500, path="Authentication/Info")
    unnamed = journey.connect().token
    list(client_of(unnamed).lists.all())

    survivor = Token.objects.get()
    assert survivor.key == older.key != unnamed.key
    for column in ("access_token", "refresh_token"):
        assert getattr(survivor, column).reveal() == getattr(unnamed, column).reveal()
        assert getattr(survivor, column).ciphertext != getattr(unnamed, column).ciphertext
    assert survivor.encryption_key_id == survivor.refresh_token.key_id


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not HAS_SERVER, reason="SQLite has one writer at a time")
def test_no_renewal_begins_while_rows_are_merged(journey: Journey) -> None:
    journey.sandbox.configure(refresh_reuse="revokes")
    journey.connect()
    journey.sandbox.fail_with("status", status=500, path="Authentication/Info")
    unnamed = journey.connect().token
    client = client_of(unnamed)
    refused: list[BaseException | None] = []

    def renew() -> None:
        try:
            with transaction.atomic():  # so that it waits for a lock for a second only
                refresh(unnamed)
        finally:
            connections.close_all()

    def before_the_row_goes(execute: Any, sql: str, *arguments: Any) -> Any:
        if sql.startswith("DELETE") and "django_mailup_token" in sql:
            refused.append(pool.submit(renew).exception(20))
        return execute(sql, *arguments)

    with ThreadPoolExecutor(1) as pool, connection.execute_wrapper(before_the_row_goes):
        list(client.lists.all())
    assert [type(each) for each in refused] == [TransactionOpen]
    refresh(Token.objects.get())


@pytest.mark.django_db(transaction=True)
def test_two_rows_of_the_site_that_are_identified_at_once_become_one(journey: Journey) -> None:
    """No constraint of the database notices them: their user is null."""
    journey.user.is_superuser = True
    journey.sandbox.fail_with("status", status=500, path="Authentication/Info", times=2)
    one, other = [journey.connect(for_site=True).token for _ in range(2)]
    info = client_of(one, identify=False).account.info()
    second: list[Future[Any]] = []

    def identify_the_other() -> None:
        try:
            identity.store_identity(other.key, info)
        finally:
            connections.close_all()

    def is_held_back() -> bool:
        # In another thread: within a transaction PostgreSQL says always the same about other connections.
        return in_threads(1, the_server_holds_a_statement_back) == [True]

    def before_the_identity_is_written(execute: Any, sql: str, *arguments: Any) -> Any:
        if sql.startswith("UPDATE") and "account_uid" in sql and not second:
            second.append(pool.submit(identify_the_other))
            eventually(lambda: second[0].done() or is_held_back())
        return execute(sql, *arguments)

    with ThreadPoolExecutor(1) as pool:
        with connection.execute_wrapper(before_the_identity_is_written):
            identity.store_identity(one.key, info)
        second[0].result()
    assert Token.objects.get().key == one.key


def test_rows_are_not_merged_while_one_is_renewed(journey: Journey, clock: Any) -> None:
    journey.connect()
    journey.sandbox.fail_with("status", status=500, path="Authentication/Info")
    unnamed = journey.connect().token
    Token.objects.filter(key=unnamed.key).update(claim_owner="another process", claimed_until=clock())
    before = stored_rows(Token)

    list(client_of(unnamed).lists.all())
    assert stored_rows(Token) == before
    Token.objects.filter(key=unnamed.key).update(claim_owner="", claimed_until=None)
    list(client_of(unnamed).lists.all())
    assert Token.objects.count() == 1


def test_a_merge_that_cannot_decrypt_changes_nothing_and_is_logged(
    journey: Journey, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    journey.connect()
    journey.sandbox.fail_with("status", status=500, path="Authentication/Info")
    unnamed = journey.connect().token
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_mailup_token SET refresh_token = access_token WHERE id = %s", [unnamed.pk])
    before = stored_rows(Token)
    caplog.clear()

    with caplog.at_level(logging.WARNING, logger="django_mailup"):
        assert len(list(client_of(unnamed).lists.all())) == 3
    assert stored_rows(Token) == before
    assert [record.getMessage() for record in caplog.records] == [
        f"mailup.account_unknown token={unnamed.key} error=decryption_failed"
    ]
    with pytest.raises(DecryptionFailed):
        Token.objects.get(key=unnamed.key).refresh_token.reveal()


def test_a_pair_that_is_renewed_while_rows_merge_is_not_lost(journey: Journey) -> None:
    """Another process ends its renewal after the row was first read, and before the merge locks it."""
    older = journey.connect().token
    journey.sandbox.fail_with("status", status=500, path="Authentication/Info")
    unnamed = journey.connect().token
    row = Token.objects.filter(key=unnamed.key)
    encrypted: Any = Token._meta.get_field("refresh_token")
    renewed: list[Any] = []

    def renew_before(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("UPDATE", "DELETE")) and Token._meta.db_table in sql and not renewed:
            renewed.append(encrypted.seal("newer", unnamed.key))
            row.update(generation=F("generation") + 1, refresh_token=renewed[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(renew_before):
        assert len(list(client_of(unnamed).lists.all())) == 3
    assert renewed
    assert Token.objects.get().key == older.key
    assert Token.objects.get().refresh_token.reveal() == "newer"


HOSTILE_NAMES = [
    ("\x1b[31mm1\x00\ud8002345\u202e", "m12345", "NUL, surrogate, ESC"),
    ("m" * 1000, "m" * 150, "long"),
    ("\U0001f600" * 1000, "\U0001f600" * 150, "long, beyond the BMP"),
]


@pytest.mark.parametrize(
    ("sent", "stored"), [each[:2] for each in HOSTILE_NAMES], ids=[each[2] for each in HOSTILE_NAMES]
)
def test_names_are_made_fit_before_they_are_stored(journey: Journey, sent: str, stored: str) -> None:
    body = json.dumps({"UID": "4321", "Username": sent, "Company": sent * 2})
    journey.sandbox.fail_with("body", status=200, body=body, path="Authentication/Info")
    token = journey.connect().token
    token.refresh_from_db()

    assert token.account_uid == "4321"
    assert token.account_username == stored.replace("m12345", "[31mm12345")
    assert token.company.isprintable()
    assert len(token.company) <= 255


def test_the_longest_uid_is_stored(journey: Journey) -> None:
    body = json.dumps({"UID": "4" * 64, "Username": "m12345", "Company": ""})
    journey.sandbox.fail_with("body", status=200, body=body, path="Authentication/Info")

    assert journey.connect().token.account_uid == "4" * 64


@pytest.mark.parametrize("uid", ["4" * 65, "43\x0021", "4321\ud800", "43\n21", ""])
def test_a_uid_that_does_not_fit_leaves_the_account_unknown(journey: Journey, uid: str) -> None:
    """It isn't cut or cleaned: then two accounts could look like one, and get each other's pair."""
    old = journey.connect().token
    body = json.dumps({"UID": uid, "Username": "m12345", "Company": ""})
    journey.sandbox.fail_with("body", status=200, body=body, path="Authentication/Info", times=2)
    completed = journey.connect(reconnect=old)
    assert completed.token.pk != old.pk
    assert completed.token.account_uid is None

    client = client_of(completed.token)
    assert len(list(client.lists.all())) == 3
    assert Token.objects.count() == 2
    assert len(list(client_of(completed.token).lists.all())) == 3  # MailUp has recovered: the next client merges
    assert Token.objects.get().account_uid == "4321"


def failing_save(**_: object) -> None:
    raise RuntimeError("a receiver of the site's")


def test_identifying_is_never_the_callers_trouble(journey: Journey, caplog: pytest.LogCaptureFixture) -> None:
    journey.sandbox.fail_with("status", status=500, path="Authentication/Info")
    token = journey.connect().token
    pre_save.connect(failing_save, sender=Token)
    try:
        assert len(list(client_of(token).lists.all())) == 3
    finally:
        pre_save.disconnect(failing_save, sender=Token)

    assert f"mailup.account_unknown token={token.key} error=RuntimeError" in caplog.text
    assert len(list(client_of(token).lists.all())) == 3
    token.refresh_from_db()
    assert token.account_uid == "4321"


def test_connecting_goes_on_although_the_account_cannot_be_stored(journey: Journey) -> None:
    def failing_update(**named: object) -> None:
        if named["update_fields"] is not None:
            raise RuntimeError("a receiver of the site's")

    pre_save.connect(failing_update, sender=Token)
    try:
        completed = journey.connect()
    finally:
        pre_save.disconnect(failing_update, sender=Token)

    assert completed.created
    assert Token.objects.get().account_uid is None


@pytest.mark.django_db(transaction=True)
def test_a_failure_to_identify_does_not_break_the_callers_transaction(journey: Journey, other_user: Any) -> None:
    journey.sandbox.fail_with("status", status=500, path="Authentication/Info")
    token = journey.connect().token

    def breaking_save(**named: Any) -> None:
        with connections[named["using"]].cursor() as cursor:
            cursor.execute("SELECT nonsense")  # after which PostgreSQL refuses everything else in a transaction

    pre_save.connect(breaking_save, sender=Token)
    try:
        with transaction.atomic():
            assert len(list(client_of(token).lists.all())) == 3
            other_user.first_name = "Leonardo"
            other_user.save()
    finally:
        pre_save.disconnect(breaking_save, sender=Token)
    other_user.refresh_from_db()
    assert other_user.first_name == "Leonardo"


@pytest.mark.django_db(transaction=True)
def test_an_account_is_identified_when_the_callers_transaction_is_committed(journey: Journey) -> None:
    journey.sandbox.fail_with("status", status=500, path="Authentication/Info")
    token = journey.connect().token
    with transaction.atomic():
        list(client_of(token).lists.all())
        assert Token.objects.get().account_uid is None

    assert Token.objects.get().account_uid == "4321"


@pytest.mark.django_db(transaction=True)
def test_without_autocommit_the_account_stays_unknown_and_the_call_succeeds(journey: Journey) -> None:
    journey.sandbox.fail_with("status", status=500, path="Authentication/Info")
    token = journey.connect().token
    transaction.set_autocommit(False)
    try:
        assert len(list(client_of(token).lists.all())) == 3
        transaction.rollback()
    finally:
        transaction.set_autocommit(True)

    assert Token.objects.get().account_uid is None
    assert len(list(client_of(token).lists.all())) == 3
    assert Token.objects.get().account_uid == "4321"
