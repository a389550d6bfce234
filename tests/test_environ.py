"""The MAILUP dict from environment variables."""

from __future__ import annotations

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from django_mailup.environ import mailup_settings
from django_mailup.settings_table import ROWS


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, object]:
    env = environ.Env()
    monkeypatch.setattr(env, "ENVIRON", variables)
    return mailup_settings(env)


def test_nothing_set_is_an_empty_dict(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, OTHER="x") == {}


def test_every_key_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(
        monkeypatch,
        MAILUP_BASE_URL="https://x.example", MAILUP_ENCRYPTION_KEYS="a, b", MAILUP_CLIENT_AUTHENTICATION="basic",
        MAILUP_TIMEOUT="10", MAILUP_TOKEN_DEADLINE="7.5", MAILUP_REFRESH_MARGIN="900", MAILUP_REFRESH_PERIOD="300",
        MAILUP_REFRESH_BATCH_SIZE="20", MAILUP_STATE_IN="query", MAILUP_STATE_LIFETIME="60",
        MAILUP_CONNECTED_URL="home", MAILUP_REFRESH_RATE="5", MAILUP_RATE_LIMIT="0", MAILUP_RATE_PATIENCE="9",
        MAILUP_CACHE_ALIAS="shared", MAILUP_REFRESH_CONCURRENCY="4", MAILUP_PREPARE_CONNECTION="site.tenants.prepare",
        MAILUP_SECRET_KEY_READS="off",
        MAILUP_INSECURE_HOSTS="one, two", MAILUP_API_DEADLINE="90", MAILUP_ANSWER_LIMIT="1000000", MAILUP_POOL_SIZE="8",
        MAILUP_CALLBACK_ORIGIN="https://x.example", MAILUP_PKCE="on", MAILUP_SCOPE="a b",
    )  # fmt: skip

    assert set(found) == set(ROWS)
    assert [name for name, value in found.items() if not ROWS[name].accepts(value)] == ["ENCRYPTION_KEYS"]
    assert found["ENCRYPTION_KEYS"] == ["a", "b"]
    assert found["INSECURE_HOSTS"] == ["one", "two"]
    assert (found["TOKEN_DEADLINE"], found["REFRESH_BATCH_SIZE"]) == (7.5, 20)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [("TIMEOUT", "ten", "a number of seconds greater than 0"), ("RATE_LIMIT", "0.5", "a whole number, at least 0")],
)
def test_a_number_that_is_none_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"MAILUP_{variable} must be {expected}"):
        read(monkeypatch, **{f"MAILUP_{variable}": value})


def test_another_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    env = environ.Env()
    monkeypatch.setattr(env, "ENVIRON", {"NEWS_TIMEOUT": "10", "MAILUP_TIMEOUT": "20"})

    assert mailup_settings(env, "NEWS_") == {"TIMEOUT": 10}
