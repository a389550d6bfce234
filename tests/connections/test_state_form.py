"""The form of `state`: what a callback shows about a registration, and what it doesn't."""

from __future__ import annotations

from typing import Any

import pytest

from django_mailup.exceptions import AuthorizationFailed, CodeRefused, StateMismatch
from django_mailup.models import ClientRegistration
from django_mailup.services import begin_again

from ..journey import SESSION, Journey, consent

pytestmark = pytest.mark.django_db


def known() -> bool | None:
    return ClientRegistration.objects.get().echoes_state


@pytest.mark.parametrize(
    ("form", "echoed", "before", "after"),
    [
        ("query", True, None, True),
        ("query", True, True, True),
        ("query", True, False, True),
        ("path", False, None, False),
        ("path", False, True, False),
        ("path", False, False, False),
        ("path", True, None, None),
        ("path", True, True, True),
        ("path", True, False, True),
    ],
)
def test_what_a_callback_shows_whose_code_mailup_has_exchanged(
    journey: Journey, settings: Any, form: str, echoed: bool, before: bool | None, after: bool | None
) -> None:
    settings.MAILUP = {**settings.MAILUP, "STATE_IN": form}
    journey.sandbox.configure(echo_state=echoed)
    ClientRegistration.objects.update(echoes_state=before)
    updated_at = ClientRegistration.objects.get().updated_at
    journey.connect()

    assert known() is after
    assert ClientRegistration.objects.get().updated_at == updated_at


@pytest.mark.parametrize("form", ["query", "path"])
@pytest.mark.parametrize("change", [{"code": "refused"}, {"error": "server_error"}, {"session": "another"}])
def test_a_callback_whose_code_was_not_exchanged_shows_nothing(
    journey: Journey, settings: Any, form: str, change: dict[str, str]
) -> None:
    settings.MAILUP = {**settings.MAILUP, "STATE_IN": form}
    journey.sandbox.configure(echo_state=form == "query")
    answer = consent(journey.sandbox, journey.begin())

    with pytest.raises((AuthorizationFailed, CodeRefused, StateMismatch)):
        journey.complete(answer, **change)
    assert known() is None


def test_beginning_again_shows_nothing_until_it_has_worked(journey: Journey) -> None:
    journey.sandbox.configure(echo_state=False)
    journey.begin()
    url = begin_again(user=journey.user, session=SESSION)
    assert known() is None

    journey.complete(consent(journey.sandbox, url))
    assert known() is False
    assert journey.connect().token.generation == 2  # the path is tried first now
