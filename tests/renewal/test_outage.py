"""An hour without MailUp, as in `python -m benchmarks.outage` but with 60 connections instead of 10,000."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from benchmarks.outage import HOUR, endure, populate
from django_mailup.models import Token
from django_mailup.sandbox import Sandbox

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("rate", [1, 0.2])
def test_an_outage_costs_no_connection_and_ends_without_a_stampede(
    db: None, mailup_registration: Any, mailup_sandbox: Sandbox, django_user_model: Any, clock: Any, settings: Any,
    rate: float,
) -> None:  # fmt: skip
    settings.MAILUP = {**settings.MAILUP, "REFRESH_RATE": rate}
    users = django_user_model.objects.bulk_create(django_user_model(username=f"u{number}") for number in range(60))
    populate(60, mailup_sandbox, clock, users.__getitem__)
    seen = endure(mailup_sandbox, clock)

    assert seen.failed > 60
    assert seen.busiest_second == 1
    assert timedelta(0) < seen.recovered_after < 2 * HOUR
    assert Token.objects.filter(status=Token.Status.ACTIVE, failure_count=0, expires_at__gt=clock()).count() == 60
    assert not Token.objects.failing().exists()
    assert not Token.objects.late(now=clock()).exists()
