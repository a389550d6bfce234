"""Why a renewal's own connection doesn't see a row, told from what the caller's sees."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection, transaction

from django_mailup.exceptions import Misconfigured, NotConnected, TransactionOpen
from django_mailup.models import Token
from django_mailup.renewal import unseen


def test_a_row_that_nobody_sees_is_not_there(transactional_db: None) -> None:
    assert isinstance(unseen.reason([uuid.uuid4()]), NotConnected)
    with transaction.atomic():
        assert isinstance(unseen.reason([uuid.uuid4()]), NotConnected)


def test_a_committed_row_that_the_caller_sees_tells_of_the_hook(expired: Token) -> None:
    assert isinstance(unseen.reason([uuid.uuid4(), expired.key]), Misconfigured)


@pytest.mark.parametrize("writes", [False, True], ids=["reads", "writes"])
def test_inside_a_transaction_only_postgres_can_tell_a_committed_row(expired: Token, writes: bool) -> None:
    with transaction.atomic():
        if writes:
            Token.objects.filter(key=uuid.uuid4()).update(company="the block has an id of its own")
            Token.objects.create(
                registration=expired.registration, access_token="A", refresh_token="R", expires_at=expired.expires_at,
                refresh_at=expired.refresh_at, connected_at=expired.connected_at,
            )  # fmt: skip
        told = Misconfigured if connection.vendor == "postgresql" else TransactionOpen
        assert isinstance(unseen.reason([expired.key]), told)


@pytest.mark.parametrize("depth", [1, 2, 3], ids=["atomic", "nested", "deep"])
def test_a_row_of_the_callers_transaction_is_told(expired: Token, depth: int) -> None:
    def inside(blocks: int) -> None:
        with transaction.atomic():
            Token.objects.filter(key=expired.key).update(company=f"block {blocks}")
            if blocks > 1:
                return inside(blocks - 1)
            expired.pk, expired.key, expired.account_uid, expired._state.adding = None, uuid.uuid4(), "1", True
            expired.access_token, expired.refresh_token = "A", "R"
            expired.save()
            assert isinstance(unseen.reason([expired.key]), TransactionOpen)

    inside(depth)
