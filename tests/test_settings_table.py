"""The table of settings: valid rows, and the table in README."""

from __future__ import annotations

import subprocess
import sys

import pytest

from django_mailup.mailup import Endpoints
from django_mailup.settings_table import ROWS, MailUpSettings, readme_table


@pytest.mark.parametrize("name", ROWS)
def test_a_row_accepts_its_own_default(name: str) -> None:
    row = ROWS[name]

    assert row.name == name
    assert row.accepts(row.default)
    assert getattr(MailUpSettings(dict), name) == row.convert(row.default)


def test_the_default_base_url_is_that_of_the_client() -> None:
    assert Endpoints().base_url == MailUpSettings(dict).BASE_URL


def test_values_are_read_at_every_access() -> None:
    mailup = {"RATE_LIMIT": 3}
    values = MailUpSettings(lambda: mailup)
    assert values.RATE_LIMIT == 3

    mailup["RATE_LIMIT"] = 4
    assert values.RATE_LIMIT == 4


def test_the_module_prints_the_table() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "django_mailup.settings_table"], check=True, capture_output=True, text=True
    ).stdout

    assert printed == readme_table()
    assert printed.count("\n") == 2 + len(ROWS)
