"""Importing recipients of a CSV file, a chunk a call, so that a crash in the middle neither loses nor repeats one.

Beside the file lies a journal: what is about to be sent is noted before, the import's id after. A chunk with the first
note alone may have been taken by MailUp; it is never sent again by itself. The command and the task call in here.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from django.core.files import locks

from ..exceptions import BadFile, ImportStopped, UnsureChunk
from ..mailup import MailUpClient, NewRecipient, arguments
from ..mailup.resources.recipients import CHUNK

OWN_COLUMNS: Final = {
    "email": "email", "e-mail": "email", "mail": "email", "name": "name", "mobileprefix": "mobile_prefix",
    "prefix": "mobile_prefix", "mobilenumber": "mobile_number", "mobile": "mobile_number", "phone": "mobile_number",
}  # fmt: skip
"""Headings that need no mapping, besides the names of personal fields."""

Unsure = Literal["stop", "skip", "send"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file: its number, from 1, its cells, and what they make, or why they make nothing."""

    number: int
    cells: list[str]
    recipient: NewRecipient | None
    fault: str = ""


@dataclass
class Outcome:
    """What became of a file. `import_ids` are MailUp's, of all runs; a dry run has none."""

    sent: int = 0
    skipped: int = 0
    rejected: int = 0
    import_ids: list[int] = field(default_factory=list)


def run(
    path: Path,
    client: MailUpClient,
    *,
    list_id: int | None = None,
    group_id: int | None = None,
    mapping: Mapping[str, str] | None = None,
    delimiter: str = "",
    chunk: int = CHUNK,
    dry_run: bool = False,
    unsure: Unsure = "stop",
    progress: Callable[[int, int], None] | None = None,
    **switches: Any,
) -> Outcome:
    """Import a CSV file with a heading line, in UTF-8.

    Args:
        path: the file. Beside it are written its journal (`.journal`) and the lines that were refused (`.rejects.csv`).
        list_id, group_id: where to; one of them.
        mapping: from a heading to `email`, `name`, `mobile_prefix`, `mobile_number`, the name or id of a personal
            field, or nothing, which leaves the column out.
        delimiter: between cells; found out unless given.
        chunk: recipients a call.
        dry_run: read everything, write the refused lines, send nothing.
        unsure: what to do with a chunk that an earlier run may have sent: `stop`, `skip` or `send` again.
        progress: is called with how many bytes are read, and how many there are.
        switches: as `imports.start`.

    Raises:
        BadFile: no such file, no address in it, an unknown column, or another file or target than the journal's.
        UnsureChunk: see `unsure`.
        ImportStopped: MailUp refused a chunk or didn't answer. Run it again to go on.
        ValueError: chunk is no positive number.
    """
    if (list_id is None) == (group_id is None):
        raise BadFile("Give a list or a group, one of them.")
    arguments.positive("chunk", chunk)
    reader = _Reader(path, client, mapping or {}, delimiter)
    target = {"list_id": list_id, "group_id": group_id, "chunk": chunk, "switches": switches}
    outcome = Outcome()
    with ExitStack() as stack:
        journal = None if dry_run else stack.enter_context(_Journal(path, target))
        rejects = stack.enter_context(_Rejects(path, reader.headings))
        good = _good(reader.lines(progress), rejects, outcome)
        for number, piece in enumerate(_chunks(good, chunk), start=1):
            if journal is None:
                outcome.sent += len(piece)
                continue
            if number in journal.taken:
                outcome.skipped += len(piece)
                continue
            if number in journal.begun and unsure != "send":
                lines = f"lines {piece[0].number} to {piece[-1].number}"
                if unsure == "skip":
                    outcome.skipped += len(piece)
                    continue
                raise UnsureChunk(
                    f"An earlier run was interrupted while it sent chunk {number} ({lines}): MailUp may have taken it."
                    " Look at the imports in MailUp's console, then skip it or send it again."
                )
            _send(client, journal, number, piece, outcome, list_id, group_id, switches)
        if journal is not None:
            outcome.import_ids = [journal.taken[number] for number in sorted(journal.taken)]
    return outcome


def _send(
    client: MailUpClient, journal: _Journal, number: int, piece: list[Line], outcome: Outcome, list_id: int | None,
    group_id: int | None, switches: Mapping[str, Any],
) -> None:  # fmt: skip
    journal.note(number, state="begun")
    recipients = [line.recipient for line in piece if line.recipient is not None]
    try:
        (job,) = client.recipients.import_many(
            recipients, list_id=list_id, group_id=group_id, chunk=len(recipients), **switches
        )
    except ImportStopped as error:
        if not error.may_have_arrived:
            journal.note(number, state="not sent")
        raise
    journal.note(number, state="taken", import_id=job.import_id)
    outcome.sent += len(piece)


def _good(lines: Iterable[Line], rejects: _Rejects, outcome: Outcome) -> Iterator[Line]:
    for line in lines:
        if line.recipient is None:
            rejects.write(line)
            outcome.rejected += 1
        else:
            yield line


def _chunks(lines: Iterator[Line], size: int) -> Iterator[list[Line]]:
    while piece := list(itertools.islice(lines, size)):
        yield piece


class _Reader:
    """Reads lines, and makes recipients of them."""

    def __init__(self, path: Path, client: MailUpClient, mapping: Mapping[str, str], delimiter: str) -> None:
        self._path = path
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                head = file.read(64 * 1024)
        except OSError as error:
            raise BadFile(f"{path} can't be read: {error.strerror}.") from None
        except UnicodeDecodeError as error:
            raise BadFile(f"{path} is not UTF-8 at byte {error.start}.") from None
        self._delimiter = delimiter or _delimiter(head)
        self.headings = next(csv.reader(head.splitlines(), delimiter=self._delimiter), [])
        if not self.headings:
            raise BadFile(f"{path} is empty; its first line must hold headings.")
        self._targets = self._resolve(client, mapping)

    def _resolve(self, client: MailUpClient, mapping: Mapping[str, str]) -> list[str | int]:
        """Return for each column what it is: an argument of NewRecipient, a field's id, or nothing."""
        for heading in mapping:
            if heading not in self.headings:
                raise BadFile(f"There is no column {heading!r}; there are: {', '.join(self.headings)}.")
        fields = {each.name.casefold(): each.id for each in client.fields.all()}
        targets: list[str | int] = []
        for heading in self.headings:
            wanted = mapping.get(heading, heading).strip()
            key = wanted.casefold()
            if key == "" and heading in mapping:
                targets.append("")
            elif key.replace("_", "") in OWN_COLUMNS:
                targets.append(OWN_COLUMNS[key.replace("_", "")])
            elif key.isdigit() and int(key) in fields.values():
                targets.append(int(key))
            elif key in fields:
                targets.append(fields[key])
            else:
                raise BadFile(
                    f"Column {heading!r} is no field of MailUp. Map it (or to nothing, to leave it out);"
                    f" the fields are: email, name, mobile_prefix, mobile_number, {', '.join(sorted(fields))}."
                )
        if not {"email", "mobile_number"} & set(targets):
            raise BadFile(f"None of the columns is an address: {', '.join(self.headings)}. Map one to email.")
        return targets

    def lines(self, progress: Callable[[int, int], None] | None) -> Iterator[Line]:
        """Yield every line below the headings. Raises BadFile where the file stops being text."""
        total = self._path.stat().st_size
        with self._path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=self._delimiter)
            next(reader)
            while True:
                try:
                    cells = next(reader)
                except StopIteration:
                    break
                except (UnicodeDecodeError, csv.Error) as error:
                    raise BadFile(f"{self._path}, after line {reader.line_num}: {error}.") from None
                if cells:
                    yield self._line(reader.line_num, cells)
                if progress is not None and reader.line_num % 500 == 0:
                    progress(min(os.lseek(file.fileno(), 0, os.SEEK_CUR), total), total)
        if progress is not None:
            progress(total, total)

    def _line(self, number: int, cells: list[str]) -> Line:
        if len(cells) != len(self.headings):
            return Line(number, cells, None, f"line {number} has {len(cells)} columns, not {len(self.headings)}")
        own: dict[str, str] = {}
        fields: dict[int, str] = {}
        for heading, target, cell in zip(self.headings, self._targets, cells, strict=True):
            try:
                if target == "email" and cell.strip():
                    own["email"] = arguments.email("address", cell)
                elif isinstance(target, int):
                    arguments.fields({target: cell})
                    if cell.strip():
                        fields[target] = cell.strip()
                elif target:
                    own[target] = cell.strip()
            except ValueError as error:
                return Line(number, cells, None, f"line {number}, column {heading}: {error}")
        if not own.get("email") and not own.get("mobile_number"):
            return Line(number, cells, None, f"line {number} has no address")
        return Line(number, cells, NewRecipient(**own, fields=fields))


def _delimiter(head: str) -> str:
    first = head.splitlines()[0] if head else ""
    return max(",;\t|", key=first.count)


class _Journal:
    """What was begun and what was taken, by chunk: a line of JSON each, on the disk before the next step.

    While it is open, it is locked: no other process imports the same file. The lock ends with the process.
    """

    def __init__(self, path: Path, target: Mapping[str, Any]) -> None:
        self.path = path.with_name(path.name + ".journal")
        self.begun: set[int] = set()
        self.taken: dict[int, int] = {}
        self._about = json.loads(json.dumps({"file": _digest(path), **target}))

    def __enter__(self) -> _Journal:
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
        """Write down what a chunk has come to."""
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


class _Rejects:
    """The lines that were refused, as a CSV file of their own with the reason; made when there is one."""

    def __init__(self, path: Path, headings: list[str]) -> None:
        self._path = path.with_name(path.name + ".rejects.csv")
        self._headings = headings
        self._file: Any = None
        self._writer: Any = None

    def __enter__(self) -> _Rejects:
        self._path.unlink(missing_ok=True)
        return self

    def write(self, line: Line) -> None:
        """Add a line."""
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow([*self._headings, "reason"])
        self._writer.writerow([*line.cells, line.fault])

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
