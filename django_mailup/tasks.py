"""The Celery tasks. Each makes one call of `services`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack
from uuid import UUID

from celery import Task, shared_task

from . import services
from .beat import TASK
from .conf import app_settings
from .exceptions import ImportStopped, MailUpUnavailable, NotConnected
from .models import Token

if TYPE_CHECKING:
    from .csv_import.run import ImportOptions


@shared_task(name=TASK, ignore_result=True)
def refresh_expiring_tokens() -> None:
    """Hand out batches of due tokens. Safe to run twice, late or not at all."""
    services.clear_expired_requests()
    for batch in services.hand_out_due():
        # What isn't renewed within a period comes due again by itself, so an older message is a duplicate.
        expires = batch.countdown + app_settings.REFRESH_PERIOD.total_seconds()
        keys = [str(key) for key in batch.keys]
        refresh_tokens.apply_async((keys,), countdown=batch.countdown, expires=expires)


@shared_task(name="django_mailup.refresh_tokens", ignore_result=True)
def refresh_tokens(keys: list[str]) -> None:
    """Renew those of these tokens that are still due. Celery retries none: a failed one comes due again by itself.

    Args:
        keys: keys of Tokens.
    """
    services.refresh_many(map(UUID, keys))


@shared_task(bind=True, name="django_mailup.import_csv", max_retries=None)
def import_csv(
    self: Task[..., dict[str, Any]], /, path: str, token_key: str, **options: Unpack[ImportOptions]
) -> dict[str, Any]:
    """Import a CSV file that the worker can read, as `services.import_csv` does. Running it twice does no harm.

    It never waits in the worker: if MailUp can't be reached or asks for fewer calls, Celery runs it again later. If
    MailUp may have taken a chunk although no answer came, it fails, so that a person can decide: run it again with
    `unsure`.

    Args:
        path: the file, as the worker sees it.
        token_key: key of the connection to import through, as text.
        options: see `services.import_csv`.

    Raises:
        NotConnected: there is no such connection, or it is another tenant's.
    """
    token = Token.objects.select_related("registration").filter(key=token_key).first()
    if token is None:
        raise NotConnected
    try:
        outcome = services.import_csv(Path(path), services.client_of(token, patience=0), **options)
    except (ImportStopped, MailUpUnavailable) as error:
        # Only a chunk is unsafe to repeat; what the import reads from MailUp before it isn't.
        stopped = isinstance(error, ImportStopped)
        cause = error.__cause__ if stopped else error
        if (stopped and error.may_have_arrived) or not isinstance(cause, MailUpUnavailable):
            raise
        raise self.retry(countdown=getattr(cause, "retry_after", 60), exc=error) from error
    return {"sent": outcome.sent, "rejected": outcome.rejected, "import_ids": outcome.import_ids}
