"""The settings of the mutation tester: the table `[tool.mutation]` of pyproject.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .operators import Mutant, mutants_of


@dataclass(frozen=True)
class Settings:
    """What is mutated, and how the tests are run. Paths are relative to `root`, the folder of pyproject.toml."""

    root: Path
    scope: list[str]
    """Files, and folders with all files in them."""
    bodies_only: list[str] = field(default_factory=list)
    """Those of them in which only functions are mutated."""
    pytest: list[str] = field(default_factory=list)
    """pytest's arguments that select the tests."""
    near: dict[str, list[str]] = field(default_factory=dict)
    """Files of tests that are the nearest to a file or a folder, beside the one that mirrors its path."""
    warm: list[str] = field(default_factory=list)
    """Modules of other projects, imported once and not for each mutant."""
    equivalents: str = ""
    """The document with the table of mutants that change nothing that a test could see."""

    @classmethod
    def read(cls, root: Path) -> Settings:
        """Return the settings of a project."""
        return cls(root, **tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutation"])

    def files(self) -> list[str]:
        """Return the files to mutate."""
        found = [self.root / each for each in self.scope]
        found = [each for one in found for each in (sorted(one.rglob("*.py")) if one.is_dir() else [one])]
        return [each.relative_to(self.root).as_posix() for each in found]

    def mutants(self, only: Sequence[str] = ("",)) -> list[Mutant]:
        """Return the mutants of those files and folders, or lines of files, as in `package/module.py:12`."""
        return [
            each
            for path in self.files()
            if any(path.startswith(name.split(":")[0]) for name in only)
            for each in mutants_of(self.root, path, bodies_only=path.startswith(tuple(self.bodies_only)))
            if any(path.startswith(name) or name == f"{path}:{each.line}" for name in only)
        ]

    def nearest(self, path: str) -> list[str]:
        """Return the files of tests that are nearest to a file."""
        parts = Path(path).parts[1:]
        mirror = Path("tests", *parts[:-1], f"test_{parts[-1]}").as_posix()
        also = [test for place, tests in self.near.items() if path.startswith(place) for test in tests]
        return [each for each in [mirror, *also] if (self.root / each).exists()]
