"""Text of other people's: what is removed from it, escaped in it and hidden in it."""

from __future__ import annotations

import pytest

from django_mailup.text import clean, is_clean, printable, without

SECRET = "Xy7-abcdefghijklmnop"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fornaio Rossi", "Fornaio Rossi"),
        ("Caffè 東京 👩‍🍳", "Caffè 東京 👩‍🍳"),
        ("  a\r\n b\tc\u2028d ", "a b c d"),
        ("a\0b\ud800c", "abc"),
        ("\x1b[31mred\x9b", "[31mred"),
        ("gpj.\u202eexe\u2066", "gpj.exe"),
        ("x" * 300, "x" * 20),
        ("x" * 19 + " y", "x" * 19),
    ],
)
def test_clean_text_is_one_short_line_without_controls(text: str, expected: str) -> None:
    assert clean(text, 20) == expected
    assert is_clean(clean(text, 20))


@pytest.mark.parametrize("unwanted", ["\0", "\n", "\x1b", "\x85", "\u2029", "\u200f", "\udfff"])
def test_unwanted_characters_are_noticed_and_escaped(unwanted: str) -> None:
    assert not is_clean(f"a{unwanted}b")
    assert printable(f"a{unwanted}b").isprintable()
    assert printable(f"a{unwanted}b") != "ab"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Token {SECRET} is unknown", "Token … is unknown"),
        (f"{SECRET}", "…"),
        (SECRET.upper(), "…"),
        (f"<{SECRET[:9]}>, <{SECRET[5:]}>", "<…>, <…>"),
        (f"{SECRET}{SECRET}", "……"),
        (f"Short {SECRET[:7]}", f"Short {SECRET[:7]}"),
        ("Nothing here", "Nothing here"),
    ],
)
def test_parts_of_a_secret_are_hidden(text: str, expected: str) -> None:
    assert without(text, SECRET) == expected


def test_short_secrets_are_hidden_whole() -> None:
    assert without("a12b, 12", "12") == "a…b, …"
    assert without("anything", "") == "anything"
