"""The entry for a site's CELERY_BEAT_SCHEDULE. Imports nothing, so that settings modules may import it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

DEFAULT_PERIOD: Final = 300
TASK: Final = "django_mailup.refresh_expiring_tokens"


def mailup_beat_schedule(mailup: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Return the schedule of the periodic renewal: `CELERY_BEAT_SCHEDULE = {**mailup_beat_schedule(MAILUP), ...}`.

    Args:
        mailup: the site's `MAILUP` setting; its `REFRESH_PERIOD` (seconds) counts, if it has one.

    Returns:
        One entry. A run that comes later than a period is skipped: the next one does its work.
    """
    period = (mailup or {}).get("REFRESH_PERIOD", DEFAULT_PERIOD)
    return {TASK: {"task": TASK, "schedule": period, "options": {"expires": period}}}
