"""The kinds of settings: which values each accepts, and what it converts them to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import environ
import pytest
from cryptography.fernet import Fernet
from django.urls import reverse, reverse_lazy

from django_mailup import setting_kinds as kinds

KEY = b"bm90aGluZyBpcyBlbmNyeXB0ZWQgd2l0aCB0aGlzIGs="
ROWS = {
    "text": kinds.Text("x", help_text=""),
    "address": kinds.WebAddress("https://x.example", help_text=""),
    "choice": kinds.Choice[str]("path", "query", help_text=""),
    "seconds": kinds.Seconds(1, help_text=""),
    "seconds or none": kinds.Seconds(1, minimum=0, help_text=""),
    "duration": kinds.Duration(1, help_text=""),
    "count": kinds.Count(1, help_text=""),
    "keys": kinds.Keys(help_text=""),
    "path": kinds.DottedPath("x.y", help_text=""),
    "flag": kinds.Flag(False, help_text=""),
    "hosts": kinds.HostNames(help_text=""),
    "scope": kinds.Scope("", help_text=""),
}


@pytest.mark.parametrize(
    ("kind", "value", "converted"),
    [
        ("text", "home", "home"),
        ("address", "http://[::1]:8777/x", "http://[::1]:8777/x"),
        ("choice", "query", "query"),
        ("seconds", 0.5, 0.5),
        ("seconds", 3, 3.0),
        ("seconds or none", 0, 0.0),
        ("duration", 0.5, timedelta(milliseconds=500)),
        ("count", 7, 7),
        ("keys", [KEY.decode()], (KEY.decode(),)),
        ("keys", (), ()),
        ("path", "site.tenants.prepare", "site.tenants.prepare"),
        ("keys", "site.vault.keys", "site.vault.keys"),
        ("flag", True, True),
        ("flag", False, False),
        ("hosts", ["sandbox.internal", "10.0.0.5", "fd00::1"], ("sandbox.internal", "10.0.0.5", "fd00::1")),
        ("scope", "", ""),
        ("scope", "openid lists:read", "openid lists:read"),
    ],
    ids=str,
)
def test_what_is_accepted(kind: str, value: Any, converted: Any) -> None:
    assert ROWS[kind].accepts(value)
    assert ROWS[kind].convert(value) == converted
    assert type(ROWS[kind].convert(value)) is type(converted)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[("text", value) for value in ("", None, 5, b"home")],
        *[
            ("address", value)
            for value in ("", None, 5, "x.example", "https://", "ftp://x", "https://x:y", "https://x?q")
        ],
        *[("hosts", value) for value in ("sandbox", None, [""], [5], ["http://x"], ["x:80"], ["x/"], ["*"])],
        *[("choice", value) for value in ("", "PATH", None, ["path"])],
        *[("seconds", value) for value in (0, -1, "1", None, True, float("nan"), float("inf"), timedelta(1))],
        *[("seconds or none", value) for value in (-0.1, None, False)],
        *[("duration", value) for value in (0, 1e300, float("inf"), "1", None)],
        *[("count", value) for value in (0, 2.5, 2.0, "2", None, True)],
        *[("path", value) for value in ("", None, len, "prepare", "site.", "site..prepare", "my site.prepare")],
        *[("keys", value) for value in (None, "", "keys", [None], ["short"], [""], {"a": 1}, ".keys", "a-b.keys")],
        *[("flag", value) for value in (None, 0, 1, "True", "")],
        *[("scope", value) for value in (None, " ", "a  b", "a ", 'a"b', "a\\b", "a\nb", "é", ["a"])],
    ],
    ids=str,
)
def test_what_is_not_accepted(kind: str, value: Any) -> None:
    assert not ROWS[kind].accepts(value)


def test_a_lazy_text_is_read_when_it_is_needed() -> None:
    lazy = reverse_lazy("django_mailup:connections")

    assert ROWS["text"].accepts(lazy)
    assert ROWS["text"].convert(lazy) == reverse("django_mailup:connections")


def test_a_count_is_never_below_its_minimum() -> None:
    assert ROWS["count"].convert(0) == 1


@pytest.mark.parametrize("minimum", [None, 0, 2])
def test_numbers_say_their_bounds(minimum: float | None) -> None:
    row = kinds.Number(5, minimum=minimum, help_text="")

    assert row.expects == ("a number greater than 0" if minimum is None else f"a number, at least {minimum}")


@pytest.mark.parametrize(
    "value", [KEY, KEY.decode(), KEY[:-1], KEY + b"=", KEY[4:], "", "é" * 44, None, 5, [1], "a" * 43, "-_" * 21 + "8="]
)
def test_a_key_has_the_form_of_a_fernet_key(value: Any) -> None:
    try:
        Fernet(value)
    except (TypeError, ValueError):
        is_one = False
    else:
        is_one = True

    assert kinds.is_key(value) is is_one


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", "home", "home"),
        ("choice", "query", "query"),
        ("seconds", "1.5", 1.5),
        ("duration", "900", 900.0),
        ("count", "7", 7),
        ("keys", "b, a,", ["b", "a"]),
        ("path", "site.prepare", "site.prepare"),
        ("keys", "b", ["b"]),
        ("keys", " site.vault.keys ", "site.vault.keys"),
        ("keys", "site.vault.keys, b", ["site.vault.keys", "b"]),
        ("flag", "off", False),
        ("flag", "on", True),
        ("scope", "a b", "a b"),
    ],
)
def test_reading_the_environment(kind: str, text: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    env = environ.Env()
    monkeypatch.setattr(env, "ENVIRON", {"X": text})

    assert ROWS[kind].parse(env, "X") == value


@pytest.mark.parametrize(("kind", "text"), [("seconds", "ten"), ("duration", ""), ("count", "1.5")])
def test_what_is_no_number_in_the_environment(kind: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    env = environ.Env()
    monkeypatch.setattr(env, "ENVIRON", {"X": text})

    with pytest.raises(ValueError):
        ROWS[kind].parse(env, "X")
