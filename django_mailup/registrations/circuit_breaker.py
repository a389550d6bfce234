"""Stop token calls of a client that MailUp refuses, except one probe every few minutes.

MailUp refuses the client, not the tokens, so the refusal is stored once, on the registration.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import router
from django.db.models import QuerySet

from ..events import Event
from ..exceptions import ClientRejected, RegistrationUnavailable
from ..models import ClientRegistration

PROBE_EVERY: Final = timedelta(minutes=5)
"""How long after a refusal the next token call may try the client again."""


def admit(registration: ClientRegistration, *, now: datetime) -> None:
    """Return if a token call may be made for a registration. While MailUp refuses it, only one caller at a time may.

    Raises:
        RegistrationUnavailable: it is disabled.
        ClientRejected: MailUp refused it, and the next probe isn't due or is another caller's.
    """
    if not registration.enabled:
        raise RegistrationUnavailable
    if registration.retry_at is None:
        return
    if registration.retry_at <= now:
        won = _stored(registration).filter(retry_at=registration.retry_at).update(retry_at=now + PROBE_EVERY)
        if won:
            return
    raise ClientRejected


def mark_refused(registration: ClientRegistration, *, now: datetime) -> None:
    """Store that MailUp refused this client. Logged once, however many of its tokens are tried.

    Nothing is stored if its id or secret was changed since the call was sent: it isn't they that MailUp refused.
    """
    refused = {"client_id": registration.client_id, "client_secret": registration.client_secret}
    values = {"failed_at": now, "error_code": ClientRejected.code, "retry_at": now + PROBE_EVERY}
    row = _stored(registration).filter(**refused)
    if row.filter(failed_at__isnull=True).update(**values):
        Event.CLIENT_REJECTED.log(registration=registration.slug)
    else:
        row.update(**values)


def mark_accepted(registration: ClientRegistration) -> None:
    """Store that MailUp accepts this client, if it had refused it before."""
    if registration.failed_at is not None:
        _stored(registration).update(failed_at=None, error_code="", retry_at=None)
        Event.CLIENT_ACCEPTED.log(registration=registration.slug)


def _stored(registration: ClientRegistration) -> QuerySet[ClientRegistration]:
    """Return its row, by key: with another tenant's connection that is no row, and never another tenant's."""
    return ClientRegistration.objects.using(router.db_for_write(ClientRegistration)).filter(key=registration.key)
