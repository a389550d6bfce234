"""A client that MailUp refuses: the refusal is stored once, and tried again after five minutes or a correction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from django_mailup.exceptions import (
    ClientRejected,
)
from django_mailup.models import ClientRegistration, Token
from django_mailup.renewal import on_demand
from django_mailup.sandbox import Sandbox
from django_mailup.services import register

from ..journey import Journey, consent

pytestmark = pytest.mark.django_db


def test_a_wrong_secret_is_said_on_the_registration_and_forgotten_when_corrected(
    journey: Journey, mailup_registration: ClientRegistration
) -> None:
    journey.sandbox.state.clients[journey.sandbox.client_id] = "changed"
    answer = consent(journey.sandbox, journey.begin())

    with pytest.raises(ClientRejected):
        journey.complete(answer)
    mailup_registration.refresh_from_db()
    assert mailup_registration.failed_at is not None

    journey.sandbox.state.clients[journey.sandbox.client_id] = journey.sandbox.client_secret
    journey.connect()
    mailup_registration.refresh_from_db()
    assert mailup_registration.failed_at is None
    assert mailup_registration.error_code == ""


def test_a_rejected_client_is_said_once_and_probed_later(
    expired: Token, mailup_sandbox: Sandbox, mailup_requests: list[Any], clock: Any, mailup_registration: Any
) -> None:
    mailup_sandbox.state.clients[mailup_sandbox.client_id] = "changed"
    mailup_requests.clear()
    for _ in range(3):
        with pytest.raises(ClientRejected):
            on_demand.usable_token(expired.key, clock=clock)
    assert len(mailup_requests) == 1
    expired.refresh_from_db()
    assert expired.is_active
    assert expired.failure_count == 0
    mailup_registration.refresh_from_db()
    assert mailup_registration.error_code == "client_rejected"
    assert not Token.objects.due(now=clock() + timedelta(minutes=1)).exists()

    mailup_sandbox.state.clients[mailup_sandbox.client_id] = mailup_sandbox.client_secret
    clock.move(minutes=6)
    assert on_demand.usable_token(expired.key, clock=clock).generation == 2
    mailup_registration.refresh_from_db()
    assert mailup_registration.failed_at is None


def test_a_corrected_secret_is_tried_at_once(
    expired: Token, mailup_sandbox: Sandbox, mailup_registration: ClientRegistration
) -> None:
    mailup_sandbox.state.clients[mailup_sandbox.client_id] = "changed"
    with pytest.raises(ClientRejected):
        on_demand.usable_token(expired.key)
    register(name="Sandbox", client_id=mailup_sandbox.client_id, client_secret="changed")

    assert on_demand.usable_token(expired.key).generation == 2
