"""The schedule of the periodic renewal."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from django_mailup import tasks
from django_mailup.beat import mailup_beat_schedule


@pytest.mark.parametrize(("mailup", "period"), [(None, 300), ({}, 300), ({"REFRESH_PERIOD": 120}, 120)])
def test_the_schedule_follows_the_period(mailup: Any, period: int) -> None:
    (entry,) = mailup_beat_schedule(mailup).values()

    assert entry == {"task": tasks.refresh_expiring_tokens.name, "schedule": period, "options": {"expires": period}}


def test_settings_may_import_the_schedule() -> None:
    code = (
        "import sys, django_mailup.beat, django_mailup.environ\n"
        "assert not {'django.conf', 'django.apps'} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], check=True)
