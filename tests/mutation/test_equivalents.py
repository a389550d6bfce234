"""The table of equivalent mutants in docs/testing.md."""

from __future__ import annotations

from pathlib import Path

from tests.mutation.results import equivalents, name_of
from tests.mutation.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def test_each_row_names_a_mutant_that_exists() -> None:
    settings = Settings.read(ROOT)
    rows = equivalents(ROOT / settings.equivalents)
    exist = {name_of(each) for each in settings.mutants([path for path, *_ in rows])}
    assert rows <= exist, rows - exist


def test_a_row_is_read(tmp_path: Path) -> None:
    table = r"""
| file | function | as it is | as mutated | why |
| --- | --- | --- | --- | --- |
| `shop/a.py` | `B.c` | `return d \| e` | `return d & e` | they are the same |
| `shop/a.py` |  | `@f` |  | `f` does nothing |
"""
    (tmp_path / "table.md").write_text(table, encoding="utf-8")
    assert equivalents(tmp_path / "table.md") == {
        ("shop/a.py", "B.c", "return d | e", "return d & e"),
        ("shop/a.py", "", "@f", ""),
    }
