"""The Celery tasks. Each makes one call of `services`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery import Task, shared_task

from . import services
from .beat import TASK
from .conf import app_settings
from .exceptions import ImportStopped, MailUpUnavailable, NotConnected
from .models import Token


@shared_task(name=TASK, ignore_result=True)
def refresh_expiring_tokens() -> None:
    """Hand out batches of due tokens. Safe to run twice, late or not at all."""
    services.clear_expired_requests()
    for batch in services.hand_out_due():
        # What isn't done within a period of its time comes due again by itself: an older message is a duplicate.
        expires = batch.countdown + app_settings.REFRESH_PERIOD.total_seconds()
        refresh_tokens.apply_async((batch.pks,), countdown=batch.countdown, expires=expires)


@shared_task(name="django_mailup.refresh_tokens", ignore_result=True)
def refresh_tokens(pks: list[int]) -> None:
    """Renew those of these tokens that are still due. Celery retries nothing: the rows' schedule does."""
    services.refresh_many(pks)


@shared_task(bind=True, name="django_mailup.import_csv", max_retries=None)
def import_csv(self: Task[..., dict[str, Any]], /, path: str, token_pk: int, **options: Any) -> dict[str, Any]:
    """Import a CSV file that the worker can read, as `services.import_csv`. Running it twice does no harm.

    It never waits in the worker: when MailUp wants fewer calls, or can't be reached, it is tried again later. When a
    chunk may have been taken although no answer came, it fails, and a person decides: run it again with `unsure`.
    """
    token = Token.objects.select_related("registration").filter(pk=token_pk).first()
    if token is None:
        raise NotConnected
    try:
        outcome = services.import_csv(Path(path), services.client_of(token, patience=0), **options)
    except (ImportStopped, MailUpUnavailable) as error:
        cause = error.__cause__ if isinstance(error, ImportStopped) else error
        if error.may_have_arrived or not isinstance(cause, MailUpUnavailable):
            raise
        raise self.retry(countdown=getattr(cause, "retry_after", 60), exc=error) from error
    return {"sent": outcome.sent, "rejected": outcome.rejected, "import_ids": outcome.import_ids}
