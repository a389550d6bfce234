"""What came of each mutant: kept in a file of JSON lines, and reported."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .operators import Mutant
from .processes import TIMED_OUT

KILLED, SURVIVED = "killed", "survived"


@dataclass(frozen=True)
class Result:
    """What came of a mutant."""

    key: str
    outcome: str
    reason: str
    """The test that failed, or why there was none."""
    seconds: float


class Store:
    """The results so far. A newer result of a mutant takes the place of an older one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.results: dict[str, Result] = {}
        if not file.exists():
            return
        for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
            if not line.endswith("\n"):  # a run was killed while it wrote
                file.write_text(file.read_text(encoding="utf-8").removesuffix(line), encoding="utf-8")
                continue
            found = json.loads(line)
            self.results[found["key"]] = Result(**{name: found[name] for name in Result.__annotations__})

    def add(self, mutant: Mutant, result: Result) -> None:
        """Store a result at once, with what a person wants to know of the mutant."""
        self.results[result.key] = result
        known = {name: getattr(mutant, name) for name in ("path", "line", "operator", "before", "after")}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**vars(result), "mutant": known}) + "\n")


def equivalents(document: Path) -> set[tuple[str, str, str, str]]:
    """Return the rows of the table of equivalent mutants: file, function, the lines as they are, and as mutated."""
    found = set()
    for line in document.read_text(encoding="utf-8").splitlines():
        cells = [each.strip() for each in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 5 and cells[0].endswith(".py`"):
            path, function, before, after = (each.strip("`").strip().replace("\\|", "|") for each in cells[:4])
            found.add((path, function, before, after))
    return found


def name_of(mutant: Mutant) -> tuple[str, str, str, str]:
    """Return what names a mutant in the table of equivalent ones."""
    return mutant.path, mutant.function, mutant.before, mutant.after


def report(mutants: Iterable[Mutant], results: dict[str, Result], equivalent: int) -> tuple[str, float]:
    """Return the survivors and the figures as text, and the percentage of the mutants that were noticed."""
    files: dict[str, Counter[str]] = {}
    survivors = []
    for mutant in mutants:
        if result := results.get(mutant.key):
            files.setdefault(mutant.path, Counter())[result.outcome] += 1
            if result.outcome == SURVIVED:
                why = f"{mutant.operator}; {result.reason}" if result.reason else mutant.operator
                survivors += [
                    f"{mutant.path}:{mutant.line} {mutant.function} ({why})",
                    f"  - {mutant.before}",
                    f"  + {mutant.after or '(nothing)'}",
                ]
    total = sum(files.values(), Counter[str]())
    rows = [_row(path, counts) for path, counts in sorted(files.items())]
    header = f"{'noticed':>8} {KILLED:>8} {TIMED_OUT:>10} {SURVIVED:>9}"
    text = "\n".join([*survivors, "", header, *rows, _row(f"all, without {equivalent} equivalent", total)])
    return text, _percentage(total)


def _row(name: str, counts: Counter[str]) -> str:
    figures = f"{counts[KILLED]:>8} {counts[TIMED_OUT]:>10} {counts[SURVIVED]:>9}"
    return f"{_percentage(counts):>7.1f}% {figures}  {name}"


def _percentage(counts: Counter[str]) -> float:
    return 100 * (counts[KILLED] + counts[TIMED_OUT]) / (counts.total() or 1)
