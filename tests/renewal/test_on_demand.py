"""A caller that finds another process renewing its token waits, and gets that process's outcome."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from django_mailup.exceptions import RateLimited
from django_mailup.models import Token
from django_mailup.renewal import on_demand
from django_mailup.sandbox import Sandbox

from ..stored import sealed
from .other_process import claim, in_a_moment


def test_whoever_waits_for_another_process_uses_its_pair(expired: Token, mailup_sandbox: Sandbox) -> None:
    claim(expired, seconds=30)

    pair = sealed(expired, access_token="A2")
    timer = in_a_moment(expired, **pair, expires_at=timezone.now(), generation=2, claim_owner="")
    live = on_demand.usable_token(expired.key)
    timer.join()

    assert live.access_token.value == "A2"  # although it has expired: a pair just received is used once
    assert mailup_sandbox.state.counters["refreshes"] == 0


def test_whoever_waits_for_another_process_fails_with_it(expired: Token) -> None:
    claim(expired, seconds=30)

    failure = {"failure_count": 1, "failed_at": timezone.now(), "error_code": "rate_limited"}
    timer = in_a_moment(expired, claim_owner="", **failure)
    with pytest.raises(RateLimited, match="fewer calls"):
        on_demand.usable_token(expired.key)
    timer.join()


def test_a_person_who_waits_for_another_process_fails_with_it(expired: Token, mailup_requests: list[Any]) -> None:
    """Nor does a person's renewal, for which no recent failure counts, begin a second one behind it."""
    claim(expired, seconds=30)
    mailup_requests.clear()

    failure = {"failure_count": 1, "failed_at": timezone.now(), "error_code": "rate_limited"}
    timer = in_a_moment(expired, claim_owner="", **failure)
    with pytest.raises(RateLimited):
        on_demand.refresh(expired)
    timer.join()
    assert mailup_requests == []
