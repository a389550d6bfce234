"""`use_sandbox`: as a context manager, as a decorator, in all threads, without pytest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.test import SimpleTestCase, override_settings

from django_mailup import network
from django_mailup.exceptions import RateLimited
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_for, connect_with_password, register
from django_mailup.testing import use_sandbox

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
WITHOUT_PYTEST = 'import sys\n\nsys.modules["pytest"] = None\n'
A_SITES_CASE = """
from django_mailup.exceptions import BadRequest


def connected(sandbox):
    register(name="Sandbox", client_id=sandbox.client_id, client_secret=sandbox.client_secret)
    user = get_user_model().objects.create_user("ada")
    connect_with_password(username="m12345", password="sandbox", user=user)
    return user


@use_sandbox(attr_name="sandbox")
class ADecoratedCase(TestCase):
    def setUp(self):
        self.user = connected(self.sandbox)

    def test_an_outage(self):
        self.sandbox.fail_with("status", status=400, path="/API/")
        with self.assertRaises(BadRequest):
            next(client_for(self.user).lists.all())

    def test_the_next_test_has_a_new_sandbox(self):
        self.assertEqual(len(list(client_for(self.user).lists.all())), 3)
"""


def connect(user: Any) -> None:
    """Connect a user to the sandbox in use, in the name of a new registration."""
    register(name="Sandbox", client_id=Sandbox.client_id, client_secret=Sandbox.client_secret)
    connect_with_password(username="m12345", password="sandbox", user=user)


@pytest.mark.django_db
def test_a_block_talks_to_its_sandbox(user: Any) -> None:
    in_use = use_sandbox()
    with in_use as sandbox:
        connect(user)
        assert client_for(user).account.info().username == "m12345"
        assert sandbox.state.counters["exchanges"] == 1
    assert in_use.requests[0].url == "https://services.mailup.com/Authorization/OAuth/Token"
    assert network.replacement() is None


def test_it_reaches_every_thread() -> None:
    with use_sandbox() as sandbox, ThreadPoolExecutor(1) as pool:
        adapter = pool.submit(network.replacement).result()

        assert getattr(adapter, "sandbox", None) is sandbox


def test_of_two_blocks_the_inner_one_counts() -> None:
    outer, inner = Sandbox(), Sandbox()
    with use_sandbox(outer) as found:
        assert found is outer
        with use_sandbox(inner):
            assert getattr(network.replacement(), "sandbox", None) is inner
        assert getattr(network.replacement(), "sandbox", None) is outer


def test_the_network_comes_back_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), use_sandbox():
        raise ZeroDivisionError

    assert network.replacement() is None


def test_a_decorated_function_is_given_a_new_sandbox_at_each_call() -> None:
    @use_sandbox(kwarg_name="sandbox")
    def test(sandbox: Sandbox) -> Sandbox:
        assert getattr(network.replacement(), "sandbox", None) is sandbox
        return sandbox

    assert test() is not test()  # type: ignore[call-arg]
    assert network.replacement() is None


@use_sandbox(attr_name="sandbox")
class DecoratedCaseTests(SimpleTestCase):
    sandbox: Sandbox

    def test_it_has_the_sandbox(self) -> None:
        assert getattr(network.replacement(), "sandbox", None) is self.sandbox


@pytest.mark.django_db
def test_no_limit_of_calls_is_kept_unless_the_sandbox_has_one(user: Any) -> None:
    with override_settings(MAILUP={"RATE_LIMIT": 1, "RATE_PATIENCE": 0}), use_sandbox() as sandbox:
        connect(user)
        client = client_for(user)
        assert [client.account.info().username for _ in range(3)] == ["m12345"] * 3

        sandbox.configure(rate_limit=1, rate_window=60.0)
        client.account.info()
        with pytest.raises(RateLimited):
            client.account.info()


def test_it_is_imported_before_settings_are_configured_and_without_pytest() -> None:
    code = "import sys; sys.modules['pytest'] = None; from django_mailup.testing import use_sandbox"
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}

    subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, check=True)


def test_without_werkzeug_the_error_names_the_extra() -> None:
    code = "import sys; sys.modules['werkzeug'] = None; import django_mailup.testing"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)

    assert 'pip install "django-mailup-connect[sandbox]"' in done.stderr


def test_a_site_without_pytest_uses_it_in_its_test_cases(tmp_path: Path) -> None:
    (readmes_case,) = [
        block for block in re.findall(r"```python\n(.+?)```", README, re.DOTALL) if "use_sandbox" in block
    ]
    (tmp_path / "tests_of_a_site.py").write_text(WITHOUT_PYTEST + readmes_case + A_SITES_CASE)
    env = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": "sqlite://:memory:",
    }
    command = [sys.executable, "-m", "django", "test", "tests_of_a_site"]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)

    assert "Ran 3 tests" in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr
