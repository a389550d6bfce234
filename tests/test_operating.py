"""What docs/operating.md promises: counters through signals, and the two queries."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from django_mailup import signals
from django_mailup.exceptions import MailUpUnavailable
from django_mailup.models import ClientRegistration, Token
from django_mailup.renewal import on_demand
from django_mailup.sandbox import Sandbox

Connect = Callable[..., Token]
DOCS = (Path(__file__).resolve().parent.parent / "docs/operating.md").read_text(encoding="utf-8")
BLOCKS = {kind: re.findall(rf"```{kind}\n(.*?)```", DOCS, re.DOTALL) for kind in ("python", "sql")}


@pytest.mark.django_db
def test_signals_count_outcomes(mailup_connection: Connect, mailup_sandbox: Sandbox) -> None:
    token = mailup_connection(None)
    scope: dict[str, Any] = {}
    exec(BLOCKS["python"][-1], scope)  # noqa: S102
    try:
        on_demand.refresh(token)
        token.refresh_from_db()
        mailup_sandbox.fail_with("status", status=503, path="/Token")
        with pytest.raises(MailUpUnavailable):
            on_demand.refresh(token)
    finally:
        for signal in (signals.token_refreshed, signals.token_refresh_failed, signals.reauthorization_required):
            assert signal.disconnect(scope["count"])

    assert scope["outcomes"] == {("refreshed", ""): 1, ("failed", "unavailable"): 1}


CHANGES: list[tuple[dict[str, Any], dict[str, Any], bool, bool]] = [
    # token, registration, is failing, is late
    ({}, {}, False, False),
    ({"failure_count": 1}, {}, True, False),
    ({"status": Token.Status.REAUTHORIZATION_REQUIRED}, {}, True, False),
    ({"expires_at": -1}, {}, False, True),
    ({"refresh_at": -601}, {}, False, True),
    ({"refresh_at": -590}, {}, False, False),
    ({"expires_at": -1, "status": Token.Status.REAUTHORIZATION_REQUIRED}, {}, True, False),
    ({}, {"failed_at": -1}, True, False),
    ({"expires_at": -1, "failure_count": 1}, {"enabled": False}, False, False),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("token", "registration", "failing", "late"), CHANGES)
def test_one_query_each_says_what_is_failing_and_what_is_late(
    mailup_connection: Connect, token: dict[str, Any], registration: dict[str, Any], failing: bool, late: bool
) -> None:
    mailup_connection(None)
    now = timezone.now()

    def columns(changes: dict[str, Any]) -> dict[str, Any]:
        return {key: now + timedelta(seconds=value) if key.endswith("_at") else value for key, value in changes.items()}

    for model, changes in ((Token, token), (ClientRegistration, registration)):
        if changes:
            model.objects.update(**columns(changes))

    assert Token.objects.failing().exists() == failing
    assert Token.objects.late(now=now).exists() == late
    moments = {":now_less_two_periods": now - timedelta(seconds=600), ":now": now}
    for statement, expected in zip(BLOCKS["sql"], (failing, late), strict=True):
        for name, moment in moments.items():
            statement = re.sub(rf"{name}\b", f"'{_literal(moment)}'", statement)
        with connection.cursor() as cursor:
            cursor.execute(statement)
            assert bool(cursor.fetchall()) == expected


def _literal(moment: Any) -> str:
    return str(connection.ops.adapt_datetimefield_value(moment) or moment)
