"""TokenSet: parsing lifetimes and refresh tokens in every form that MailUp may send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from django_mailup.exceptions import UnexpectedResponse
from django_mailup.mailup.tokens import ASSUMED_LIFETIME, MAX_LIFETIME, TOKEN_LIMIT, TokenSet, lifetime

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expires_in", "expected"),
    [
        (3600, timedelta(hours=1)),
        ("3600", timedelta(hours=1)),
        ("900.0", timedelta(minutes=15)),
        (900.5, timedelta(seconds=900.5)),
        (0, timedelta(0)),
        (-5, timedelta(0)),
        (None, ASSUMED_LIFETIME),
        ("", ASSUMED_LIFETIME),
        ("soon", ASSUMED_LIFETIME),
        ("nan", ASSUMED_LIFETIME),
        (True, ASSUMED_LIFETIME),
        ([], ASSUMED_LIFETIME),
        ("1e400", MAX_LIFETIME),
        (10**400, ASSUMED_LIFETIME),
    ],
)
def test_a_lifetime_is_read_in_any_form(expires_in: Any, expected: timedelta) -> None:
    assert expected == lifetime(expires_in)


def test_a_renewed_refresh_token_replaces_the_used_one() -> None:
    answer = {"access_token": "A2", "refresh_token": "R2", "expires_in": 60}

    assert TokenSet.from_answer(answer, received_at=NOW, refresh_token="R1").refresh_token == "R2"


@pytest.mark.parametrize("renewed", [None, "", 5])
def test_the_used_refresh_token_is_kept_when_none_comes(renewed: Any) -> None:
    answer = {"access_token": "A2", "refresh_token": renewed}

    assert TokenSet.from_answer(answer, received_at=NOW, refresh_token="R1").refresh_token == "R1"


def test_a_token_set_shows_no_secret() -> None:
    shown = repr(TokenSet.from_answer({"access_token": "A-1", "refresh_token": "R-1"}, received_at=NOW))

    assert "A-1" not in shown
    assert "R-1" not in shown


BAD = [
    "planted\r\nX-Evil: 1",
    "planted\n",
    "\0planted",
    "plantedè",
    "planted\ud800",
    "planted\x7f",
    "planted" * TOKEN_LIMIT,
]


@pytest.mark.parametrize("bad", BAD, ids=["CRLF", "LF", "NUL", "non-ASCII", "surrogate", "DEL", "long"])
@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(name: str, bad: str) -> None:
    answer = {"access_token": "A1", "refresh_token": "R1", name: bad}

    with pytest.raises(UnexpectedResponse) as caught:
        TokenSet.from_answer(answer, received_at=NOW)
    assert "planted" not in f"{caught.value!r} {caught.value} {vars(caught.value)}"


def test_the_longest_token_is_accepted() -> None:
    longest = "A" * TOKEN_LIMIT

    assert TokenSet.from_answer({"access_token": longest}, received_at=NOW).access_token == longest
