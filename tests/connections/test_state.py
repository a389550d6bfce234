"""OAuth's state: single use, bound to session and user, short-lived, and stored only as a hash."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from django_mailup.exceptions import (
    StateMismatch,
)
from django_mailup.models import AuthorizationRequest, Token

from ..journey import SESSION, Journey, consent
from ..stored import stored_rows

pytestmark = pytest.mark.django_db


def test_neither_state_nor_code_is_stored(journey: Journey) -> None:
    state = parse_qs(urlsplit(journey.begin()).query)["state"][0]
    (row,) = stored_rows(AuthorizationRequest)

    assert all(state not in str(value) and SESSION not in str(value) for value in row)


def test_a_state_works_once(journey: Journey) -> None:
    answer = consent(journey.sandbox, journey.begin())
    journey.complete(answer)

    with pytest.raises(StateMismatch):
        journey.complete(answer)
    assert Token.objects.count() == 1


@pytest.mark.parametrize("change", [{"received_state": "forged"}, {"session": "another"}, {"code": ""}])
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


def test_a_stale_answer_is_refused(journey: Journey, clock: Any) -> None:
    answer = consent(journey.sandbox, journey.begin(clock=clock))
    clock.move(seconds=601)

    with pytest.raises(StateMismatch):
        journey.complete(answer, clock=clock)
