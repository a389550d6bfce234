"""`python -m benchmarks.targets` notices a missed target, and runs every command of README's figures."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.targets import TARGETS, missed

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("result", "targets", "expected"),
    [
        ({"failed": 0}, ["failed = 0"], []),
        ({"failed": 2}, ["failed = 0"], ["failed = 0: it is 2"]),
        ({"ratio": 1.1}, ["ratio <= 1.1"], []),
        ({"ratio": 1.11}, ["ratio <= 1.1"], ["ratio <= 1.1: it is 1.11"]),
        ({"speedup": 15.0}, ["speedup >= 15"], []),
        ({"speedup": 14.9}, ["speedup >= 15"], ["speedup >= 15: it is 14.9"]),
        ({"redis": {"share": 0.9, "calls": 1}}, ["redis.share >= 0.95", "redis.calls = 1"],
         ["redis.share >= 0.95: it is 0.9"]),
    ],
)  # fmt: skip
def test_a_target_that_is_missed_is_named_with_its_figure(
    result: dict[str, object], targets: list[str], expected: list[str]
) -> None:
    assert list(missed(result, targets)) == expected


def test_a_figure_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="share"):
        list(missed({"redis": {}}, ["redis.share >= 0.95"]))


def test_each_command_of_readmes_figures_has_a_target() -> None:
    figures = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Figures\n")[2].partition("\n## ")[0]
    commands = re.findall(r"python -m benchmarks\.(\w+)", figures)

    assert len(commands) >= 9
    assert set(commands) <= {command.split()[0] for command in TARGETS}


@pytest.mark.parametrize("module", sorted({command.split()[0] for command in TARGETS}))
def test_a_benchmark_takes_the_arguments_that_it_is_given(module: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    for command in TARGETS:
        if command.split()[0] == module:
            assert all(word in ended.stdout for word in command.split() if word.startswith("--"))
