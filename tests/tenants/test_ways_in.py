"""Tenants never meet: what is called for a connection changes its own row, and in another schema finds nothing."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.db import connection, connections, transaction
from django.utils import timezone
from django_tenants.utils import schema_context

from django_mailup import signals, tasks
from django_mailup.connections import identity
from django_mailup.exceptions import ClientRejected, NotConnected
from django_mailup.models import ClientRegistration, Token
from django_mailup.registrations import circuit_breaker
from django_mailup.renewal import on_demand, periodic
from django_mailup.sandbox import Sandbox
from django_mailup.services import begin, client_for, client_of, disconnect, refresh, refresh_due

from ..processes import ROOT, Gate, eventually
from ..renewal.other_process import claim
from ..stored import stored_rows
from ..threads import threads_waiting_in
from .conftest import Tenant


@pytest.fixture(autouse=True)
def _eager() -> Any:
    app = Celery("tests", set_as_current=True)
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    yield
    app.close()


def in_schema(schema: str, call: Callable[[], Any]) -> Any:
    """Run a call in a thread of a pool, and close the thread's database connection."""
    try:
        with schema_context(schema):
            return call()
    finally:
        connections.close_all()


def run_task(tenant: Tenant) -> None:
    tasks.refresh_tokens.delay([str(tenant.token.key)])


def run_both_tasks(_: Tenant) -> None:
    tasks.refresh_expiring_tokens.delay()


def call_in_a_transaction(tenant: Tenant) -> None:
    with transaction.atomic():
        assert client_for(tenant.user).account.info().username == "m12345"


def call(tenant: Tenant) -> None:
    assert client_for(tenant.user).account.info().username == "m12345"


WAYS = [
    pytest.param(way, id=name)
    for name, way in {
        "client": call,
        "client in a transaction": call_in_a_transaction,
        "refresh": lambda tenant: refresh(tenant.token),
        "job": lambda tenant: periodic.refresh_many([tenant.token.key]),
        "in this process": lambda _: refresh_due(),
        "task": run_task,
        "both tasks": run_both_tasks,
    }.items()
]


@pytest.mark.parametrize("way", WAYS)
def test_a_new_pair_is_stored_in_its_own_schema(
    north: Tenant, only_north: None, mailup_sandbox: Sandbox, way: Callable[[Tenant], None]
) -> None:
    heard: list[Token] = []

    def hear(token: Token, **_: Any) -> None:
        heard.append(token)

    signals.token_refreshed.connect(hear)
    with schema_context("north"):
        way(north)
    signals.token_refreshed.disconnect(hear)

    assert north.stored().generation == 2
    assert [token.key for token in heard] == [north.token.key]
    assert mailup_sandbox.state.counters["refreshes"] == 1


@pytest.mark.parametrize("way", WAYS[:-1])
def test_a_connection_that_is_killed_before_the_save_stores_the_pair_in_its_own_schema(
    north: Tenant, only_north: None, mailup_sandbox: Sandbox, way: Callable[[Tenant], None]
) -> None:
    killed: list[int] = []

    def kill(_: object) -> None:
        mailup_sandbox.hooks.after_refresh = None
        killed.extend(in_schema("public", lambda: kill_all_but(mine)))

    with schema_context("north"), connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (mine,) = cursor.fetchone()
        mailup_sandbox.hooks.after_refresh = kill
        way(north)

    assert len(killed) == 1
    assert north.stored().generation == 2


def kill_all_but(mine: int) -> list[int]:
    """Kill this database's connections, except this one and the test's. Return the ids of their processes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid NOT IN (%s, pg_backend_pid())",
            [mine],
        )
        return [pid for pid, _ in cursor.fetchall()]


# ----------------------------------------------------------------------------- in another tenant's schema


def test_a_client_finds_nothing_there(north: Tenant, tenants: Any, mailup_requests: list[Any]) -> None:
    client = client_of(north.token)
    with schema_context("south"):
        for ask in (
            client.account.info,
            lambda: refresh(north.token),
            lambda: on_demand.usable_token(north.token.key, refused=1),
            lambda: client_for(tenants["south"].user, account=north.token),
            lambda: begin(user=tenants["south"].user, session="s", callback_url="https://x/", reconnect=north.token),
        ):
            with pytest.raises(NotConnected):
                ask()
    assert not [request for request in mailup_requests if "refresh_token" in (request.body or "")]


def test_the_periodic_task_there_skips_and_logs_what_it_finds_nothing_of(
    north: Tenant, tenants: Any, mailup_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with schema_context("south"), caplog.at_level(logging.WARNING, "django_mailup"):
        assert periodic.refresh_many([north.token.key]) == periodic.Tally(skipped=1)
        run_task(north)

    ours = [record.__dict__ for record in caplog.records if record.name == "django_mailup"]
    assert [record["event"] for record in ours] == ["mailup.tokens_not_found"] * 2
    assert ours[0]["mailup"] == {"count": 1, "token": str(north.token.key)}
    assert mailup_sandbox.state.counters["refreshes"] == 0
    assert {tenant.stored().generation for tenant in tenants.values()} == {1}


def test_the_import_task_finds_nothing_there(north: Tenant, mailup_requests: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email\na@example.com\n")
    mailup_requests.clear()

    with schema_context("south"), pytest.raises(NotConnected):
        tasks.import_csv.delay(str(path), str(north.token.key), list_id=1)
    assert mailup_requests == []


def test_identifying_finds_nothing_there(north: Tenant, only_north: None) -> None:
    with schema_context("north"):
        Token.objects.update(account_uid=None, expires_at=timezone.now() + timedelta(hours=1))
        unknown = north.stored()
    client = client_of(unknown)
    with schema_context("south"):
        info = client.account.info()  # its pair is fresh; whose it is can't be stored there
        with pytest.raises(Token.DoesNotExist):
            identity.store_identity(unknown.key, info)
        assert identity.find_duplicate(unknown, "8765") is None
    assert north.stored().account_uid is None


@pytest.mark.parametrize(
    "change",
    [
        lambda refused, now: circuit_breaker.mark_refused(refused, now=now),
        lambda refused, now: circuit_breaker.mark_accepted(refused),
        lambda refused, now: circuit_breaker.admit(refused, now=now),
    ],
    ids=["mark refused", "mark accepted", "admit"],
)
def test_the_circuit_breaker_finds_nothing_there(north: Tenant, change: Callable[..., None]) -> None:
    """Both tenants' registrations were refused at the same time, so that only the key tells them apart."""
    now = timezone.now()
    for schema in ("north", "south"):
        with schema_context(schema):
            ClientRegistration.objects.update(failed_at=now, retry_at=now)
    refused = north.registration()
    with schema_context("south"):
        before = stored_rows(ClientRegistration)
        with suppress(ClientRejected):
            change(refused, now + timedelta(minutes=1))
        assert stored_rows(ClientRegistration) == before
    assert north.registration().retry_at == now


def test_a_refused_client_is_stored_in_its_own_schema(north: Tenant, only_north: None, mailup_sandbox: Sandbox) -> None:
    mailup_sandbox.state.clients[mailup_sandbox.client_id] = "changed"
    with schema_context("north"), pytest.raises(ClientRejected):
        refresh(north.token)

    assert north.registration().retry_at is not None


def test_disconnecting_deletes_nothing_there(north: Tenant, south: Tenant) -> None:
    with schema_context("south"):
        disconnect(north.token)

    assert (north.stored().key, south.stored().key) == (north.token.key, south.token.key)


# ----------------------------------------------------------------------------------------- at the same time


def test_threads_of_two_tenants_renew_each_its_own_row_of_the_same_primary_key(
    north: Tenant, south: Tenant, mailup_sandbox: Sandbox
) -> None:
    both = threading.Barrier(2)
    mailup_sandbox.hooks.before_refresh = lambda _: both.wait()

    def whose(tenant: Tenant) -> str:
        return str(client_for(tenant.user).account.info().username)

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(in_schema, each.schema, lambda each=each: whose(each)) for each in (north, south)]
        assert [each.result() for each in asked] == ["m12345", "m67890"]
    assert (north.stored().generation, south.stored().generation) == (2, 2)
    assert mailup_sandbox.state.counters["refreshes"] == 2


def test_a_thread_that_waits_for_another_tenants_renewal_gets_nothing(
    north: Tenant, only_north: None, mailup_sandbox: Sandbox
) -> None:
    gate = Gate(mailup_sandbox, after=False)
    key = north.token.key
    with ThreadPoolExecutor(3) as pool:
        leading = pool.submit(in_schema, "north", lambda: on_demand.usable_token(key).generation)
        gate.reached.wait()
        joined = [
            pool.submit(in_schema, schema, lambda: on_demand.usable_token(key).generation)
            for schema in ("north", "south")
        ]
        eventually(lambda: threads_waiting_in(on_demand.usable_token) == 3)
        gate.open.set()
        assert (leading.result(), joined[0].result()) == (2, 2)
        assert isinstance(joined[1].exception(), NotConnected)


def test_processes_wait_for_their_own_tenant_alone(
    north: Tenant, only_north: None, mailup_server: str, mailup_sandbox: Sandbox, settings: Any
) -> None:
    gate = Gate(mailup_sandbox, after=False)
    started = [start(schema, north, settings) for schema in ("north", "north", "south")]
    gate.reached.wait()
    gate.open.set()

    assert [process.communicate()[0].strip() for process in started] == ["2", "2", "NotConnected"]
    assert mailup_sandbox.state.counters["refreshes"] == 1


def start(schema: str, tenant: Tenant, settings: Any) -> subprocess.Popen[str]:
    """Start a process that asks for a tenant's token in a schema."""
    given = {
        "database": connection.settings_dict["NAME"], "mailup": settings.MAILUP, "schema": schema,
        "key": str(tenant.token.key),
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "tests.tenants.process", json.dumps(given)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def test_another_process_claim_on_a_row_of_the_same_primary_key_holds_nobody_up(north: Tenant, south: Tenant) -> None:
    with schema_context("south"):
        claim(south.token, seconds=30)
    with schema_context("north"):
        assert client_for(north.user).account.info().username == "m12345"
