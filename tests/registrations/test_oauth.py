"""Token calls in the name of a registration."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from django_mailup.exceptions import ClientRejected, DecryptionFailed, LoginRefused
from django_mailup.mailup.grants import Password
from django_mailup.models import ClientRegistration
from django_mailup.registrations import oauth
from django_mailup.sandbox import Sandbox

pytestmark = pytest.mark.django_db
GOOD = Password("m12345", "sandbox")


def test_a_grant_is_exchanged_with_the_registrations_id_and_secret(
    mailup_registration: ClientRegistration, mailup_requests: list[Any], clock: Any
) -> None:
    pair = oauth.exchange(mailup_registration, GOOD, clock=clock)

    assert pair.received_at == clock()
    assert pair.access_token
    (request,) = mailup_requests
    assert f"client_id={mailup_registration.client_id}" in str(request.body)


def test_a_call_is_made_as_the_settings_say(
    mailup_registration: ClientRegistration, mailup_requests: list[Any], settings: Any
) -> None:
    settings.MAILUP = {**settings.MAILUP, "TOKEN_DEADLINE": 3, "CLIENT_AUTHENTICATION": "basic"}
    call = oauth.oauth_client(mailup_registration, clock=timezone.now).begin(GOOD)
    assert call.seconds_left() <= 3

    assert call.result().access_token
    (request,) = mailup_requests
    assert request.headers["Authorization"].startswith("Basic ")
    assert mailup_registration.client_secret.reveal() not in str(request.body)


def test_a_refused_client_is_stored_before_the_error_is_raised(
    mailup_registration: ClientRegistration, mailup_sandbox: Sandbox, clock: Any
) -> None:
    mailup_sandbox.state.clients[mailup_sandbox.client_id] = "changed"

    with pytest.raises(ClientRejected):
        oauth.exchange(mailup_registration, GOOD, clock=clock)
    mailup_registration.refresh_from_db()
    assert mailup_registration.failed_at == clock()


def test_a_refused_grant_says_nothing_about_the_client(mailup_registration: ClientRegistration) -> None:
    with pytest.raises(LoginRefused):
        oauth.exchange(mailup_registration, Password("m12345", "wrong"), clock=timezone.now)
    mailup_registration.refresh_from_db()
    assert mailup_registration.failed_at is None


def test_an_unreadable_secret_is_told_before_anything_is_sent(
    mailup_registration: ClientRegistration, mailup_requests: list[Any], settings: Any
) -> None:
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": []}

    with pytest.raises(DecryptionFailed):
        oauth.exchange(mailup_registration, GOOD, clock=timezone.now)
    assert mailup_requests == []
