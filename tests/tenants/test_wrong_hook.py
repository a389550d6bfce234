"""A hook that doesn't give a renewal's own connection the tenant: nothing is sent, and the caller is told why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django_tenants.utils import schema_context

from django_mailup.exceptions import Misconfigured, TransactionOpen
from django_mailup.models import ClientRegistration, Token
from django_mailup.renewal import on_demand, periodic
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_for

from .conftest import Tenant


@pytest.mark.parametrize("in_transaction", [False, True], ids=["autocommit", "transaction"])
def test_a_hook_that_forgets_the_tenant_is_named_before_mailup_is_asked(
    north: Tenant, only_north: None, mailup_sandbox: Sandbox, settings: Any, in_transaction: bool
) -> None:
    settings.MAILUP = {**settings.MAILUP, "PREPARE_CONNECTION": "tests.tenants.hooks.forget_the_tenant"}
    with schema_context("north"):
        for ask in (lambda: client_for(north.user).account.info(), lambda: periodic.refresh_many([north.token.key])):
            with pytest.raises(Misconfigured, match="PREPARE_CONNECTION"):
                inside(in_transaction, ask)
    assert mailup_sandbox.state.counters["refreshes"] == 0
    assert north.stored().generation == 1


def inside(in_transaction: bool, ask: Callable[[], Any]) -> Any:
    if not in_transaction:
        return ask()
    with transaction.atomic():
        Token.objects.update(company="changes")  # the block has a transaction id, but the row isn't its own
        transaction.set_rollback(True)
    with transaction.atomic():
        return ask()


@pytest.mark.parametrize("depth", [1, 2], ids=["atomic", "savepoint"])
def test_a_row_that_the_callers_block_made_is_told_from_a_wrong_hook(
    north: Tenant, mailup_sandbox: Sandbox, depth: int
) -> None:
    def make(blocks: int) -> None:
        with transaction.atomic():
            if blocks > 1:
                ClientRegistration.objects.update(name="The outer block writes, too")
                return make(blocks - 1)
            made = north.stored()
            made.pk, made.key, made.account_uid, made._state.adding = None, Token().key, "1", True
            made.access_token, made.refresh_token = "A", "R"
            made.save()
            with pytest.raises(TransactionOpen):
                on_demand.usable_token(made.key)

    with schema_context("north"):
        make(depth)
    assert mailup_sandbox.state.counters["refreshes"] == 0
