"""The database's clock, which decides when claims end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from django_mailup.database_clock import DatabaseNow
from django_mailup.models import Token

pytestmark = pytest.mark.django_db
Connect = Callable[..., Token]


def test_the_databases_clock_is_utc_with_fractions(mailup_connection: Connect) -> None:
    mailup_connection(None)
    before = timezone.now()
    Token.objects.update(claimed_until=DatabaseNow(90.5))
    late = Token.objects.get().claimed_until - timedelta(seconds=90.5)

    assert abs((late - before).total_seconds()) < 5
    assert Token.objects.filter(claimed_until__gt=DatabaseNow(80)).exists()
    assert not Token.objects.filter(claimed_until__gt=DatabaseNow(100)).exists()
    assert Token.objects.filter(claimed_until__gt=DatabaseNow(-3600)).exists()
