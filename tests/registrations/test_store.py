"""Finding and storing client registrations."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.utils import timezone

from django_mailup.exceptions import NotConnected, RegistrationUnavailable
from django_mailup.models import ClientRegistration, Token
from django_mailup.registrations import store

pytestmark = pytest.mark.django_db
VALUES = {"name": "A site", "client_id": "id", "client_secret": "secret"}


def test_a_registration_is_found_by_its_slug() -> None:
    default, _ = store.register(**VALUES)
    second, _ = store.register(slug="second", **VALUES | {"client_id": "id of the second"})

    assert store.find() == default
    assert store.find("second") == second


def test_an_unknown_or_disabled_registration_is_not_found() -> None:
    store.register(**VALUES)
    ClientRegistration.objects.update(enabled=False)

    for slug in ("default", "unknown"):
        with pytest.raises(RegistrationUnavailable, match=slug):
            store.find(slug)


def test_registering_again_updates_the_same_row() -> None:
    first, created = store.register(**VALUES)
    again, created_again = store.register(**VALUES | {"name": "Renamed", "client_secret": "another"})

    assert (created, created_again, again.pk) == (True, False, first.pk)
    row = ClientRegistration.objects.get()
    assert (row.name, row.client_secret.reveal()) == ("Renamed", "another")


def test_registering_the_same_values_writes_nothing(django_assert_num_queries: Any) -> None:
    store.register(**VALUES)

    with django_assert_num_queries(1):
        store.register(**VALUES)


def test_a_secret_that_cannot_be_read_is_replaced(settings: Any) -> None:
    store.register(**VALUES)
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    store.register(**VALUES)

    assert ClientRegistration.objects.get().client_secret.reveal() == "secret"


def test_what_another_registration_has_is_refused() -> None:
    store.register(**VALUES)

    with pytest.raises(ValidationError, match="Client ID"):
        store.register(slug="second", **VALUES)
    assert ClientRegistration.objects.count() == 1


@pytest.mark.parametrize("changed", ["client_id", "client_secret"])
def test_a_change_clears_the_refusal(changed: str) -> None:
    now = timezone.now()
    store.register(**VALUES)
    ClientRegistration.objects.update(failed_at=now, error_code="client_rejected", retry_at=now + timedelta(hours=1))
    store.register(**VALUES)
    assert ClientRegistration.objects.get().failed_at == now  # nothing was changed

    store.register(**VALUES | {changed: "another"})
    row = ClientRegistration.objects.get()
    assert (row.failed_at, row.error_code, row.retry_at) == (None, "", None)


def test_the_registration_of_a_connection_is_found_by_keys(mailup_connection: Callable[..., Token]) -> None:
    token = mailup_connection(None)
    assert store.find_for(token) == token.registration

    ClientRegistration.objects.update(enabled=False)
    with pytest.raises(RegistrationUnavailable):
        store.find_for(token)
    Token.objects.update(key=uuid.uuid4())  # a row of the same primary key, as in another schema
    with pytest.raises(NotConnected):
        store.find_for(token)
