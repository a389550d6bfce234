"""Translations: complete, up to date, compiled, and shown on a page."""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

import django_mailup

PACKAGE = Path(django_mailup.__file__).parent
FUNCTIONS = {"_", "gettext", "gettext_lazy", "ngettext"}


def marked() -> set[str]:
    """Return every string that is marked for translation, in code and in templates."""
    found: set[str] = set()
    for source in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
                texts = node.args[:1]  # the second of ngettext is the plural, which is translated with the first
                found |= {
                    each.value for each in texts if isinstance(each, ast.Constant) and isinstance(each.value, str)
                }
    for template in PACKAGE.rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        found |= set(re.findall(r'{% translate "([^"]+)" %}', text))
        blocks = re.findall(r"{% blocktranslate[^%]*%}(.*?){% endblocktranslate %}", text, re.DOTALL)
        found |= {re.sub(r"{{ (\w+) }}", r"%(\1)s", block) for block in blocks}
    return found


def catalogue(language: str) -> dict[Any, str]:
    with (PACKAGE / f"locale/{language}/LC_MESSAGES/django.mo").open("rb") as file:
        return gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined, no-any-return]


def source_of(language: str) -> dict[Any, str]:
    """Return what `django.po` says, in the form of `catalogue`. Texts that aren't translated are empty."""
    found: dict[Any, str] = {}
    key = ""
    text = (PACKAGE / f"locale/{language}/LC_MESSAGES/django.po").read_text(encoding="utf-8")
    for keyword, number, quoted in re.findall(r'^(msg\w+)(?:\[(\d)\])?((?:\s+".*")+)$', text, re.MULTILINE):
        value = "".join(ast.literal_eval(line.strip()) for line in quoted.strip().splitlines())
        if keyword == "msgid":
            key = value
        elif keyword == "msgstr":
            found[(key, int(number)) if number else key] = value
    return found


def without_numbers(keys: Any) -> set[str]:
    """Return the texts in the code that keys of a catalogue stand for."""
    return {key[0] if isinstance(key, tuple) else key for key in keys if key}


@pytest.mark.parametrize("language", ["en", "it"])
def test_the_sources_have_the_texts_of_the_code(language: str) -> None:
    assert len(marked()) > 100
    assert without_numbers(source_of(language)) == marked()


def test_every_text_has_an_italian_translation() -> None:
    assert [key for key, text in source_of("it").items() if not text] == []


@pytest.mark.parametrize("language", ["en", "it"])
def test_the_compiled_files_are_made_from_the_sources(language: str) -> None:
    assert catalogue(language) == {key: text for key, text in source_of(language).items() if text}


def test_placeholders_survive_translation() -> None:
    for key, value in catalogue("it").items():
        source = key[0] if isinstance(key, tuple) else key
        assert sorted(re.findall(r"%\(\w+\)s|%d", source)) == sorted(re.findall(r"%\(\w+\)s|%d", value))


@pytest.mark.django_db
def test_a_page_speaks_italian(client: Client, user: Any, settings: Any) -> None:
    settings.LANGUAGE_CODE = "it"
    client.force_login(user)

    assert "Collegamenti MailUp" in client.get("/mailup/").content.decode()
