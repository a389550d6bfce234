"""pytest in a process of its own: a fork of this one, which has imported everything but the project."""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

PASSED, FAILED, TIMED_OUT, NOTHING_RAN = "passed", "failed", "timed out", "nothing ran"

MEMORY = 8 * 2**30
"""Bytes of address space for a mutant."""


class InPlaceOf(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Imports one module from another source than its file."""

    def __init__(self, name: str, path: Path, source: bytes) -> None:
        super().__init__(name, str(path))
        self._source = source

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)


def module_name(path: str) -> str:
    """Return the name of the module in a file."""
    return ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__")


class Chosen:
    """A plugin of pytest: runs the chosen tests only, and writes down the first that fails.

    Named on the command line, a file could have other ids of tests: their parameters come in another order if a
    `conftest.py` is loaded before the collection. So other files are ignored instead.
    """

    def __init__(self, tests: Iterable[str], root: Path, note: Path) -> None:
        self._tests, self._note = frozenset(tests), note
        self._files = {root / test.split("::")[0] for test in self._tests}

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        return True if collection_path.is_file() and collection_path not in self._files else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        config.hook.pytest_deselected(items=[each for each in items if each.nodeid not in self._tests])
        items[:] = [each for each in items if each.nodeid in self._tests]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._write(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._write(report)

    def _write(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        if report.failed and not self._note.exists():
            self._note.write_text(report.nodeid, encoding="utf-8")


@dataclass
class Fork:
    """A process that runs pytest."""

    pid: int
    folder: Path
    """Its folder for temporary files, which is deleted with it. No other process has its name in the environment."""
    started: float
    limit: float
    """Seconds."""

    def ended(self) -> str | None:
        """Return how it ended, or None while it runs. When it has ended, so have its children."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid and time.monotonic() - self.started < self.limit:
            return None
        self._kill()
        if not pid:
            os.waitpid(self.pid, 0)
            return TIMED_OUT
        return {pytest.ExitCode.OK: PASSED, pytest.ExitCode.NO_TESTS_COLLECTED: NOTHING_RAN}.get(
            os.waitstatus_to_exitcode(status), FAILED
        )

    def note(self) -> str:
        """Return the test that failed, if one did."""
        note = self.folder / "note"
        return note.read_text(encoding="utf-8") if note.exists() else "no test could begin"

    def close(self) -> None:
        """Kill it, if it runs, and delete its files."""
        self._kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _kill(self) -> None:
        """Kill it, and processes that it started, also those in sessions of their own."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        mark = os.fsencode(f"TMPDIR={self.folder}\0")
        for each in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in each.read_bytes():
                    os.kill(int(each.parent.name), signal.SIGKILL)


def fork(arguments: list[str], plugins: Callable[[Path], list[Any]], limit: float, *, finder: Any = None) -> Fork:
    """Run pytest in a fork of this process.

    Args:
        arguments: of pytest.
        plugins: given the folder, makes pytest's plugins. Called in the fork.
        limit: seconds, after which it is killed.
        finder: what imports a mutant, in front of everything else that imports.
    """
    folder = Path(tempfile.mkdtemp(prefix="mutant-"))
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return Fork(pid, folder, time.monotonic(), limit)
    status: int = pytest.ExitCode.INTERNAL_ERROR
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored if this was started in the background
        output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        # An example that a mutant fails would be tried with the next one.
        hypothesis_settings.register_profile("mutation", database=None)
        hypothesis_settings.load_profile("mutation")
        if finder:
            sys.meta_path.insert(0, finder)
        # Without rewritten assertions, pytest has no finder of its own in front of ours.
        common = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--assert=plain"]
        status = pytest.main([*common, *arguments], plugins=plugins(folder))
    finally:
        sys.stdout.flush()
        os._exit(status)
