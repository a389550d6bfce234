"""OAuth's state: single use, bound to session and user, short-lived, and stored only as a hash."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from django_mailup.connections import state
from django_mailup.connections.state_form import QUERY
from django_mailup.exceptions import StateMismatch
from django_mailup.models import AuthorizationRequest, Token

from ..journey import SESSION, Journey, consent
from ..stored import stored_rows
from ..threads import in_threads

pytestmark = pytest.mark.django_db


def test_neither_state_nor_code_is_stored(journey: Journey) -> None:
    issued = parse_qs(urlsplit(journey.begin()).query)["state"][0]
    (row,) = stored_rows(AuthorizationRequest)

    assert all(issued not in str(value) and SESSION not in str(value) for value in row)


def test_a_state_works_once(journey: Journey) -> None:
    answer = consent(journey.sandbox, journey.begin())
    journey.complete(answer)

    with pytest.raises(StateMismatch):
        journey.complete(answer)
    assert Token.objects.count() == 1


def test_of_two_that_have_found_it_one_redeems_it(journey: Journey) -> None:
    issued = parse_qs(urlsplit(journey.begin()).query)["state"][0]
    caller: Any = {"state_in": QUERY, "session": SESSION, "user_pk": journey.user.pk, "now": timezone.now()}
    first, second = state.find(issued), state.find(issued)

    assert state.redeem(first, **caller) is first
    with pytest.raises(StateMismatch) as caught:
        state.redeem(second, **caller)
    assert caught.value.reason == "used"


@pytest.mark.parametrize("change", [{"state": "forged"}, {"state": "\udc80\x00"}, {"session": "another"}])
def test_a_foreign_answer_is_refused_and_the_right_one_still_works(journey: Journey, change: Any) -> None:
    answer = consent(journey.sandbox, journey.begin())

    with pytest.raises(StateMismatch):
        journey.complete(answer, **change)
    assert Token.objects.count() == 0
    assert journey.complete(answer).created


def test_another_user_cannot_use_it(journey: Journey, other_user: Any) -> None:
    answer = consent(journey.sandbox, journey.begin())

    with pytest.raises(StateMismatch):
        journey.complete(answer, user=other_user)
    assert journey.complete(answer).created


def test_a_stale_answer_is_refused(journey: Journey, clock: Any) -> None:
    answer = consent(journey.sandbox, journey.begin(clock=clock))
    clock.move(seconds=601)

    with pytest.raises(StateMismatch):
        journey.complete(answer, clock=clock)


def test_a_state_is_redeemed_where_its_form_put_it(journey: Journey, settings: Any) -> None:
    in_query = consent(journey.sandbox, journey.begin())
    settings.MAILUP = {**settings.MAILUP, "STATE_IN": "path"}
    in_path = consent(journey.sandbox, journey.begin())

    with pytest.raises(StateMismatch) as first:
        journey.complete({**in_query, "path": f"{in_query['path']}{in_query['state']}/"})
    with pytest.raises(StateMismatch) as second:
        journey.complete({**in_path, "path": in_query["path"]})
    assert first.value.reason == second.value.reason == "other_form"
    assert journey.complete(in_query).created
    assert not journey.complete(in_path).created


def test_twenty_authorizations_of_a_user_wait_at_most_and_the_oldest_goes(
    journey: Journey, other_user: Any, caplog: pytest.LogCaptureFixture
) -> None:
    Journey(journey.sandbox, other_user).begin()
    answers = [consent(journey.sandbox, journey.begin()) for _ in range(22)]

    assert AuthorizationRequest.objects.filter(user=journey.user).count() == 20
    assert AuthorizationRequest.objects.filter(user=other_user).count() == 1
    assert [record.__dict__["event"] for record in caplog.records] == ["mailup.authorization_dropped"] * 2
    for answer in answers[:2]:
        with pytest.raises(StateMismatch):
            journey.complete(answer)
    assert journey.complete(answers[2]).created
    assert not journey.complete(answers[21]).created


def test_thirty_begun_at_once_leave_twenty(transactional_db: None, journey: Journey) -> None:
    urls = in_threads(30, journey.begin)

    assert [url for url in urls if not isinstance(url, str)] == []
    assert AuthorizationRequest.objects.count() == 20


def test_a_thousand_expired_requests_go_at_once(journey: Journey, clock: Any) -> None:
    """More would hold their locks for too long."""
    journey.begin(clock=clock)
    clock.move(days=1)
    one = AuthorizationRequest.objects.get()
    AuthorizationRequest.objects.bulk_create(
        AuthorizationRequest(
            user=journey.user, registration=one.registration, state_hash=f"hash {number}", expires_at=one.expires_at
        )
        for number in range(state.CLEARED_AT_ONCE)
    )

    assert state.clear_expired_requests(clock=clock) == state.CLEARED_AT_ONCE
    assert state.clear_expired_requests(clock=clock) == 1
    assert state.clear_expired_requests(clock=clock) == 0


def test_expired_requests_go_when_the_next_one_begins(journey: Journey, other_user: Any, clock: Any) -> None:
    """No beat runs here."""
    for user in (journey.user, other_user):
        Journey(journey.sandbox, user).begin(clock=clock)
    clock.move(seconds=599)
    journey.begin(clock=clock)
    assert AuthorizationRequest.objects.count() == 3
    clock.move(seconds=1)
    journey.begin(clock=clock)

    assert AuthorizationRequest.objects.count() == 2
