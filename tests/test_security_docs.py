"""docs/security.md: each test that it names exists, and the rows of its tables are whole."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from .attacks.routes import PARAMETER
from .attacks.routes import declared_routes as routes
from .canary.reports import drop_callback_url

ROOT = Path(__file__).resolve().parent.parent
KEY = "6f9619ff-8b86-4011-b42d-00c04fc964ff"
TEXT = (ROOT / "docs/security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"(\(pending: )?`(tests/[\w/]+\.py)::([\w:]+)`", TEXT)
LAST = {
    "3.4": 8, "10.1": 2, "10.2": 3, "11.1": 2, "11.2": 5, "11.3": 5, "11.4": 4, "11.5": 2, "11.7": 2, "13.1": 4,
    "13.2": 6, "13.3": 4, "13.4": 7, "14.2": 8, "15.4": 4, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 4,
}  # fmt: skip
"""The last row of each section of ASVS 5.0.0; of 11.1 the last one of level 2."""


def names_in(path: str) -> set[str]:
    """Return the names of the tests in a file; those of a class after its name and "::"."""
    file = ROOT / path
    if not file.exists():
        return set()
    names = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
    return names


def test_every_test_that_is_named_exists() -> None:
    missing = [f"{path}::{name}" for pending, path, name in NAMED if not pending and name not in names_in(path)]

    assert len(NAMED) > 80
    assert missing == []


def test_no_test_that_exists_is_called_pending() -> None:
    there = [f"{path}::{name}" for pending, path, name in NAMED if pending and name in names_in(path)]

    assert there == [], "take away “(pending: …)” around these"


def test_every_row_of_the_standard_is_there_once() -> None:
    found = [
        row
        for line in TEXT.splitlines()
        if re.match(r"\| \d+\.\d+\.\d", line)
        for row in line.split("|")[1].split(", ")
    ]
    expected = [f"{section}.{number}" for section, last in LAST.items() for number in range(1, last + 1)]

    assert sorted(each.strip() for each in found) == sorted(expected)


def test_every_table_is_whole_and_names_a_test_or_whose_it_is() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", TEXT, re.MULTILINE):
        lines = [re.split(r" \| ", line.strip("| \n")) for line in table.splitlines()]
        heading = table.splitlines()[0]
        assert {line.count("|") for line in table.splitlines()} == {heading.count("|")}, heading
        if "| test |" in heading:
            for line in lines[2:]:
                assert re.search(r"tests/|^(\(pending: |the site's|not used|not met)", line[-1]), line


def test_the_code_for_crash_reporters_is_what_the_canary_uses() -> None:
    code = re.search(r"```python\nimport sentry_sdk\n(.*?)sentry_sdk\.init", TEXT, re.DOTALL)
    assert code is not None
    scope: dict[str, Any] = {}
    exec(code[1], scope)  # noqa: S102
    request = {"method": "GET", "query_string": "code=a", "headers": {}}
    for url, kept in (("https://a.example/mailup/callback/b/", {"method"}), ("https://a.example/", {*request, "url"})):
        for drop in (scope["drop_callback_url"], drop_callback_url):
            assert set(drop({"request": {**request, "url": url}}, {})["request"]) == kept


@pytest.mark.django_db
def test_our_pages_allow_no_other_origin(client: Client) -> None:
    for route in routes():
        response = client.get("/" + PARAMETER.sub("1", route), headers={"origin": "https://evil.example"})
        assert not [name for name in response.headers if name.lower().startswith("access-control-")], route


@pytest.mark.django_db
def test_our_pages_do_not_know_trace(client: Client, admin_user: object) -> None:
    client.force_login(admin_user)  # type: ignore[arg-type]
    for route in routes():
        if route.startswith("mailup/"):
            assert client.trace("/" + PARAMETER.sub(KEY, route)).status_code == 405, route
