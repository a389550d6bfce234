"""Translations: the Italian one is complete and up to date, and is shown on a page."""

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
                found |= {
                    each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)
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


def test_italian_is_complete_and_current() -> None:
    italian = {key[0] if isinstance(key, tuple) else key for key, value in catalogue("it").items() if key and value}
    plurals = {
        "%d connections renewed.",
        "%d connections work.",
        "%d accounts disconnected.",
        "Forgotten for %d registrations.",
    }

    assert len(italian) > 100
    assert marked() - italian == plurals
    assert italian - marked() == set()


def test_placeholders_survive_translation() -> None:
    for key, value in catalogue("it").items():
        source = key[0] if isinstance(key, tuple) else key
        assert sorted(re.findall(r"%\(\w+\)s|%d", source)) == sorted(re.findall(r"%\(\w+\)s|%d", value))


@pytest.mark.django_db
def test_a_page_speaks_italian(client: Client, user: Any, settings: Any) -> None:
    settings.LANGUAGE_CODE = "it"
    client.force_login(user)

    assert "Collegamenti MailUp" in client.get("/mailup/").content.decode()
