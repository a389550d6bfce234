"""What docs/operating.md promises: counters through signals, and the query."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django_mailup import signals
from django_mailup.exceptions import MailUpUnavailable
from django_mailup.models import Token
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
