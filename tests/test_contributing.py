"""CONTRIBUTING's recipes: each is followed in a copy of the checkout, and then again without one of its files."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest

from . import servers
from .contributing import endpoint, grant, model, setting, text
from .contributing.checkout import ROOT, Change, Checkout, Steps

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES: dict[str, Steps] = {
    "Add an endpoint": endpoint.STEPS,
    "Add a grant": grant.STEPS,
    "Add a setting": setting.STEPS,
    "Change a model": model.STEPS,
    "Add or change a text that users see": text.STEPS,
}
RUN_TOO = {"Add a grant": ["tests/connections/test_authorization.py"]}
"""Tests beside those that complain, by recipe."""
ALL = [
    pytest.param(title, change, id=f"{title}: {change.file or 'code'}")
    for title, steps in RECIPES.items()
    for step in steps
    for change in step
]


def written_steps(title: str) -> list[str]:
    """Return the text of each numbered step of a recipe."""
    body = CONTRIBUTING.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return [" ".join(step.split()) for step in re.findall(r"^\d+\. (.*\n(?:   .*\n)*)", f"{body}\n", re.MULTILINE)]


def files_in(step: str) -> list[str]:
    """Return the files and folders that the text of a step names."""
    return [name for name in re.findall(r"`([\w./-]+)`", step) if "/" in name or name.endswith(".md")]


def commands_in(step: str) -> list[str]:
    return re.findall(r"`((?:[A-Z_]+=\S+ )*(?:python|msgfmt) [^`]+)`", step)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no Git checkout")
    if shutil.which("msgfmt") is None and not servers.REQUIRED:
        pytest.skip("there is no program msgfmt (Debian's package gettext)")
    return Checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture
def checkout(copied: Checkout) -> Iterator[Checkout]:
    """A copy of the checkout, in which nothing is changed yet."""
    yield copied
    copied.restore()


def follow(title: str, checkout: Checkout, *, without: Change | None = None) -> None:
    """Follow a recipe. Check that each change is of the file that the recipe names."""
    checkout.incomplete = without is not None
    for words, changes in zip(written_steps(title), RECIPES[title], strict=True):
        for change in changes:
            if change is without:
                continue
            before = checkout.contents()
            change.make(checkout, commands_in(words))
            after = checkout.contents()
            changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
            assert all(name.startswith(change.file) for name in changed), f"{change.file} is named, {changed} changed"
            assert len(changed) == 1 or without, f"{change.file} is as it was"


def test_each_recipe_is_followed() -> None:
    assert re.findall(r"^## ((?:Add|Change) .*)$", CONTRIBUTING, re.MULTILINE) == list(RECIPES)


@pytest.mark.parametrize("title", RECIPES)
def test_each_step_changes_the_files_that_it_names(title: str) -> None:
    named = [files_in(words) for words in written_steps(title)]

    assert named == [[change.file for change in step if change.file] for step in RECIPES[title]]
    assert [name for names in named for name in names if not (ROOT / name).exists()] == []


@pytest.mark.slow
@pytest.mark.parametrize("title", RECIPES)
def test_the_tests_are_green_after_a_recipe(title: str, checkout: Checkout) -> None:
    follow(title, checkout)
    tests = {change.complaint for step in RECIPES[title] for change in step if change.complaint}
    ended = checkout.test(*sorted(tests), *RUN_TOO.get(title, []))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "skipped" not in ended.stdout
    checkout.output("DJANGO_SETTINGS_MODULE=tests.settings python -m django check")
    checkout.output("ruff check . && ruff format --check .")


@pytest.mark.slow
@pytest.mark.parametrize(("title", "change"), [each for each in ALL if each.values[1].complaint])
def test_a_test_complains_about_what_is_left_out(title: str, change: Change, checkout: Checkout) -> None:
    follow(title, checkout, without=change)
    ended = checkout.test(change.complaint)
    complaints = set(re.findall(r"^(?:FAILED|ERROR) ([^\[\s]+)", ended.stdout, re.MULTILINE))
    cannot_start = "ImportError while loading conftest" in ended.stderr
    file, test = change.complaint.partition("::")[0], change.complaint.partition("[")[0]  # the file, if it has an error

    assert ended.returncode, ended.stdout
    assert cannot_start or (complaints and complaints <= {file, test}), ended.stdout + ended.stderr
