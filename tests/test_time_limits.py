"""Every test has a time limit. A test that reaches it fails, and its stack is shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import TIME_FACTOR, TIME_LIMITS, pytest_collection_modifyitems

ROOT = Path(__file__).resolve().parent.parent


def limit(item: pytest.Item) -> float:
    own = item.get_closest_marker("timeout")
    return float(own.args[0] if own else item.config.getini("timeout"))


def test_every_test_has_a_limit_and_the_slow_ones_have_more(request: pytest.FixtureRequest) -> None:
    assert limit(request.node) == 60 * TIME_FACTOR
    for item in request.session.items:
        expected = [seconds for marker, seconds in TIME_LIMITS.items() if item.get_closest_marker(marker)]
        assert limit(item) == max(expected, default=60) * TIME_FACTOR, item.nodeid
        assert limit(item) < float(item.config.getini("faulthandler_timeout"))


@pytest.mark.parametrize("marker", TIME_LIMITS)
def test_a_slow_test_has_the_limit_of_its_marker(request: pytest.FixtureRequest, marker: str) -> None:
    item = pytest.Function.from_parent(request.node.parent, name="slow", callobj=limit)
    item.add_marker(marker)
    pytest_collection_modifyitems([item])

    assert limit(item) == TIME_LIMITS[marker] * TIME_FACTOR


def test_a_test_that_hangs_fails_with_its_stack(tmp_path: Path) -> None:
    said = run(tmp_path, "def test_it():\n    threading.Event().wait()  # for ever\n", "-o", "timeout=0.5")

    assert "Failed: Timeout (>0.5s) from pytest-timeout." in said
    assert ">       threading.Event().wait()  # for ever" in said
    assert "1 failed, 1 passed" in said


def test_one_that_hangs_after_its_limit_ends_the_process_with_all_stacks(tmp_path: Path) -> None:
    hangs = "def test_it():\n    try:\n        1 / 0\n    finally:\n        threading.Event().wait()\n"
    said = run(tmp_path, hangs, "-o", "timeout=0", "-o", "faulthandler_timeout=0.5")

    assert "Timeout (0:00:00.500000)!" in said
    assert "in test_it" in said
    assert "passed" not in said


def run(folder: Path, test: str, *options: str) -> str:
    """Return what pytest says of a test, and of another one after it, with this project's settings."""
    path = folder / "test_hangs.py"
    path.write_text(f"import threading\n\n\n{test}\n\ndef test_after_it():\n    pass\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider"]
    ended = subprocess.run([*command, *options, str(path)], cwd=ROOT, capture_output=True, text=True, check=False)
    return ended.stdout + ended.stderr
