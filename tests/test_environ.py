"""The MAILUP dict from environment variables."""

from __future__ import annotations

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from django_mailup import setting_kinds
from django_mailup.environ import mailup_settings
from django_mailup.origins import Origin
from django_mailup.settings_table import ROWS

KEYS = ["bm90aGluZyBpcyBlbmNyeXB0ZWQgd2l0aCB0aGlzIGs=", "bm9uZSBvZiB5b3VyIGJ1c2luZXNzLCBvZiBjb3Vyc2U="]
VALUES: dict[type, tuple[str, object]] = {
    setting_kinds.Text: ("home", "home"),
    setting_kinds.Scope: ("a b", "a b"),
    setting_kinds.CacheAlias: ("shared", "shared"),
    setting_kinds.DottedPath: ("site.tenants.prepare", "site.tenants.prepare"),
    setting_kinds.WebAddress: ("https://x.example", "https://x.example"),
    setting_kinds.Number: ("7.5", 7.5),
    setting_kinds.Seconds: ("7.5", 7.5),
    setting_kinds.Duration: ("7.5", 7.5),
    setting_kinds.Count: ("20", 20),
    setting_kinds.Flag: ("on", True),
    setting_kinds.Keys: (", ".join(KEYS), KEYS),
    setting_kinds.HostNames: ("one, two", ["one", "two"]),
    Origin: ("https://x.example", "https://x.example"),
}
"""For each kind of row but Choice: the text of a variable, and the value that is read from it."""


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, object]:
    env = environ.Env()
    monkeypatch.setattr(env, "ENVIRON", variables)
    return mailup_settings(env)


def test_nothing_set_is_an_empty_dict(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, OTHER="x") == {}


@pytest.mark.parametrize("name", ROWS)
def test_every_key_can_be_set(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    row = ROWS[name]
    text, value = (row.choices[-1],) * 2 if isinstance(row, setting_kinds.Choice) else VALUES[type(row)]
    found = read(monkeypatch, **{f"MAILUP_{name}": text})

    assert found == {name: value}
    assert type(found[name]) is type(value)
    assert row.accepts(found[name])


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
