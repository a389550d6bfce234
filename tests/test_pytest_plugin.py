"""The pytest plugin, in a separate pytest session, as a site's tests use it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django_mailup.models import Token
from django_mailup.services import client_for

A_SITES_TEST = """
def test_a_user_is_connected(client, django_user_model, mailup_connection, mailup_sandbox, mailup_requests):
    from django_mailup.services import client_for

    user = django_user_model.objects.create_user("ada")
    mailup_connection(user)
    mailup_sandbox.state.expire_access()
    assert [each.name for each in client_for(user).lists.all()] == ["Newsletter", "Recipes", "Press"]
    assert mailup_requests[0].method == "POST"
"""


@pytest.mark.slow
def test_the_plugin_is_registered_and_its_fixtures_work_for_a_site(tmp_path: Path) -> None:
    (tmp_path / "test_site.py").write_text(A_SITES_TEST)
    root = Path(__file__).resolve().parent.parent
    env = {**os.environ, "PYTHONPATH": str(root), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    env.pop("PYTEST_ADDOPTS", None)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    result = subprocess.run(
        [*command, "--create-db"], env=env | {"DATABASE_URL": "sqlite:///:memory:"}, capture_output=True, text=True
    )

    assert "1 passed" in result.stdout, result.stdout + result.stderr


@pytest.mark.django_db
def test_the_same_sandbox_on_a_socket(mailup_connection: Callable[..., Token], mailup_server: str, user: Any) -> None:
    mailup_connection(user)

    assert client_for(user).account.info().username == "m12345"
