"""Claims: taking over one that has ended, and writing only while one's own claim stands."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction

from django_mailup.exceptions import (
    NotConnected,
    ReauthorizationRequired,
)
from django_mailup.models import Token
from django_mailup.renewal import claims, on_demand, periodic
from django_mailup.renewal.own_connection import Caller
from django_mailup.sandbox import OAuthError, Sandbox
from django_mailup.services import disconnect

from ..processes import eventually
from ..stored import sealed
from .jobs import Calls, no_row_locks, run
from .other_process import claim

Connect = Callable[..., Token]


def test_a_claim_that_ran_out_is_taken_over_and_remembered(expired: Token, mailup_sandbox: Sandbox) -> None:
    claim(expired, seconds=0.3)
    mailup_sandbox.state.revoke()

    with pytest.raises(ReauthorizationRequired, match="interrupted"):
        on_demand.usable_token(expired.key)
    expired.refresh_from_db()
    assert expired.interrupted
    assert "interrupted" in str(expired.last_error)
    with pytest.raises(ReauthorizationRequired, match="interrupted"):  # so is everybody who comes later
        on_demand.usable_token(expired.key)


def test_a_takeover_that_succeeds_forgets_the_interruption(expired: Token) -> None:
    claim(expired, seconds=-1)
    on_demand.usable_token(expired.key)

    expired.refresh_from_db()
    assert not expired.interrupted
    assert expired.claim_owner == ""


def test_a_stale_worker_cannot_overwrite_a_newer_pair(expired: Token, mailup_sandbox: Sandbox) -> None:
    """The user reconnects while the answer is on its way: the renewal's pair is dropped, and the newer one used."""

    def reconnect(_: object) -> None:
        Token.objects.filter(pk=expired.pk).update(
            **sealed(expired, access_token="newer"), generation=5, claim_owner=""
        )
        connections.close_all()

    mailup_sandbox.hooks.after_refresh = reconnect

    assert on_demand.usable_token(expired.key).access_token.value == "newer"
    assert Token.objects.get().generation == 5


def test_a_row_that_was_renewed_since_it_was_read_is_not_claimed(expired: Token) -> None:
    """The refresh token that was read is spent: sending it again may end the connection."""
    on_demand.refresh(Token.objects.get())

    assert claims.take(expired, caller=Caller.IN_AUTOCOMMIT) is None
    assert Token.objects.get().claim_owner == ""


@pytest.mark.parametrize("changed", [{"generation": 5}, {"claim_owner": "another process"}], ids=str)
def test_an_outcome_is_written_only_if_claim_and_generation_are_unchanged(
    expired: Token, changed: dict[str, Any]
) -> None:
    claim = claims.take(expired, caller=Caller.IN_AUTOCOMMIT)
    assert claim is not None
    Token.objects.update(**changed)

    assert not claims.write(claim, {"failure_count": 7})
    assert claims.write_many([(claim, {"failure_count": 7})]) == {expired.key: False}
    assert Token.objects.get().failure_count == 0


def test_a_failure_is_not_written_over_anothers_claim(expired: Token, mailup_sandbox: Sandbox) -> None:
    """Another process takes over during the call: this one's failure is not stored."""

    def take_over_and_refuse(_: object) -> None:
        mailup_sandbox.hooks.before_refresh = None
        claim(expired, seconds=0.5)
        connections.close_all()
        raise OAuthError("invalid_request", "no")

    mailup_sandbox.hooks.before_refresh = take_over_and_refuse

    assert on_demand.usable_token(expired.key).generation == 2
    assert mailup_sandbox.state.counters["refreshes"] == 1


def test_a_row_deleted_meanwhile_drops_the_pair(expired: Token, mailup_sandbox: Sandbox) -> None:
    def delete(_: object) -> None:
        disconnect(expired)
        connections.close_all()

    mailup_sandbox.hooks.before_refresh = delete

    with pytest.raises(NotConnected):
        on_demand.usable_token(expired.key)
    assert Token.objects.count() == 0


def test_where_locks_cannot_be_skipped_it_is_one_at_a_time(
    db: None, due_keys: list[UUID], calls: Calls, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection.features, "has_select_for_update", True)
    monkeypatch.setattr(connection.features, "has_select_for_update_skip_locked", False)

    assert periodic.refresh_many(due_keys, clock=clock) == periodic.Tally(refreshed=len(due_keys))
    assert calls.most_inside == 1


@no_row_locks
def test_a_row_that_somebody_has_locked_is_left_alone(
    transactional_db: None, due_keys: list[UUID], calls: Calls, clock: Any
) -> None:
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Token.objects.select_for_update().get(key=due_keys[3])

        job = pool.submit(run, due_keys, clock)
        eventually(job.done)
        assert job.result() == periodic.Tally(refreshed=len(due_keys) - 1, skipped=1)
    assert calls.arrived == len(due_keys) - 1
    assert Token.objects.get(generation=1).key == due_keys[3]


def test_what_is_no_longer_due_is_given_back(db: None, due_keys: list[UUID], calls: Calls, clock: Any) -> None:
    Token.objects.filter(key__in=due_keys[2:4]).update(refreshed_at=clock(), expires_at=clock() + timedelta(hours=1))

    assert periodic.refresh_many(due_keys, clock=clock) == periodic.Tally(refreshed=len(due_keys) - 2, skipped=2)
    assert calls.arrived == len(due_keys) - 2
    assert not Token.objects.exclude(claim_owner="").exists()


def test_a_row_that_is_changed_under_its_claim_drops_the_pair(
    transactional_db: None, due_keys: list[UUID], calls: Calls, clock: Any
) -> None:
    def reconnect(number: int) -> None:
        if number == 1:
            row = Token.objects.get(key=due_keys[0])
            newer = sealed(row, access_token="newer")
            Token.objects.filter(key=row.key).update(**newer, generation=5, claim_owner="")
            connections.close_all()

    calls.before = reconnect

    assert periodic.refresh_many(due_keys, clock=clock) == periodic.Tally(refreshed=len(due_keys) - 1, skipped=1)
    row = Token.objects.get(key=due_keys[0])
    assert (row.generation, row.access_token.reveal()) == (5, "newer")
