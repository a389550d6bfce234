"""Renewing: one flight, waiting, failures on the row, transactions, claims that ran out, and the periodic sweep."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.urls import path
from django.utils import timezone

from django_mailup import signals
from django_mailup.database_clock import DatabaseNow
from django_mailup.exceptions import (
    ClientRejected,
    DecryptionFailed,
    MailUpUnavailable,
    NotConnected,
    RateLimited,
    ReauthorizationRequired,
    TransactionOpen,
)
from django_mailup.models import ClientRegistration, Token
from django_mailup.renewal import on_demand, periodic
from django_mailup.sandbox import OAuthError, Sandbox
from django_mailup.services import client_for, disconnect, register

Connect = Callable[..., Token]
TOKEN = "/Authorization/OAuth/Token"


@pytest.fixture
def expired(transactional_db: None, mailup_connection: Connect, user: Any) -> Token:
    """A connection whose access token has run out; committed, so that every thread sees it."""
    token = mailup_connection(user)
    now = timezone.now()
    Token.objects.update(expires_at=now - timedelta(seconds=1), refresh_at=now, connected_at=now - timedelta(hours=1))
    token.refresh_from_db()
    return token


def in_threads(count: int, call: Callable[[], Any]) -> list[Any]:
    """Run a call in many threads that start together; an exception is returned as a value."""
    barrier = threading.Barrier(count)

    def run(_: int) -> Any:
        barrier.wait()
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_fifty_threads_make_one_refresh(expired: Token, mailup_sandbox: Sandbox) -> None:
    mailup_sandbox.configure(refresh_reuse="revokes", token_latency=0.1)
    lives = in_threads(50, lambda: on_demand.usable_token(expired.pk))

    assert {type(live) for live in lives} == {on_demand.UsableToken}
    assert {live.generation for live in lives} == {2}
    assert mailup_sandbox.state.counters["refreshes"] == 1
    assert mailup_sandbox.state.counters["reuses"] == 0


def test_all_threads_learn_of_a_failure_after_one_try(
    expired: Token, mailup_sandbox: Sandbox, mailup_requests: list[Any]
) -> None:
    mailup_sandbox.configure(token_latency=0.1)
    mailup_sandbox.fail_with("status", status=503, path=TOKEN, times=-1)
    mailup_requests.clear()
    outcomes = in_threads(20, lambda: on_demand.usable_token(expired.pk))

    assert {type(outcome) for outcome in outcomes} == {MailUpUnavailable}
    assert len(mailup_requests) == 1


def claim(token: Token, *, owner: str = "another process", seconds: float) -> None:
    Token.objects.filter(pk=token.pk).update(claim_owner=owner, claimed_until=DatabaseNow(seconds))


def in_a_moment(token: Token, **columns: Any) -> threading.Timer:
    """Write on a row from another connection, shortly after somebody has begun to wait for it."""

    def write() -> None:
        Token.objects.filter(pk=token.pk).update(**columns)
        connections.close_all()

    timer = threading.Timer(0.2, write)
    timer.start()
    return timer


def test_whoever_waits_for_another_process_uses_its_pair(expired: Token, mailup_sandbox: Sandbox) -> None:
    claim(expired, seconds=30)

    timer = in_a_moment(expired, access_token="A2", expires_at=timezone.now(), generation=2, claim_owner="")
    live = on_demand.usable_token(expired.pk)
    timer.join()

    assert live.access_token.value == "A2"  # although it has run out: a pair just received is used once
    assert mailup_sandbox.state.counters["refreshes"] == 0


def test_whoever_waits_for_another_process_fails_with_it(expired: Token) -> None:
    claim(expired, seconds=30)

    failure = {"failure_count": 1, "failed_at": timezone.now(), "error_code": "rate_limited"}
    timer = in_a_moment(expired, claim_owner="", **failure)
    with pytest.raises(RateLimited, match="fewer calls"):
        on_demand.usable_token(expired.pk)
    timer.join()


def test_a_claim_that_ran_out_is_taken_over_and_remembered(expired: Token, mailup_sandbox: Sandbox) -> None:
    claim(expired, seconds=0.3)
    mailup_sandbox.state.revoke()

    with pytest.raises(ReauthorizationRequired, match="interrupted"):
        on_demand.usable_token(expired.pk)
    expired.refresh_from_db()
    assert expired.interrupted
    assert "interrupted" in str(expired.last_error)


def test_a_takeover_that_succeeds_forgets_the_interruption(expired: Token) -> None:
    claim(expired, seconds=-1)
    on_demand.usable_token(expired.pk)

    expired.refresh_from_db()
    assert not expired.interrupted
    assert expired.claim_owner == ""


def test_a_stale_worker_cannot_overwrite_a_newer_pair(expired: Token, mailup_sandbox: Sandbox) -> None:
    """While the answer is on its way, somebody reconnects: the renewal's pair is dropped, the newer one used."""

    def reconnect(_: object) -> None:
        Token.objects.filter(pk=expired.pk).update(access_token="newer", generation=5, claim_owner="")
        connections.close_all()

    mailup_sandbox.hooks.after_refresh = reconnect

    assert on_demand.usable_token(expired.pk).access_token.value == "newer"
    assert Token.objects.get().generation == 5


def test_a_failure_is_not_written_over_anothers_claim(expired: Token, mailup_sandbox: Sandbox) -> None:
    """While the call is under way, another process takes over: this one's failure says nothing any more."""

    def take_over_and_refuse(_: object) -> None:
        mailup_sandbox.hooks.before_refresh = None
        claim(expired, seconds=0.5)
        connections.close_all()
        raise OAuthError("invalid_request", "no")

    mailup_sandbox.hooks.before_refresh = take_over_and_refuse

    assert on_demand.usable_token(expired.pk).generation == 2
    assert mailup_sandbox.state.counters["refreshes"] == 1


def test_a_row_deleted_meanwhile_drops_the_pair(expired: Token, mailup_sandbox: Sandbox) -> None:
    def delete(_: object) -> None:
        disconnect(expired)
        connections.close_all()

    mailup_sandbox.hooks.before_refresh = delete

    with pytest.raises(NotConnected):
        on_demand.usable_token(expired.pk)
    assert Token.objects.count() == 0


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "html", "status": 200},
        {"kind": "status", "status": 429},
        {"kind": "drop"},
    ],
    ids=str,
)
def test_an_outage_leaves_the_connection_alone(expired: Token, mailup_sandbox: Sandbox, fault: Any) -> None:
    mailup_sandbox.fail_with(path=TOKEN, **fault)
    pair = expired.refresh_token.reveal()

    with pytest.raises(Exception, match=r".") as caught:
        on_demand.usable_token(expired.pk)
    expired.refresh_from_db()
    assert expired.status == Token.Status.ACTIVE
    assert expired.refresh_token.reveal() == pair
    assert expired.failure_count == 1
    assert (expired.error_code, str(expired.last_error)) == (caught.value.code, str(caught.value))  # type: ignore[attr-defined]
    assert expired.refresh_at > timezone.now() + timedelta(seconds=20)
    assert expired.claim_owner == ""

    on_demand.refresh(expired)
    expired.refresh_from_db()
    assert (expired.failure_count, expired.error_code, expired.failed_at) == (0, "", None)


def test_callers_fail_fast_for_half_a_minute(
    expired: Token, mailup_sandbox: Sandbox, mailup_requests: list[Any], clock: Any
) -> None:
    mailup_sandbox.fail_with("status", status=503, path=TOKEN)
    with pytest.raises(MailUpUnavailable):
        on_demand.usable_token(expired.pk, clock=clock)
    mailup_requests.clear()
    clock.move(seconds=29)
    with pytest.raises(MailUpUnavailable):
        on_demand.usable_token(expired.pk, clock=clock)
    assert mailup_requests == []

    clock.move(seconds=2)
    assert on_demand.usable_token(expired.pk, clock=clock).generation == 2


def test_a_rejected_client_is_said_once_and_probed_later(
    expired: Token, mailup_sandbox: Sandbox, mailup_requests: list[Any], clock: Any, mailup_registration: Any
) -> None:
    mailup_sandbox.state.clients[mailup_sandbox.client_id] = "changed"
    mailup_requests.clear()
    for _ in range(3):
        with pytest.raises(ClientRejected):
            on_demand.usable_token(expired.pk, clock=clock)
    assert len(mailup_requests) == 1
    expired.refresh_from_db()
    assert expired.is_active
    assert expired.failure_count == 0
    mailup_registration.refresh_from_db()
    assert mailup_registration.error_code == "client_rejected"
    assert not Token.objects.due(now=clock() + timedelta(minutes=1)).exists()

    mailup_sandbox.state.clients[mailup_sandbox.client_id] = mailup_sandbox.client_secret
    clock.move(minutes=6)
    assert on_demand.usable_token(expired.pk, clock=clock).generation == 2
    mailup_registration.refresh_from_db()
    assert mailup_registration.failed_at is None


def test_a_corrected_secret_is_tried_at_once(
    expired: Token, mailup_sandbox: Sandbox, mailup_registration: ClientRegistration
) -> None:
    mailup_sandbox.state.clients[mailup_sandbox.client_id] = "changed"
    with pytest.raises(ClientRejected):
        on_demand.usable_token(expired.pk)
    register(name="Sandbox", client_id=mailup_sandbox.client_id, client_secret="changed")

    assert on_demand.usable_token(expired.pk).generation == 2


def test_unreadable_secrets_are_said_to_be_so(expired: Token, settings: Any, mailup_requests: list[Any]) -> None:
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": []}
    mailup_requests.clear()

    with pytest.raises(DecryptionFailed):
        on_demand.usable_token(expired.pk)
    assert mailup_requests == []


def test_signals_are_sent_after_the_save_in_the_callers_thread(expired: Token, mailup_sandbox: Sandbox) -> None:
    heard: list[Any] = []

    def receiver(**said: Any) -> None:
        heard.append((said["token"].generation, threading.current_thread(), "error" in said))
        raise RuntimeError("a receiver of the site fails")

    signals.token_refreshed.connect(receiver)
    try:
        assert on_demand.usable_token(expired.pk).generation == 2
    finally:
        signals.token_refreshed.disconnect(receiver)
    assert heard == [(2, threading.current_thread(), False)]


@pytest.mark.parametrize(("revoked", "name"), [(True, "reauthorization_required"), (False, "token_refresh_failed")])
def test_failures_have_signals(expired: Token, mailup_sandbox: Sandbox, revoked: bool, name: str) -> None:
    heard: list[Any] = []

    def receiver(**said: Any) -> None:
        heard.append(said["error"])

    if revoked:
        mailup_sandbox.state.revoke()
    else:
        mailup_sandbox.fail_with("status", status=503, path=TOKEN)
    getattr(signals, name).connect(receiver)
    with pytest.raises((ReauthorizationRequired, MailUpUnavailable)) as caught:
        on_demand.usable_token(expired.pk)
    assert heard == [caught.value]


@pytest.mark.parametrize("depth", [1, 2, 3], ids=["atomic", "nested", "deep"])
def test_a_callers_rollback_never_loses_a_pair(expired: Token, mailup_sandbox: Sandbox, user: Any, depth: int) -> None:
    class Rollback(Exception):
        pass

    mailup_sandbox.configure(refresh_reuse="revokes")

    def inside(blocks: int) -> None:
        if blocks:
            with transaction.atomic():
                inside(blocks - 1)
        client_for(user).account.info()
        raise Rollback

    if connection.vendor == "sqlite":
        with pytest.raises(TransactionOpen):
            inside(depth)
        assert mailup_sandbox.state.counters["refreshes"] == 0
        return
    with pytest.raises(Rollback):
        inside(depth)
    assert Token.objects.get().generation == 2
    assert client_for(user).account.info().uid == "4321"


@pytest.mark.parametrize("atomic", [True, False], ids=["atomic_requests", "non_atomic_requests"])
def test_a_request_that_is_one_transaction_never_loses_a_pair(
    expired: Token, mailup_sandbox: Sandbox, user: Any, client: Any, settings: Any, atomic: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    class Rollback(Exception):
        pass

    def view(request: Any) -> Any:
        assert connection.in_atomic_block == atomic
        client_for(request.user).account.info()
        raise Rollback

    mailup_sandbox.configure(refresh_reuse="revokes")
    urls = [path("", view if atomic else transaction.non_atomic_requests(view))]
    settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": urls})
    client.force_login(user)
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    if atomic and connection.vendor == "sqlite":
        with pytest.raises(TransactionOpen):
            client.get("/")
        assert mailup_sandbox.state.counters["refreshes"] == 0
        return
    with pytest.raises(Rollback):
        client.get("/")
    assert Token.objects.get().generation == 2
    assert client_for(user).account.info().uid == "4321"


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite refuses inside every transaction, as tested above")
@pytest.mark.parametrize("held", ["created", "locked"])
def test_a_row_that_the_callers_block_holds_is_refused_before_mailup_is_asked(
    expired: Token, mailup_sandbox: Sandbox, held: str
) -> None:
    with transaction.atomic():
        if held == "created":
            expired.pk, expired.account_uid, expired._state.adding = None, "1", True
            expired.save()
        else:
            Token.objects.select_for_update().get(pk=expired.pk)
        with pytest.raises(TransactionOpen):
            on_demand.usable_token(expired.pk)
    assert mailup_sandbox.state.counters["refreshes"] == 0


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite refuses inside every transaction, as tested above")
def test_a_waiter_inside_a_transaction_sees_what_another_process_stored(expired: Token) -> None:
    claim(expired, seconds=30)

    timer = in_a_moment(expired, access_token="A2", expires_at=timezone.now(), generation=2, claim_owner="")
    with transaction.atomic():
        assert on_demand.usable_token(expired.pk).access_token.value == "A2"
    timer.join()


def test_an_interrupted_caller_still_gets_the_pair_stored(expired: Token, mailup_sandbox: Sandbox) -> None:
    """A soft time limit or Ctrl-C hits the caller while MailUp answers: the thread beside it goes on."""
    asked, go_on = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        asked.set()
        go_on.wait(10)

    mailup_sandbox.hooks.before_refresh = hold

    def interrupt() -> None:
        asked.wait(10)
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGUSR1)

    class Interrupted(BaseException):
        pass

    def handler(*args: Any) -> None:
        raise Interrupted

    previous = signal.signal(signal.SIGUSR1, handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(Interrupted):
            on_demand.usable_token(expired.pk)
    finally:
        signal.signal(signal.SIGUSR1, previous)
        thread.join()
        go_on.set()
    for helper in [each for each in threading.enumerate() if each.name == "mailup-renewal"]:
        helper.join(10)

    assert Token.objects.get().generation == 2


def test_a_fresh_token_is_used_inside_a_transaction(
    transactional_db: None, mailup_connection: Connect, user: Any
) -> None:
    mailup_connection(user)

    with transaction.atomic():
        assert client_for(user).account.info().uid == "4321"


# ------------------------------------------------------------------------------------------- sweep


@pytest.fixture
def due(db: None, mailup_connection: Connect, user: Any, clock: Any) -> Token:
    token = mailup_connection(user)
    clock.move(seconds=3600 - 600)
    return token


def test_the_sweep_hands_out_what_is_due_once(due: Token, clock: Any) -> None:
    assert list(periodic.hand_out_due(clock=clock)) == [periodic.Batch([due.pk], 0.0)]
    assert list(periodic.hand_out_due(clock=clock)) == []

    clock.move(seconds=601)  # what was lost on the way comes due again by itself
    assert list(periodic.hand_out_due(clock=clock)) == [periodic.Batch([due.pk], 0.0)]


def copies(token: Token, count: int, users: Any) -> None:
    """Store more rows like this one, each of a user of its own."""
    for number in range(count):
        token.pk, token.user = None, users.objects.create(username=f"u{number}")
        token._state.adding = True
        token.save()


def test_the_sweep_takes_batches(due: Token, clock: Any, settings: Any, django_user_model: Any) -> None:
    copies(due, 4, django_user_model)
    settings.MAILUP = {**settings.MAILUP, "REFRESH_BATCH_SIZE": 2}

    assert [(len(each.pks), each.countdown) for each in periodic.hand_out_due(clock=clock)] == [
        (2, 0),
        (2, 0.04),
        (1, 0.08),
    ]


def test_the_sweep_hands_out_no_more_than_its_rate(
    due: Token, clock: Any, settings: Any, django_user_model: Any
) -> None:
    copies(due, 11, django_user_model)
    pace = {"REFRESH_RATE": 2, "REFRESH_PERIOD": 3}
    settings.MAILUP = {**settings.MAILUP, **pace}

    assert [(len(each.pks), each.countdown) for each in periodic.hand_out_due(clock=clock)] == [
        (2, 0),
        (2, 1),
        (2, 2),
    ]
    clock.move(seconds=3)
    assert [(len(each.pks), each.countdown) for each in periodic.hand_out_due(clock=clock)] == [
        (2, 0),
        (2, 1),
        (2, 2),
    ]
    assert list(periodic.hand_out_due(clock=clock)) == []


def test_the_sweep_leaves_dead_disabled_and_fresh_tokens_alone(due: Token, clock: Any) -> None:
    Token.objects.update(status=Token.Status.REAUTHORIZATION_REQUIRED)
    assert list(periodic.hand_out_due(clock=clock)) == []
    Token.objects.update(status=Token.Status.ACTIVE)
    ClientRegistration.objects.update(enabled=False)
    assert list(periodic.hand_out_due(clock=clock)) == []
    ClientRegistration.objects.update(enabled=True)
    clock.move(seconds=-600)
    assert list(periodic.hand_out_due(clock=clock)) == []


def test_a_job_renews_once_although_it_comes_twice(due: Token, clock: Any, mailup_sandbox: Sandbox) -> None:
    assert periodic.refresh_many([due.pk, due.pk], clock=clock) == periodic.Tally(refreshed=1, skipped=1)
    assert periodic.refresh_many([due.pk, 987654], clock=clock) == periodic.Tally(skipped=2)
    assert mailup_sandbox.state.counters["refreshes"] == 1


def test_a_rejected_client_is_asked_once_in_a_job(
    due: Token, clock: Any, mailup_sandbox: Sandbox, mailup_requests: list[Any], django_user_model: Any
) -> None:
    copies(due, 3, django_user_model)
    mailup_sandbox.state.clients[mailup_sandbox.client_id] = "changed"
    mailup_requests.clear()
    pks = list(Token.objects.values_list("pk", flat=True))

    assert periodic.refresh_many(pks, clock=clock) == periodic.Tally(failed=1, skipped=3)
    assert len(mailup_requests) == 1
    assert periodic.refresh_many(pks, clock=clock) == periodic.Tally(failed=1, skipped=3)
    assert len(mailup_requests) == 1


def test_a_token_renewed_after_the_job_has_read_it_is_left_alone(
    transactional_db: None, due: Token, clock: Any, mailup_sandbox: Sandbox, mailup_connection: Connect
) -> None:
    """The first of two is withheld until somebody has renewed the second."""
    clock.move(seconds=-3000)
    site = mailup_connection(None, username="m67890")
    clock.move(seconds=3000)

    def renew_the_second(_: object) -> None:
        mailup_sandbox.hooks.before_refresh = None
        in_threads(1, lambda: on_demand.usable_token(site.pk, refused=site.generation, clock=clock))

    mailup_sandbox.hooks.before_refresh = renew_the_second
    periodic.refresh_many([due.pk, site.pk], clock=clock)

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

    assert periodic.refresh_many([due.pk, site.pk], clock=clock) == periodic.Tally(refreshed=1, failed=1)
    due.refresh_from_db()
    assert not due.is_active
