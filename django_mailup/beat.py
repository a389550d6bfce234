"""The entry for a site's CELERY_BEAT_SCHEDULE. It needs no configured Django, so settings modules may import it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .settings_table import MailUpSettings

TASK: Final = "django_mailup.refresh_expiring_tokens"


def mailup_beat_schedule(mailup: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Return the schedule of the periodic renewal: `CELERY_BEAT_SCHEDULE = {**mailup_beat_schedule(MAILUP), ...}`.

    Args:
        mailup: the site's `MAILUP` setting, whose `REFRESH_PERIOD` (seconds) is the period.

    Returns:
        One entry. A run that would start more than a period late is skipped: the next one does its work.
    """
    row = MailUpSettings.REFRESH_PERIOD
    period = (mailup or {}).get(row.name, row.default)
    return {TASK: {"task": TASK, "schedule": period, "options": {"expires": period}}}
