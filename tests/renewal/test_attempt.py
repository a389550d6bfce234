"""One renewal: what a failure leaves on the row, and what the next success clears."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_mailup.models import Token
from django_mailup.renewal import on_demand
from django_mailup.sandbox import Sandbox

TOKEN = "/Authorization/OAuth/Token"


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
        on_demand.usable_token(expired.key)
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
