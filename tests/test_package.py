"""The public names and the version agree, and README names everything."""

from __future__ import annotations

import ast
import configparser
import importlib
import inspect
import re
import sys
import tomllib
from importlib.metadata import metadata, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import django_mailup
from django_mailup import checks, exceptions, setting_kinds, signals
from django_mailup.exceptions import MailUpError
from django_mailup.settings_table import ROWS, readme_table

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(path.stem for path in (ROOT / "django_mailup/management/commands").glob("mailup_*.py"))
SIGNALS = sorted(name for name, value in vars(signals).items() if isinstance(value, signals.Signal))
CHECK_IDS = sorted(set(re.findall(r'"([EW]\d{3})"', inspect.getsource(checks) + inspect.getsource(setting_kinds))))


def test_version_changelog_and_metadata_agree() -> None:
    heading = re.search(r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert heading is not None
    assert django_mailup.__version__ == heading[1] == metadata("django-mailup-connect")["Version"]
    with pytest.raises(AttributeError):
        django_mailup.nothing  # noqa: B018


def test_metadata_says_who_made_it_and_where_to_read_on() -> None:
    told = metadata("django-mailup-connect")

    assert told["Author"]
    assert "@" in told["Author-email"]
    assert told["License-Expression"] == "MIT"
    assert told["Keywords"]
    assert all(", https://" in link for link in told.get_all("Project-URL") or [""])


def test_pre_commit_runs_what_tox_runs() -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")

    assert re.findall(r"entry: (.+)", hooks) == tox["testenv:lint"]["commands"].split("\n")[1:]


def test_editors_wrap_where_ruff_does() -> None:
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]

    assert f"\nmax_line_length = {ruff['line-length']}\n" in (ROOT / ".editorconfig").read_text(encoding="utf-8")


def requirements(*, extra: str | None = None) -> dict[str, Requirement]:
    """Return what the package requires, by name: at run time, or additionally for an extra."""
    listed = [Requirement(line) for line in requires("django-mailup-connect") or []]
    wanted = [each for each in listed if (f'extra == "{extra}"' if extra else "") == str(each.marker or "")]
    return {each.name: each for each in wanted}


def test_runtime_requirements_are_the_agreed_ones() -> None:
    assert set(requirements()) == {
        "asgiref",
        "celery",
        "cryptography",
        "django",
        "django-environ",
        "oauthlib",
        "requests",
        "requests-oauthlib",
        "urllib3",
    }


@pytest.mark.slow
def test_every_import_is_of_a_declared_requirement() -> None:
    declared = {*requirements(), *requirements(extra="sandbox"), "pytest"}  # pytest itself imports the plugin
    homes = packages_distributions()
    for path in (ROOT / "django_mailup").rglob("*.py"):
        imported = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(str(node.module).partition(".")[0])
        others = imported - sys.stdlib_module_names - {"django_mailup", "_typeshed"}  # type checkers have the latter
        assert {home.lower() for name in others for home in homes[name]} <= declared, path


@pytest.mark.parametrize("extra", [None, "sandbox", "postgres", "mariadb", "redis"])
def test_every_requirement_has_a_lowest_version(extra: str | None) -> None:
    for each in requirements(extra=extra).values():
        assert [one.operator for one in each.specifier] == [">="], each


def test_the_releases_of_werkzeug_that_break_the_sandbox_are_not_allowed() -> None:
    werkzeug = requirements(extra="sandbox")["werkzeug"].specifier

    assert [each for each in ("3.1.0", "3.1.1", "3.1.2") if each in werkzeug] == ["3.1.2"]


@pytest.mark.parametrize("name", ["mailup", "sandbox", "services"])
def test_public_names_exist_and_are_sorted(name: str) -> None:
    module = importlib.import_module(f"django_mailup.{name}")

    assert list(module.__all__) == sorted(module.__all__)
    assert all(hasattr(module, each) for each in module.__all__)


@pytest.mark.parametrize("name", ROWS)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in README
    assert inspect.getdoc(ROWS[name])


def test_the_table_of_settings_is_the_generated_one() -> None:
    assert readme_table() in README, "put there what `python -m django_mailup.settings_table` prints"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("name", SIGNALS)
def test_every_signal_is_documented(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("name", CHECK_IDS)
def test_every_check_is_documented_and_has_one_meaning(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize(
    "name",
    sorted(name for name, each in vars(exceptions).items() if inspect.isclass(each) and issubclass(each, MailUpError)),
)
def test_every_exception_is_documented(name: str) -> None:
    assert f"`{name}`" in README


def test_the_example_lists_the_environment_variables_that_are_read() -> None:
    listed = (ROOT / "example_project/.env.example").read_text(encoding="utf-8")
    settings = (ROOT / "example_project/config/settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings)) | {f"MAILUP_{key}" for key in ROWS}
    by_the_command = {"MAILUP_CLIENT_ID", "MAILUP_CLIENT_SECRET"}

    assert set(re.findall(r"^#?([A-Z_]+)=", listed, re.MULTILINE)) == read | by_the_command
