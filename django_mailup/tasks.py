"""The Celery tasks: thin shells over `services.sweep`."""

from __future__ import annotations

from celery import shared_task

from . import services
from .beat import TASK
from .conf import mailup_settings


@shared_task(name=TASK, ignore_result=True)
def refresh_expiring_tokens() -> None:
    """Hand out batches of due tokens. Safe to run twice, late or not at all."""
    services.sweep.clear_expired_requests()
    for batch in services.sweep.take_due():
        # What isn't done within a period of its time comes due again by itself: an older message is a duplicate.
        expires = batch.countdown + mailup_settings.REFRESH_PERIOD.total_seconds()
        refresh_tokens.apply_async([batch.pks], countdown=batch.countdown or None, expires=expires)


@shared_task(name="django_mailup.refresh_tokens", ignore_result=True)
def refresh_tokens(pks: list[int]) -> None:
    """Renew those of these tokens that are still due. Celery retries nothing: the rows' schedule does."""
    services.sweep.many(pks)
