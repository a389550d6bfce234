"""Which tests run for a mutant, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.operators import Mutant, mutants_of
from tests.mutation.reach import Reach
from tests.mutation.settings import Settings

NEAR, FAR = "tests/shop/test_price.py::", "tests/test_pages.py::"
CODE = """A = 1


@b
def f(c):
    return not c


def g():
    return 2
"""
TIMES = {f"{NEAR}f": 1.0, f"{NEAR}both[1]": 1.0, f"{NEAR}both[2]": 2.0, f"{FAR}g": 3.0, f"{NEAR}other": 4.0}
LINES = {6: {f"{NEAR}f", f"{NEAR}both[1]", f"{NEAR}both[2]"}, 10: {f"{NEAR}both[1]", f"{FAR}g"}}
NO_MORE: dict[str, list[str]] = {}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("package/shop/price.py", "tests/shop/test_price.py", "tests/test_pages.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(CODE, encoding="utf-8")
    return tmp_path


def _tests(
    root: Path,
    after: str,
    budget: float = 100,
    *,
    lines: dict[int, set[str]] = LINES,
    near: dict[str, list[str]] = NO_MORE,
) -> list[list[str]]:
    def is_it(mutant: Mutant) -> bool:
        return mutant.after == after

    (mutant,) = filter(is_it, mutants_of(root, "package/shop/price.py"))
    reach = Reach(Settings(root, ["package"], near=near), TIMES, {"package/shop/price.py": lines}, [])
    return reach.tests_for(mutant, budget)


def test_those_that_reach_the_line_the_nearest_first(root: Path) -> None:
    assert _tests(root, "return 3") == [[f"{NEAR}both[1]"], [f"{FAR}g"]]


def test_other_files_can_be_near(root: Path) -> None:
    near = {"package/shop": ["tests/test_pages.py"]}
    assert _tests(root, "return 3", near=near) == [[f"{NEAR}both[1]", f"{FAR}g"]]


def test_a_decorator_is_reached_by_whom_the_function_is_and_by_all_of_the_nearest_file(root: Path) -> None:
    assert _tests(root, "") == [[f"{NEAR}both[1]", f"{NEAR}f", f"{NEAR}other", f"{NEAR}both[2]"]]


def test_a_constant_is_reached_by_whom_any_function_is(root: Path) -> None:
    near, far = _tests(root, "A = 2")
    assert (len(near), far) == (4, [f"{FAR}g"])


def test_so_is_a_decorator_of_what_no_test_runs(root: Path) -> None:
    near, far = _tests(root, "", lines={10: {f"{FAR}g"}})
    assert (len(near), far) == (4, [f"{FAR}g"])


def test_a_line_that_nothing_runs_is_reached_by_no_test(root: Path) -> None:
    assert _tests(root, "return 3", lines={6: {f"{NEAR}f"}}) == []


def test_a_function_that_runs_while_modules_are_imported_is_reached_as_a_constant_is(root: Path) -> None:
    near, far = _tests(root, "return 3", lines={**LINES, 10: {""}, 6: {f"{FAR}g"}})
    assert (len(near), far) == (4, [f"{FAR}g"])


@pytest.mark.parametrize(("budget", "count"), [(0.5, 1), (1, 1), (2, 2), (3.9, 2), (4, 3)])
def test_one_test_at_least_then_as_many_as_the_budget_allows(root: Path, budget: float, count: int) -> None:
    expected = [f"{NEAR}both[1]", f"{NEAR}f", f"{NEAR}both[2]"]
    assert _tests(root, "return c", budget) == [expected[:count]]
