"""Find and store client registrations."""

from __future__ import annotations

from ..exceptions import DecryptionFailed, NotConnected, RegistrationUnavailable
from ..frames import forgets_locals
from ..models import DEFAULT_REGISTRATION, ClientRegistration, Token


def find(slug: str = DEFAULT_REGISTRATION) -> ClientRegistration:
    """Return an enabled registration.

    Raises:
        RegistrationUnavailable: there is none of this slug, or it is disabled.
    """
    registration = ClientRegistration.objects.filter(slug=slug, enabled=True).first()
    if registration is None:
        raise RegistrationUnavailable(f"There is no enabled MailUp client registration named “{slug}”.")
    return registration


def find_for(token: Token) -> ClientRegistration:
    """Return the enabled registration of a connection, by keys: each tenant has one of the same slug.

    Raises:
        NotConnected: there is no such connection, or it is another tenant's.
        RegistrationUnavailable: its registration is disabled.
    """
    registration = ClientRegistration.objects.filter(tokens__key=token.key).first()
    if registration is None:
        raise NotConnected
    if not registration.enabled:
        raise RegistrationUnavailable
    return registration


@forgets_locals
def register(
    *, slug: str = DEFAULT_REGISTRATION, name: str, client_id: str, client_secret: str
) -> tuple[ClientRegistration, bool]:
    """Create a registration, or update the one of this slug. Return it, and whether it is new.

    Calling it again with the same values changes nothing, except that after a change of encryption keys the secret is
    encrypted with the newest.

    Args:
        slug: how code names the registration.
        name: how people name it.
        client_id, client_secret: as shown in MailUp's console.

    Raises:
        django.core.exceptions.ValidationError: a value is too long, malformed, or another registration's.
    """
    registration = ClientRegistration.objects.filter(slug=slug).first() or ClientRegistration(slug=slug)
    created = registration.pk is None
    changed = created or (registration.name, registration.client_id) != (name, client_id)
    registration.name, registration.client_id = name, client_id
    if created or _reveal_or_none(registration) != client_secret or not registration.client_secret.is_current():
        registration.client_secret = client_secret
        changed = True
    if changed:
        clear_refusal(registration)
        registration.full_clean()
        registration.save()
    return registration, created


def clear_refusal(registration: ClientRegistration) -> None:
    """Clear on the instance, without saving it, that MailUp refused this client: its id or secret was changed."""
    registration.failed_at, registration.error_code, registration.retry_at = None, "", None


def _reveal_or_none(registration: ClientRegistration) -> str | None:
    try:
        return str(registration.client_secret.reveal())
    except DecryptionFailed:
        return None
