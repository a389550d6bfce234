"""Client registrations: finding one, storing one, and what happens when MailUp refuses one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db import router
from django.db.models import QuerySet
from django.utils.module_loading import import_string
from requests.adapters import BaseAdapter

from ..conf import mailup_settings
from ..events import Event
from ..exceptions import ClientRejected, DecryptionFailed, RegistrationUnavailable
from ..mailup.deadline import PendingCall
from ..mailup.grants import Grant
from ..mailup.oauth import OAuthClient
from ..mailup.tokens import TokenSet
from ..models import DEFAULT_REGISTRATION, ClientRegistration

PROBE_EVERY: Final = timedelta(minutes=5)
"""How long after MailUp refused a client the next token may try it again."""


def find(slug: str = DEFAULT_REGISTRATION) -> ClientRegistration:
    """Return an enabled registration.

    Raises:
        RegistrationUnavailable: none of this slug, or it is disabled.
    """
    registration = ClientRegistration.objects.filter(slug=slug, enabled=True).first()
    if registration is None:
        raise RegistrationUnavailable(f"There is no enabled MailUp client registration named “{slug}”.")
    return registration


def register(
    *, slug: str = DEFAULT_REGISTRATION, name: str, client_id: str, client_secret: str, redirect_uri: str | None = None
) -> tuple[ClientRegistration, bool]:
    """Create a registration, or bring the one of this slug up to date. Returns it, and whether it is new.

    A redirect URI of None leaves the stored one alone. Running it again with the same values changes nothing, except
    that after a change of keys the secret is encrypted with the newest.
    """
    registration = ClientRegistration.objects.filter(slug=slug).first() or ClientRegistration(slug=slug)
    created = registration.pk is None
    changed = created or (registration.name, registration.client_id) != (name, client_id)
    registration.name, registration.client_id = name, client_id
    if created or _reveal_or_none(registration) != client_secret or not registration.client_secret.is_current():
        registration.client_secret = client_secret
        changed = True
    if redirect_uri is not None and registration.redirect_uri != redirect_uri:
        registration.redirect_uri = redirect_uri
        changed = True
    if changed:
        forgive(registration)
        registration.full_clean()
        registration.save()
    return registration, created


def forgive(registration: ClientRegistration) -> None:
    """Forget on the instance that MailUp refused it: its id or secret has been changed."""
    registration.failed_at, registration.last_error, registration.retry_at = None, "", None


def oauth_client(registration: ClientRegistration, *, clock: Callable[[], datetime]) -> OAuthClient:
    """Return the OAuth client of a registration.

    Raises:
        DecryptionFailed: its secret can't be read.
    """
    return OAuthClient(
        registration.client_id,
        registration.client_secret.reveal(),
        endpoints=mailup_settings.endpoints(),
        authentication=mailup_settings.CLIENT_AUTHENTICATION,
        deadline=mailup_settings.TOKEN_DEADLINE,
        adapter=adapter(),
        clock=clock,
    )


def exchange(registration: ClientRegistration, grant: Grant, *, clock: Callable[[], datetime]) -> TokenSet:
    """Exchange a grant in the name of a registration. Raises as OAuthClient.exchange, and DecryptionFailed."""
    return result(registration, oauth_client(registration, clock=clock).begin(grant), clock=clock)


def result(registration: ClientRegistration, call: PendingCall[TokenSet], *, clock: Callable[[], datetime]) -> TokenSet:
    """Return what came of a call in the name of a registration, or raise it as OAuthClient.exchange does."""
    try:
        return call.result()
    except ClientRejected:
        refused(registration, now=clock())
        raise


def adapter() -> BaseAdapter | None:
    """Return what takes the place of the network, if the tests of a site have set something."""
    make = mailup_settings.ADAPTER
    if isinstance(make, str):
        make = import_string(make)
    return make() if make is not None else None


def may_try(registration: ClientRegistration, *, now: datetime) -> None:
    """Let a token call pass, unless MailUp has refused this client: then one caller at a time may probe it again.

    Raises:
        RegistrationUnavailable: it is disabled.
        ClientRejected: refused, and the next probe isn't due or is another's.
    """
    if not registration.enabled:
        raise RegistrationUnavailable
    if registration.retry_at is None:
        return
    if registration.retry_at <= now:
        won = _rows().filter(pk=registration.pk, retry_at=registration.retry_at).update(retry_at=now + PROBE_EVERY)
        if won:
            return
    raise ClientRejected


def refused(registration: ClientRegistration, *, now: datetime) -> None:
    """Note that MailUp refused this client: one message here instead of one for each of its tokens."""
    first = (
        _rows()
        .filter(pk=registration.pk, failed_at__isnull=True)
        .update(failed_at=now, last_error=_sentence(), retry_at=now + PROBE_EVERY)
    )
    if first:
        Event.CLIENT_REJECTED.log(registration=registration.slug)
    else:
        _rows().filter(pk=registration.pk).update(failed_at=now, last_error=_sentence(), retry_at=now + PROBE_EVERY)


def accepted(registration: ClientRegistration) -> None:
    """Note that MailUp accepted this client, if there was doubt."""
    if registration.failed_at is not None:
        _rows().filter(pk=registration.pk).update(failed_at=None, last_error="", retry_at=None)
        Event.CLIENT_ACCEPTED.log(registration=registration.slug)


def _rows() -> QuerySet[ClientRegistration]:
    return ClientRegistration.objects.using(router.db_for_write(ClientRegistration))


def _sentence() -> str:
    return f"{ClientRejected.code}: {ClientRejected()}"


def _reveal_or_none(registration: ClientRegistration) -> str | None:
    try:
        return str(registration.client_secret.reveal())
    except DecryptionFailed:
        return None
