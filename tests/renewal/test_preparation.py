"""Preparing a renewal's own connection: the search path, row-level security, and what a hook of the site's gets."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.db.backends.signals import connection_created

from django_mailup.exceptions import Misconfigured, NotConnected
from django_mailup.models import Token
from django_mailup.renewal import on_demand, own_connection, periodic
from django_mailup.renewal.preparation import copy_tenant
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_for

from ..processes import Gate, eventually
from ..threads import threads_waiting_in
from . import hooks

Connect = Callable[..., Token]
on_postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own")
NORTH, SOUTH = "north", "south"


def use_hook(settings: Any, name: str) -> None:
    hooks.calls.clear()
    settings.MAILUP = {**settings.MAILUP, "PREPARE_CONNECTION": f"tests.renewal.hooks.{name}"}


def execute(statement: str, *params: Any) -> Any:
    """Execute a statement on this thread's connection, and return the first value of its result, if it has one."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchone()[0] if cursor.description else None


def kill_own_connections(_: object) -> None:
    """Kill this database's connections except the test's, as a hook of the sandbox that acts once."""
    connections.close_all()
    execute("RESET ROLE")
    execute(
        "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid NOT IN (pg_backend_pid(), %s)",
        kept_alive[0],
    )
    connections.close_all()


kept_alive: list[int] = []


# ------------------------------------------------------------------------------------------------- hooks


def test_a_hook_gets_the_callers_connection_in_its_thread_and_each_new_one_in_the_renewals(
    transactional_db: None, settings: Any
) -> None:
    use_hook(settings, "record")

    def work(_: object) -> None:
        execute("SELECT 1")
        connection.close()
        execute("SELECT 1")

    own_connection.run("default", work)

    here = threading.current_thread().name
    assert [(name, thread) for name, thread, _ in hooks.calls] == [
        ("hook", here), ("prepare", "mailup-renewal"), ("prepare", "mailup-renewal")
    ]  # fmt: skip
    given, *prepared = [each for _, _, each in hooks.calls]
    assert given is connections["default"]
    assert prepared[0] is prepared[1] is not given


def test_a_connection_that_could_not_be_prepared_is_not_used(transactional_db: None, settings: Any) -> None:
    use_hook(settings, "fail_once")

    def work(_: object) -> int:
        with pytest.raises(OperationalError):
            execute("SELECT 1")
        return int(execute("SELECT 1"))

    assert own_connection.run("default", work) == 1
    assert [name for name, _, _ in hooks.calls] == ["hook", "prepare"]


def test_a_renewal_outlives_a_preparation_that_fails(expired: Token, settings: Any) -> None:
    use_hook(settings, "fail_once")

    assert on_demand.usable_token(expired.key).generation == 2


@pytest.mark.parametrize("name", ["no_such", "return_nothing"])
def test_a_hook_that_cannot_be_used_is_said_before_mailup_is_asked(
    expired: Token, settings: Any, mailup_sandbox: Sandbox, name: str
) -> None:
    use_hook(settings, name)

    with pytest.raises(Misconfigured, match="PREPARE_CONNECTION"):
        on_demand.usable_token(expired.key)
    assert mailup_sandbox.state.counters["refreshes"] == 0


# ----------------------------------------------------------------------------------------------- default


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor == "postgresql", reason="other databases have no search path")
def test_on_other_databases_the_default_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        copy_tenant(connection)(connection)


@pytest.fixture
def schemas(expired: Token) -> Iterator[None]:
    """Two schemas with a copy of the tables: three rows of the same primary key, of which `expired` is in `north`."""
    tables = ("django_mailup_clientregistration", "django_mailup_token", "auth_user")
    for schema in (NORTH, SOUTH):
        execute(f"CREATE SCHEMA {schema}")
        for table in tables:
            execute(f"CREATE TABLE {schema}.{table} (LIKE public.{table} INCLUDING ALL)")
            execute(f"INSERT INTO {schema}.{table} SELECT * FROM public.{table}")  # noqa: S608
    for schema in ("public", SOUTH):
        execute(f"UPDATE {schema}.django_mailup_token SET key = gen_random_uuid()")  # noqa: S608
    yield
    execute("SET search_path = public")
    for schema in (NORTH, SOUTH):
        execute(f"DROP SCHEMA {schema} CASCADE")


@on_postgres
@pytest.mark.parametrize("killed", [False, True], ids=["kept", "killed"])
def test_the_search_path_of_the_caller_is_kept(
    schemas: None, expired: Token, mailup_sandbox: Sandbox, killed: bool
) -> None:
    execute("SET search_path = north, public")
    kept_alive[:] = [execute("SELECT pg_backend_pid()")]
    mailup_sandbox.hooks.after_refresh = kill_own_connections if killed else None

    assert on_demand.usable_token(expired.key).generation == 2
    for schema, generation in {NORTH: 2, SOUTH: 1, "public": 1}.items():
        assert execute(f"SELECT generation FROM {schema}.django_mailup_token") == generation  # noqa: S608
    execute("SET search_path = south, public")
    with pytest.raises(NotConnected):
        on_demand.usable_token(expired.key, refused=2)
    assert periodic.refresh_many([expired.key]) == periodic.Tally(skipped=1)


@on_postgres
@pytest.mark.parametrize(("path", "source"), [("", "default"), ("north, public", "session")], ids=["default", "set"])
def test_a_search_path_is_set_only_if_it_differs(transactional_db: None, path: str, source: str) -> None:
    if path:
        execute(f"SET search_path = {path}")
    asked = "SELECT setting || ': ' || source FROM pg_settings WHERE name = 'search_path'"
    mine = execute(asked)
    try:
        assert own_connection.run("default", lambda _: execute(asked)) == mine
        assert mine.endswith(f": {source}")
    finally:
        execute("RESET search_path")


@on_postgres
def test_a_connection_that_is_not_open_has_no_search_path_to_ask_for(
    transactional_db: None, django_assert_num_queries: Any
) -> None:
    connection.close()
    with django_assert_num_queries(0):
        connection.close()
        copy_tenant(connection)(connection)


# ------------------------------------------------------------------------------------ row-level security


@pytest.fixture
def secured(expired: Token) -> Iterator[Token]:
    """A connection that only sessions see whose variable app.tenant is `north`: the test's, as a role of its own."""
    role = f"mailup_tests_{os.getpid()}"
    Token.objects.update(company=NORTH)
    execute(f"CREATE ROLE {role}")
    execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    execute("ALTER TABLE django_mailup_token ENABLE ROW LEVEL SECURITY")
    execute(f"CREATE POLICY {role} ON django_mailup_token USING (company = current_setting('app.tenant', true))")
    options = dict(connection.settings_dict["OPTIONS"])
    connection.settings_dict["OPTIONS"]["assume_role"] = role
    connection.close()
    execute("SELECT set_config('app.tenant', %s, false)", NORTH)
    expired.refresh_from_db()
    yield expired
    connection.settings_dict["OPTIONS"] = options
    connection.close()
    execute(f"DROP POLICY {role} ON django_mailup_token")
    execute("ALTER TABLE django_mailup_token DISABLE ROW LEVEL SECURITY")
    execute(f"DROP OWNED BY {role}")
    execute(f"DROP ROLE {role}")


@on_postgres
@pytest.mark.parametrize("killed", [False, True], ids=["kept", "killed"])
def test_a_hook_lets_the_renewal_through_row_level_security(
    secured: Token, settings: Any, user: Any, mailup_sandbox: Sandbox, killed: bool
) -> None:
    use_hook(settings, "copy_session_variable")
    kept_alive[:] = [execute("SELECT pg_backend_pid()")]
    mailup_sandbox.hooks.after_refresh = kill_own_connections if killed else None

    assert client_for(user).account.info().uid == "4321"
    assert Token.objects.get().generation == 2
    execute("SELECT set_config('app.tenant', %s, false)", SOUTH)
    with pytest.raises(NotConnected):
        client_for(user)
    with pytest.raises(NotConnected):
        on_demand.usable_token(secured.key, refused=2)
    assert periodic.refresh_many([secured.key]) == periodic.Tally(skipped=1)


@on_postgres
def test_a_thread_of_another_tenant_that_waits_with_no_connection_open_gets_nothing(
    secured: Token, settings: Any, mailup_sandbox: Sandbox
) -> None:
    use_hook(settings, "copy_session_variable")
    gate, here = Gate(mailup_sandbox, after=False), threading.local()

    def set_tenant(connection: Any, **_: Any) -> None:
        if hasattr(here, "tenant"):
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('app.tenant', %s, false)", [here.tenant])

    def ask(tenant: str) -> int:
        here.tenant = tenant
        try:
            return on_demand.usable_token(secured.key).generation
        finally:
            connections.close_all()

    connection_created.connect(set_tenant)
    try:
        with ThreadPoolExecutor(2) as pool:
            leading = pool.submit(ask, NORTH)
            assert gate.reached.wait(10)
            waiting = pool.submit(ask, SOUTH)
            eventually(lambda: threads_waiting_in(on_demand.usable_token) == 2 or waiting.done())
            gate.open.set()
            assert leading.result() == 2
            assert isinstance(waiting.exception(), NotConnected)
    finally:
        connection_created.disconnect(set_tenant)


@on_postgres
def test_without_a_hook_row_level_security_is_said_before_mailup_is_asked(
    secured: Token, user: Any, mailup_sandbox: Sandbox
) -> None:
    for ask in (lambda: client_for(user).account.info(), lambda: periodic.refresh_many([secured.key])):
        with pytest.raises(Misconfigured, match="PREPARE_CONNECTION"):
            ask()
    assert mailup_sandbox.state.counters["refreshes"] == 0
    assert Token.objects.get().generation == 1
