"""Origins: which texts are one, and what the setting accepts."""

from __future__ import annotations

from typing import Any

import environ
import pytest

from django_mailup.origins import Origin, is_origin

ROW = Origin(help_text="")


@pytest.mark.parametrize(
    "value",
    [
        "https://news.example",
        "http://[::1]:8000",
        "http://127.0.0.1:8000",
        "https://xn--bcher-kva.example:8443",
    ],
)
def test_what_is_an_origin(value: str) -> None:
    assert is_origin(value)
    assert ROW.accepts(value)
    assert ROW.convert(value) == value


@pytest.mark.parametrize(
    "value",
    [
        *("", 5, "news", "//a.example", "https://", "ftp://a.example", "HTTPS://a.example"),
        *("https://a.example/", "https://a.example/path", "https://a.example?q", "https://a.example#f"),
        *("https://ada@a.example", "https://a.example:x", "https://a.example:0", "https://[::1"),
        *("https://a.example\n", "https:\t//a.example", "https://a b.example", "https://a.example\\b"),
        *("https://a.example\x00", "https://a.example\udc80", "https://bücher.example", "a..b", ".a.b"),
    ],
    ids=ascii,
)
def test_what_is_neither_an_origin_nor_a_dotted_path(value: Any) -> None:
    assert not is_origin(value)
    assert not ROW.accepts(value)


def test_the_setting_may_be_unset_or_a_dotted_path() -> None:
    assert ROW.accepts(None)
    assert ROW.convert(None) == ""
    assert ROW.accepts("shop.tenants.origin_of")
    assert not is_origin("shop.tenants.origin_of")


def test_it_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    env = environ.Env()
    monkeypatch.setattr(env, "ENVIRON", {"X": "https://news.example"})

    assert ROW.parse(env, "X") == "https://news.example"
