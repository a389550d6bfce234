"""Which tests run which lines, and how long they take: one run of all tests, under coverage."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage

from .operators import Mutant
from .processes import fork
from .settings import Settings

LIMIT = 3600
"""Seconds for the run of all tests."""

OUTSIDE = -1
"""Stands for no test: what a line has that runs while modules are imported, also in a function that they call."""


class Recorder:
    """A plugin of pytest: tells coverage which test runs, and writes lines, times and failed tests to `reach.json`."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings, self._folder = settings, folder
        self._times: dict[str, float] = {}
        self._failed: set[str] = set()
        os.environ["COVERAGE_CORE"] = "ctrace"  # the newer one knows no contexts
        self._coverage = Coverage(
            data_file=str(folder / "coverage"), include=[str(settings.root / each) for each in settings.files()],
            config_file=False, branch=False,
        )  # fmt: skip
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._coverage.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self._coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._times[report.nodeid] = self._times.get(report.nodeid, 0) + report.duration
        if report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self._coverage.stop()
        data = self._coverage.get_data()
        number = {"": OUTSIDE} | {test: index for index, test in enumerate(self._times)}
        lines = {
            Path(file).relative_to(self._settings.root).as_posix(): {
                line: [number[test] for test in tests if test in number]
                for line, tests in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        found = {"times": self._times, "failed": sorted(self._failed), "lines": lines}
        (self._folder / "reach.json").write_text(json.dumps(found), encoding="utf-8")


@dataclass(frozen=True)
class Reach:
    """What the run of all tests has shown."""

    settings: Settings
    times: dict[str, float]
    """Seconds of each test that passes."""
    lines: dict[str, dict[int, set[str]]]
    """For each file and line, the tests that run it; an empty text stands for OUTSIDE."""
    failed: list[str]

    @classmethod
    def of(cls, settings: Settings, store: Path) -> Reach:
        """Return what is stored in a folder, or if any file has changed since, run all tests and store it."""
        file = store / f"reach-{_fingerprint(settings)}.json"
        if not file.exists():
            for old in store.glob("reach-*.json"):
                old.unlink()
            file.write_bytes(_run(settings))
        found = json.loads(file.read_text(encoding="utf-8"))
        failed = set(found["failed"])
        tests = [*found["times"], ""]  # so that OUTSIDE is the last
        lines = {
            path: {int(line): {tests[each] for each in numbers} - failed for line, numbers in reached.items()}
            for path, reached in found["lines"].items()
        }
        times = {test: seconds for test, seconds in found["times"].items() if test not in failed}
        return cls(settings, times, lines, sorted(failed))

    def tests_for(self, mutant: Mutant, budget: float) -> list[list[str]]:
        """Return the tests that could notice a mutant, as runs to be done one after another: the nearest ones first.

        Each run has at least one test, and otherwise no more than `budget` seconds. What takes more is left out.
        """
        reached = self.lines.get(mutant.path, {})
        found = {test for line in range(mutant.first, mutant.last + 1) for test in reached.get(line, ())}
        is_imported = mutant.when_imported or "" in found
        found.discard("")
        if (is_imported and not found) or (mutant.when_imported and not mutant.function):
            found = set().union(*reached.values()) - {""}
        nearest = self.settings.nearest(mutant.path)
        if is_imported or mutant.path in self.settings.near:
            found |= {test for test in self.times if test.split("::")[0] in nearest}
        near = [test for test in found if test.split("::")[0] in nearest]
        runs = [self._quickest(near, budget), self._quickest(found.difference(near), budget)]
        return [each for each in runs if each]

    def _quickest(self, tests: Iterable[str], budget: float) -> list[str]:
        """Return as many tests as fit into so many seconds: one of each function, then the others."""
        by_time = sorted(tests, key=lambda test: (self.times[test], test))
        seen: set[str] = set()
        first = [test for test in by_time if not ((name := test.split("[")[0]) in seen or seen.add(name))]
        chosen: list[str] = []
        left = budget
        for test in dict.fromkeys([*first, *by_time]):
            left -= self.times[test]
            if left < 0 and chosen:
                break
            chosen.append(test)
        return chosen


def _run(settings: Settings) -> bytes:
    def plugins(folder: Path) -> list[Any]:
        return [Recorder(settings, folder)]

    running = fork(settings.pytest, plugins, LIMIT)
    try:
        while running.ended() is None:
            time.sleep(0.2)
        found = running.folder / "reach.json"
        if not found.exists():
            sys.exit((running.folder / "output").read_text(encoding="utf-8"))
        return found.read_bytes()
    finally:
        running.close()


def _fingerprint(settings: Settings) -> str:
    """Return a hash of all Python files that could change what tests run, of the settings and of the database."""
    digest = hashlib.sha256(f"{settings} {os.environ.get('DATABASE_URL')}".encode())
    folders = {Path(each).parts[0] for each in [*settings.scope, "tests"]}
    for file in sorted(each for folder in folders for each in (settings.root / folder).rglob("*.py")):
        if file.parent != Path(__file__).parent:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
