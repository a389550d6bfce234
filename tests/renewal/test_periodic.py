"""The periodic renewal: which tokens are handed out, how fast, and what a job does with them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from django_mailup.models import ClientRegistration, Token
from django_mailup.renewal import on_demand, periodic
from django_mailup.sandbox import Sandbox

from ..threads import in_threads

Connect = Callable[..., Token]


@pytest.fixture
def due(db: None, mailup_connection: Connect, user: Any, clock: Any) -> Token:
    token = mailup_connection(user)
    clock.move(seconds=3600 - 600)
    return token


def test_the_periodic_task_hands_out_what_is_due_once(due: Token, clock: Any) -> None:
    assert list(periodic.hand_out_due(clock=clock)) == [periodic.Batch([due.key], 0.0)]
    assert list(periodic.hand_out_due(clock=clock)) == []

    clock.move(seconds=599)  # by then the message of two periods has expired
    assert list(periodic.hand_out_due(clock=clock)) == []
    clock.move(seconds=2)  # a batch that was lost on the way comes due again
    assert list(periodic.hand_out_due(clock=clock)) == [periodic.Batch([due.key], 0.0)]


def copies(token: Token, count: int, users: Any) -> None:
    """Store copies of a row, each for a new user."""
    for number in range(count):
        values = {field.name: getattr(token, field.name) for field in Token._meta.fields}
        values |= {"id": None, "key": uuid.uuid4(), "user": users.objects.create(username=f"u{number}")}
        values |= {name: values[name].reveal() for name in ("access_token", "refresh_token")}
        Token.objects.create(**values)


def test_renewing_all_in_this_process_keeps_the_rate(
    due: Token, clock: Any, settings: Any, django_user_model: Any, mailup_sandbox: Sandbox
) -> None:
    copies(due, 9, django_user_model)
    settings.MAILUP = {**settings.MAILUP, "REFRESH_RATE": 2}
    mailup_sandbox.configure(refresh_reuse="accepted")
    renewed_at: list[float] = []
    mailup_sandbox.hooks.before_refresh = lambda _: renewed_at.append(clock.seconds() - began_at)
    began_at = clock.seconds()
    tally = periodic.refresh_due(clock=clock, monotonic=clock.seconds, sleep=lambda wait: clock.move(seconds=wait))

    assert tally.refreshed == 10
    assert [round(each, 3) for each in renewed_at] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_time_that_renewals_take_counts(
    due: Token, clock: Any, settings: Any, django_user_model: Any, mailup_sandbox: Sandbox
) -> None:
    copies(due, 3, django_user_model)
    settings.MAILUP = {**settings.MAILUP, "REFRESH_RATE": 1}
    mailup_sandbox.configure(refresh_reuse="accepted")
    mailup_sandbox.hooks.before_refresh = lambda _: clock.move(seconds=0.75)
    waits: list[float] = []

    def sleep(wait: float) -> None:
        waits.append(round(wait, 3))
        clock.move(seconds=wait)

    assert periodic.refresh_due(clock=clock, monotonic=clock.seconds, sleep=sleep).refreshed == 4
    assert waits == [0.25] * 3


def test_the_periodic_task_takes_batches(due: Token, clock: Any, settings: Any, django_user_model: Any) -> None:
    copies(due, 4, django_user_model)
    settings.MAILUP = {**settings.MAILUP, "REFRESH_BATCH_SIZE": 2}

    assert [(len(each.keys), each.countdown) for each in periodic.hand_out_due(clock=clock)] == [
        (2, 0),
        (2, 0.04),
        (1, 0.08),
    ]


@pytest.mark.parametrize("taken", [3, 9], ids=["some", "all"])
def test_two_runs_at_once_hand_out_each_token_once(
    transactional_db: None, due_keys: list[uuid.UUID], clock: Any, taken: int
) -> None:
    """Another run hands out tokens after this one has read that they are due."""
    others = Token.objects.filter(key__in=due_keys[:taken])
    later = clock() + timedelta(minutes=10)

    def before_it_writes(execute: Any, sql: str, *arguments: Any) -> Any:
        if sql.startswith("UPDATE"):
            in_threads(1, lambda: others.filter(refresh_at__lte=clock()).update(refresh_at=later))
        return execute(sql, *arguments)

    with connection.execute_wrapper(before_it_writes):
        batches = list(periodic.hand_out_due(clock=clock))
    assert sorted(key for each in batches for key in each.keys) == sorted(due_keys[taken:])
    assert others.filter(refresh_at=later).count() == taken


def test_less_than_one_token_a_second_is_a_rate(due: Token, clock: Any, settings: Any, django_user_model: Any) -> None:
    copies(due, 2, django_user_model)
    settings.MAILUP = {**settings.MAILUP, "REFRESH_RATE": 0.5}

    assert [(len(each.keys), each.countdown) for each in periodic.hand_out_due(clock=clock)] == [(1, 0), (1, 2), (1, 4)]


def test_what_is_due_longest_comes_first(due: Token, clock: Any, settings: Any, django_user_model: Any) -> None:
    copies(due, 3, django_user_model)
    keys = list(Token.objects.order_by("-pk").values_list("key", flat=True))
    for number, key in enumerate(keys):
        Token.objects.filter(key=key).update(refresh_at=clock() - timedelta(seconds=100 - number))
    settings.MAILUP = {**settings.MAILUP, "REFRESH_BATCH_SIZE": 1}

    assert [each.keys for each in periodic.hand_out_due(clock=clock)] == [[key] for key in keys]


def test_the_periodic_task_hands_out_no_more_than_its_rate(
    due: Token, clock: Any, settings: Any, django_user_model: Any
) -> None:
    copies(due, 11, django_user_model)
    pace = {"REFRESH_RATE": 2, "REFRESH_PERIOD": 3}
    settings.MAILUP = {**settings.MAILUP, **pace}

    assert [(len(each.keys), each.countdown) for each in periodic.hand_out_due(clock=clock)] == [
        (2, 0),
        (2, 1),
        (2, 2),
    ]
    clock.move(seconds=3)
    assert [(len(each.keys), each.countdown) for each in periodic.hand_out_due(clock=clock)] == [
        (2, 0),
        (2, 1),
        (2, 2),
    ]
    assert list(periodic.hand_out_due(clock=clock)) == []


def test_the_periodic_task_leaves_dead_disabled_and_fresh_tokens_alone(due: Token, clock: Any) -> None:
    Token.objects.update(status=Token.Status.REAUTHORIZATION_REQUIRED)
    assert list(periodic.hand_out_due(clock=clock)) == []
    Token.objects.update(status=Token.Status.ACTIVE)
    ClientRegistration.objects.update(enabled=False)
    assert list(periodic.hand_out_due(clock=clock)) == []
    ClientRegistration.objects.update(enabled=True)
    clock.move(seconds=-600)
    assert list(periodic.hand_out_due(clock=clock)) == []


def test_a_job_renews_once_although_it_comes_twice(due: Token, clock: Any, mailup_sandbox: Sandbox) -> None:
    assert periodic.refresh_many([due.key, due.key], clock=clock) == periodic.Tally(refreshed=1, skipped=1)
    assert periodic.refresh_many([due.key, uuid.uuid4()], clock=clock) == periodic.Tally(skipped=2)
    assert mailup_sandbox.state.counters["refreshes"] == 1


def test_a_job_leaves_a_connection_alone_that_has_ended_since_it_was_handed_out(
    due: Token, clock: Any, mailup_requests: list[Any]
) -> None:
    Token.objects.update(status=Token.Status.REAUTHORIZATION_REQUIRED)
    mailup_requests.clear()

    assert periodic.refresh_many([due.key], clock=clock) == periodic.Tally(skipped=1)
    assert mailup_requests == []
    assert not Token.objects.get().is_active


def test_a_job_skips_and_logs_keys_that_no_row_has(due: Token, clock: Any, caplog: pytest.LogCaptureFixture) -> None:
    unknown = sorted(uuid.uuid4() for _ in range(2))
    assert periodic.refresh_many([unknown[1], due.key, unknown[0]], clock=clock) == periodic.Tally(
        refreshed=1, skipped=2
    )

    (record,) = [each for each in caplog.records if each.levelname == "WARNING"]
    assert record.__dict__["event"] == "mailup.tokens_not_found"
    assert record.__dict__["mailup"] == {"count": 2, "token": str(unknown[0])}


def test_a_rejected_client_is_asked_once_in_a_job(
    due: Token, clock: Any, mailup_sandbox: Sandbox, mailup_requests: list[Any], django_user_model: Any
) -> None:
    copies(due, 3, django_user_model)
    mailup_sandbox.state.clients[mailup_sandbox.client_id] = "changed"
    mailup_requests.clear()
    keys = list(Token.objects.values_list("key", flat=True))

    assert periodic.refresh_many(keys, clock=clock) == periodic.Tally(failed=1, skipped=3)
    assert len(mailup_requests) == 1
    assert periodic.refresh_many(keys, clock=clock) == periodic.Tally(failed=1, skipped=3)
    assert len(mailup_requests) == 1


def test_a_token_renewed_after_the_job_has_read_it_is_left_alone(
    transactional_db: None, due: Token, clock: Any, mailup_sandbox: Sandbox, mailup_connection: Connect
) -> None:
    """MailUp's answer for the first token is held back until another caller has renewed the second."""
    clock.move(seconds=-3000)
    site = mailup_connection(None, username="m67890")
    clock.move(seconds=3000)

    def renew_the_second(_: object) -> None:
        mailup_sandbox.hooks.before_refresh = None
        in_threads(1, lambda: on_demand.usable_token(site.key, refused=site.generation, clock=clock))

    mailup_sandbox.hooks.before_refresh = renew_the_second
    periodic.refresh_many([due.key, site.key], clock=clock)

    site.refresh_from_db()
    assert site.generation == 2
    assert mailup_sandbox.state.counters["refreshes"] == 2
    assert mailup_sandbox.state.counters["reuses"] == 0  # a strict server would have ended the connection


def test_one_failure_stops_no_other(
    due: Token, clock: Any, mailup_connection: Connect, mailup_sandbox: Sandbox
) -> None:
    clock.move(seconds=-3000)
    site = mailup_connection(None, username="m67890")
    clock.move(seconds=3000)
    mailup_sandbox.state.revoke(username="m12345")

    assert periodic.refresh_many([due.key, site.key], clock=clock) == periodic.Tally(refreshed=1, failed=1)
    due.refresh_from_db()
    assert not due.is_active
