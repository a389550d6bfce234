"""A copy of the checkout to change, and what one step of a recipe changes in one file of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class Checkout:
    """A copy of the files in the repository.

    Attributes:
        incomplete: whether something is left out, so that commands of later steps may fail.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.incomplete = False
        list_files = ["git", "ls-files", "-z"]
        listed = subprocess.run(list_files, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in filter(None, listed.split("\0")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        self._original = self.contents()

    def restore(self) -> None:
        """Undo all changes."""
        self.incomplete = False
        present = self.contents()
        for name in present.keys() - self._original.keys():
            self.delete(name)
        for name, content in self._original.items():
            if present.get(name) != content:
                (self._folder / name).write_bytes(content)

    def contents(self) -> dict[str, bytes]:
        """Return the bytes of each file, by its name."""
        files = (path for path in self._folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {path.relative_to(self._folder).as_posix(): path.read_bytes() for path in files}

    def read(self, name: str) -> str:
        return (self._folder / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text, encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        self.write(name, self.read(name) + text)

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace a text that occurs once in a file."""
        text = self.read(name)
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        self.write(name, text.replace(old, new))

    def insert(self, name: str, new: str, *, before: str) -> None:
        """Put a text before another one, which occurs once in a file."""
        self.replace(name, before, new + before)

    def delete(self, name: str) -> None:
        (self._folder / name).unlink()

    def run(self, command: str, *, folder: str = ".") -> subprocess.CompletedProcess[str]:
        """Run a command line in a folder of the copy, with this environment's Python."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        # Lines of the copy are not to be measured by coverage, nor compiled again by each command.
        own = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        own |= {"PATH": path, "PYTHONPATH": str(self._folder), "PYTHONDONTWRITEBYTECODE": "", "PYTEST_ADDOPTS": ""}
        return subprocess.run(
            ["/bin/sh", "-c", command], cwd=self._folder / folder, env=own, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def output(self, command: str, *, folder: str = ".") -> str:
        """Run a command line of a recipe, and return what it prints. It must succeed if nothing is left out."""
        ended = self.run(command, folder=folder)
        assert ended.returncode == 0 or self.incomplete, ended.stdout + ended.stderr
        return ended.stdout

    def test(self, *names: str) -> subprocess.CompletedProcess[str]:
        """Run tests of the copy."""
        quoted = " ".join(f"'{name}'" for name in names)
        return self.run(f"python -m pytest -q -p no:cacheprovider -n 0 {quoted}")


@dataclass(frozen=True)
class Change:
    """What a step changes in one file.

    Attributes:
        file: the file, or the folder of it, as the recipe names it; empty if the recipe leaves it open.
        make: makes the change. It gets the checkout, and the commands in the step's text.
        complaint: the test that fails without the change; empty if none can.
    """

    file: str
    make: Callable[[Checkout, list[str]], None]
    complaint: str = ""


Steps = list[list[Change]]
"""The changes of each step of a recipe."""


def log(checkout: Checkout, commands: list[str]) -> None:
    """Add a line to CHANGELOG.md."""
    name = "CHANGELOG.md"
    checkout.write(name, checkout.read(name).replace("\n- ", "\n- A line.\n- ", 1))
