"""Signals of renewals: sent after the save, in the caller's thread."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest

from django_mailup import signals
from django_mailup.exceptions import (
    MailUpUnavailable,
    ReauthorizationRequired,
)
from django_mailup.models import Token
from django_mailup.renewal import notify, on_demand, periodic
from django_mailup.sandbox import Sandbox

from .jobs import AT_ONCE

TOKEN = "/Authorization/OAuth/Token"


def test_signals_are_sent_after_the_save_in_the_callers_thread(expired: Token, mailup_sandbox: Sandbox) -> None:
    heard: list[Any] = []

    def receiver(**said: Any) -> None:
        heard.append((said["token"].generation, threading.current_thread(), "error" in said))
        raise RuntimeError("a receiver of the site fails")

    signals.token_refreshed.connect(receiver)
    try:
        assert on_demand.usable_token(expired.key).generation == 2
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
        on_demand.usable_token(expired.key)
    assert heard == [caught.value]


def test_signals_are_sent_when_all_answers_of_a_group_are_stored(
    transactional_db: None, due_keys: list[UUID], clock: Any
) -> None:
    stored: list[int] = []

    def receiver(**said: Any) -> None:
        stored.append(Token.objects.filter(generation=2).count())
        raise RuntimeError("a receiver of the site fails")

    signals.token_refreshed.connect(receiver)
    try:
        periodic.refresh_many(due_keys, clock=clock)
    finally:
        signals.token_refreshed.disconnect(receiver)
    assert stored == [1, *[1 + AT_ONCE] * AT_ONCE, *[1 + 2 * AT_ONCE] * AT_ONCE]


def test_a_signal_without_receivers_reads_no_row(expired: Token, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        notify.send_stored(signals.token_refreshed, expired.key, error=None)
