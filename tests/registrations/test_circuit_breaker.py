"""A client that MailUp refuses: the refusal is stored once, and tried again after five minutes or a correction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from django_mailup.exceptions import ClientRejected, RegistrationUnavailable
from django_mailup.models import ClientRegistration, Token
from django_mailup.registrations import circuit_breaker
from django_mailup.renewal import on_demand
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.errors import OAuthError
from django_mailup.services import register

from ..journey import Journey, consent
from ..threads import in_threads

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


def test_refusal_and_acceptance_are_logged_once(
    mailup_registration: ClientRegistration, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="django_mailup"):
        for change in (
            circuit_breaker.mark_accepted,
            partial(circuit_breaker.mark_refused, now=clock()),
            partial(circuit_breaker.mark_refused, now=clock()),
            circuit_breaker.mark_accepted,
            circuit_breaker.mark_accepted,
        ):
            change(ClientRegistration.objects.get())

    assert [each.__dict__["event"] for each in caplog.records] == ["mailup.client_rejected", "mailup.client_accepted"]
    row = ClientRegistration.objects.get()
    assert (row.failed_at, row.error_code, row.retry_at) == (None, "", None)


def test_a_disabled_registration_makes_no_call(mailup_registration: ClientRegistration, clock: Any) -> None:
    mailup_registration.enabled = False

    with pytest.raises(RegistrationUnavailable):
        circuit_breaker.admit(mailup_registration, now=clock())


def test_of_two_processes_that_find_the_probe_due_one_makes_it(
    mailup_registration: ClientRegistration, clock: Any
) -> None:
    circuit_breaker.mark_refused(mailup_registration, now=clock())
    clock.move(minutes=5)
    one, other = ClientRegistration.objects.get(), ClientRegistration.objects.get()  # both read before either asks

    circuit_breaker.admit(one, now=clock())
    with pytest.raises(ClientRejected):
        circuit_breaker.admit(other, now=clock())


def test_nobody_else_calls_while_the_probe_is_under_way(
    expired: Token, mailup_connection: Callable[..., Token], mailup_sandbox: Sandbox, clock: Any
) -> None:
    """MailUp accepts the client again, but its answer has not come yet."""
    other = mailup_connection(None)
    circuit_breaker.mark_refused(expired.registration, now=clock())
    clock.move(minutes=5)
    outcomes: list[Any] = []

    def call(_: object) -> None:
        mailup_sandbox.hooks.before_refresh = None
        outcomes.extend(in_threads(1, lambda: on_demand.usable_token(other.key, refused=1, clock=clock)))

    mailup_sandbox.hooks.before_refresh = call
    assert on_demand.usable_token(expired.key, clock=clock).generation == 2
    assert [type(each) for each in outcomes] == [ClientRejected]
    assert mailup_sandbox.state.counters["refreshes"] == 1
    assert on_demand.usable_token(other.key, refused=1, clock=clock).generation == 2


def test_a_probe_that_is_refused_is_the_only_call_for_five_minutes(
    expired: Token, mailup_sandbox: Sandbox, mailup_requests: list[Any], clock: Any
) -> None:
    mailup_sandbox.state.clients[mailup_sandbox.client_id] = "changed"
    mailup_requests.clear()
    for minute in range(15):
        for _ in range(3):
            with pytest.raises(ClientRejected):
                on_demand.usable_token(expired.key, refused=minute, clock=clock)
        assert len(mailup_requests) == 1 + minute // 5
        clock.move(minutes=1)
    assert ClientRegistration.objects.get().failed_at == clock() - timedelta(minutes=5)  # when it was last refused


def test_a_refusal_of_credentials_that_were_corrected_meanwhile_is_not_stored(
    expired: Token, mailup_sandbox: Sandbox
) -> None:
    def refuse(_: object) -> None:
        mailup_sandbox.hooks.before_refresh = None
        mailup_sandbox.state.clients[mailup_sandbox.client_id] = "corrected"
        in_threads(1, lambda: register(name="Sandbox", client_id=mailup_sandbox.client_id, client_secret="corrected"))
        raise OAuthError("invalid_client", "Client authentication failed.")

    mailup_sandbox.hooks.before_refresh = refuse
    with pytest.raises(ClientRejected):
        on_demand.usable_token(expired.key)

    row = ClientRegistration.objects.get()
    assert (row.failed_at, row.error_code, row.retry_at) == (None, "", None)
    assert on_demand.usable_token(expired.key).generation == 2


def test_a_corrected_secret_is_tried_at_once(
    expired: Token, mailup_sandbox: Sandbox, mailup_registration: ClientRegistration
) -> None:
    mailup_sandbox.state.clients[mailup_sandbox.client_id] = "changed"
    with pytest.raises(ClientRejected):
        on_demand.usable_token(expired.key)
    register(name="Sandbox", client_id=mailup_sandbox.client_id, client_secret="changed")

    assert on_demand.usable_token(expired.key).generation == 2
