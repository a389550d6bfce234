"""The public names and the version agree, and README names everything."""

from __future__ import annotations

import importlib
import inspect
import re
from importlib.metadata import metadata, requires
from pathlib import Path

import pytest

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


def test_runtime_requirements_are_the_agreed_ones() -> None:
    runtime = {
        re.split(r"[\s>=<;\[]", line)[0] for line in requires("django-mailup-connect") or [] if "extra" not in line
    }

    assert runtime == {"django", "requests-oauthlib", "celery", "django-environ", "cryptography"}


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


def test_the_example_lists_every_environment_variable() -> None:
    listed = (ROOT / "example_project/.env.example").read_text(encoding="utf-8")
    settings = (ROOT / "example_project/config/settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings)) | {f"MAILUP_{key}" for key in ROWS}

    assert {name for name in read if name not in listed} == set()
