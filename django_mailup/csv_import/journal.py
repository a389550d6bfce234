"""Files beside a CSV file: the journal of what was sent, and the lines that can't be imported."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.core.files import locks

from ..exceptions import BadFile
from .reader import Line


class Journal:
    """Which chunks were begun and which MailUp took: one line of JSON each, on the disk before the next step.

    While it is open it is locked, so that no other process imports the same file. The lock ends with the process.
    """

    def __init__(self, path: Path, target: Mapping[str, Any]) -> None:
        self.path = path.with_name(path.name + ".journal")
        self.begun: set[int] = set()
        self.taken: dict[int, int] = {}
        self._about = json.loads(json.dumps({"file": _digest(path), **target}))

    def __enter__(self) -> Journal:
        self._file = self.path.open("a+", encoding="utf-8")
        if not locks.lock(self._file, locks.LOCK_EX | locks.LOCK_NB):
            self._file.close()
            raise BadFile("Another process is importing this file.")
        self._file.seek(0)
        lines = self._file.read().splitlines()
        if not lines:
            self._write(self._about)
        elif json.loads(lines[0]) != self._about:
            self._file.close()
            raise BadFile(
                f"{self.path} is the journal of another import: the file had another content, or went to another place."
                " Import it as before, or remove the journal to begin anew."
            )
        for line in lines[1:]:
            try:
                note = json.loads(line)
            except ValueError:
                continue  # the process died while it wrote; what it said before stands
            if note["state"] == "begun":
                self.begun.add(note["chunk"])
            elif note["state"] == "taken":
                self.taken[note["chunk"]] = note["import_id"]
            else:
                self.begun.discard(note["chunk"])
        if lines and not lines[-1].endswith("}"):
            self._file.write("\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def note(self, chunk: int, **about: Any) -> None:
        """Record the state of a chunk: `begun`, `not sent`, or `taken` with the id of MailUp's import."""
        self._write({"chunk": chunk, **about})
        if "import_id" in about:
            self.taken[chunk] = about["import_id"]

    def _write(self, note: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(note) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_BEGINS_A_FORMULA: Final = re.compile(r"^(?=[\t\r\n])|(?:^|(?<=[;|\t\r\n]))(?=[ \"']*[=+\-@＝＋－＠])")
"""Where a cell, or a part of it after a separator of another spreadsheet program, begins like a formula."""


class Rejects:
    """The lines that can't be imported, in a CSV file of their own with the reason. No line, no file.

    Only its owner may read the file. A spreadsheet program would run a cell that begins like a formula: an apostrophe
    is put before it. So it is inside a cell after what separates cells in other countries, such as a semicolon.
    """

    def __init__(self, path: Path, headings: list[str]) -> None:
        self._path = path.with_name(path.name + ".rejects.csv")
        self._headings = headings
        self._file: Any = None
        self._writer: Any = None

    def __enter__(self) -> Rejects:
        self._path.unlink(missing_ok=True)
        return self

    def write(self, line: Line) -> None:
        """Add a line."""
        if self._file is None:
            self._file = open(self._path, "x", encoding="utf-8", newline="", opener=_open_for_owner)  # noqa: SIM115
            self._writer = csv.writer(self._file)
            self._writer.writerow(map(_defused, [*self._headings, "reason"]))
        self._writer.writerow(map(_defused, [*line.cells, line.fault]))

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _defused(cell: str) -> str:
    return _BEGINS_A_FORMULA.sub("'", cell)


def _open_for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
