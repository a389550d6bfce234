"""The password grant, and disconnecting."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from django_mailup.exceptions import LoginRefused, StateMismatch, TransactionOpen
from django_mailup.models import Token
from django_mailup.services import connect_with_password, disconnect

from ..journey import Journey

pytestmark = pytest.mark.django_db


def test_the_password_grant(journey: Journey, heard: Any) -> None:
    token = connect_with_password(username="m12345", password="sandbox")

    assert token.user is None
    assert token.account_username == "m12345"
    assert [name for name, _ in heard] == ["account_connected"]


def test_a_wrong_password(journey: Journey) -> None:
    with pytest.raises(LoginRefused):
        connect_with_password(username="m12345", password="wrong")
    assert Token.objects.count() == 0


def test_a_password_is_not_sent_inside_a_transaction(
    transactional_db: None, journey: Journey, mailup_requests: list[Any]
) -> None:
    with transaction.atomic(), pytest.raises(TransactionOpen):
        connect_with_password(username="m12345", password="sandbox")

    assert (mailup_requests, Token.objects.count()) == ([], 0)


def test_a_user_who_is_deleted_meanwhile_gets_no_connection(transactional_db: None, journey: Journey) -> None:
    gone = copy.copy(journey.user)
    journey.user.delete()

    with pytest.raises(StateMismatch, match="deleted meanwhile"):
        connect_with_password(username="m12345", password="sandbox", user=gone)
    assert Token.objects.count() == 0


def test_disconnecting_inside_a_transaction_tells_after_the_commit(
    transactional_db: None, mailup_connection: Callable[..., Token], heard: Any
) -> None:
    token = mailup_connection(None)
    heard.clear()
    with transaction.atomic():
        disconnect(token)
        assert heard == []
    assert [name for name, _ in heard] == ["account_disconnected"]

    token = mailup_connection(None)
    heard.clear()
    with transaction.atomic():
        disconnect(token)
        transaction.set_rollback(True)
    assert heard == []
    assert Token.objects.filter(pk=token.pk).exists()


def test_disconnecting_deletes_the_row_and_tells(
    mailup_connection: Callable[..., Token], user: Any, heard: Any
) -> None:
    token = mailup_connection(user)
    disconnect(token)
    disconnect(token)

    assert Token.objects.count() == 0
    assert [name for name, _ in heard] == ["account_connected", "account_disconnected"]
    assert not heard[-1][1]["token"].access_token
    assert heard[-1][1]["token"].user == user
