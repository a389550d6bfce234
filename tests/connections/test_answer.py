"""Answer: what MailUp's redirect holds, and when it lacks a state."""

from __future__ import annotations

import pytest

from django_mailup.connections.answer import Answer


@pytest.mark.parametrize(
    ("answer", "state", "lacks"),
    [
        (Answer(code="c"), "", True),
        (Answer(code="c", state_in_query="q"), "q", False),
        (Answer(code="c", state_in_path="p"), "p", False),
        (Answer(code="c", state_in_path="p", state_in_query="q"), "p", False),
        (Answer(error="access_denied"), "", False),
        (Answer(code="c", error="access_denied"), "", False),  # an error never begins again
        (Answer(), "", False),
    ],
)
def test_a_code_without_a_state_lacks_it(answer: Answer, state: str, lacks: bool) -> None:
    assert (answer.state, answer.lacks_state) == (state, lacks)


def test_no_secret_is_in_its_repr() -> None:
    assert "planted" not in repr(Answer(code="planted", error="planted", state_in_path="planted"))
