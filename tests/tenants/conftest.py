"""Two tenants, each with a schema of its own, and in each and in `public` a connection of the same primary key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.db.models import Model
from django.test.utils import setup_databases, teardown_databases
from django.utils import timezone

from django_mailup.models import ClientRegistration, Token
from django_mailup.sandbox import Sandbox
from django_mailup.services import connect_with_password, register

from ..stored import stored_rows

collect_ignore_glob = [] if hasattr(django_settings, "TENANT_MODEL") else ["test_*.py"]

ACCOUNTS = {"public": "m12345", "north": "m12345", "south": "m67890"}


@dataclass
class Tenant:
    """A tenant and its only connection, which has expired."""

    schema: str
    user: Any
    token: Token

    def stored(self) -> Token:
        """Return its row as it is now."""
        from django_tenants.utils import schema_context

        with schema_context(self.schema):
            return Token.objects.select_related("registration").get()

    def registration(self) -> ClientRegistration:
        return self.stored().registration


@pytest.fixture(scope="session")
def _schemas(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """A database with a schema for each tenant. pytest-django's would be flushed after each test."""
    from .models import Tenant as Row

    with django_db_blocker.unblock():
        databases = setup_databases(verbosity=0, interactive=False)
        for name in ("north", "south"):
            Row(schema_name=name).save(verbosity=0)
    yield
    with django_db_blocker.unblock():
        teardown_databases(databases, verbosity=0)


@pytest.fixture
def tenants(_schemas: None, django_db_blocker: Any, mailup_sandbox: Sandbox) -> Iterator[dict[str, Tenant]]:
    """The tenants by schema. What tests write is committed; afterwards all tables are emptied."""
    from django.contrib.auth.models import User
    from django_tenants.utils import schema_context

    mailup_sandbox.configure(refresh_reuse="revokes")
    with django_db_blocker.unblock():
        made = {}
        for schema, username in ACCOUNTS.items():
            with schema_context(schema):
                user = User.objects.create_user("ada")
                register(name="Ours", client_id=mailup_sandbox.client_id, client_secret=mailup_sandbox.client_secret)
                token = connect_with_password(username=username, password="sandbox", user=user)
                expire(token)
                made[schema] = Tenant(schema, user, token)
        assert len({tenant.token.pk for tenant in made.values()}) == 1
        assert len({tenant.user.pk for tenant in made.values()}) == 1
        yield made
        for schema in ACCOUNTS:
            with schema_context(schema):
                empty(User, Token, ClientRegistration)


def empty(*models: type[Model]) -> None:
    """Delete all rows, tokens before what they refer to, and let primary keys begin at 1. TRUNCATE takes a second."""
    for model in sorted(models, key=lambda model: model is not Token):
        model._base_manager.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), 1, false)", [model._meta.db_table])


def expire(token: Token) -> None:
    past = timezone.now() - timedelta(hours=1)
    Token.objects.filter(key=token.key).update(connected_at=past, expires_at=past, refresh_at=past)
    token.refresh_from_db()


@pytest.fixture
def north(tenants: dict[str, Tenant]) -> Tenant:
    return tenants["north"]


@pytest.fixture
def south(tenants: dict[str, Tenant]) -> Tenant:
    return tenants["south"]


@pytest.fixture
def only_north(tenants: dict[str, Tenant]) -> Iterator[None]:
    """Check at the end that nothing has changed in the other schemas."""
    from django_tenants.utils import schema_context

    def others() -> list[Any]:
        found: list[Any] = []
        for schema in ("public", "south"):
            with schema_context(schema):
                found += [*stored_rows(Token), *stored_rows(ClientRegistration)]
        return found

    before = others()
    yield
    assert others() == before
