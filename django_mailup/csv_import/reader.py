"""Read a CSV file: each line becomes a recipient, or says why it can't."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..exceptions import BadFile
from ..mailup import MailUpClient, NewRecipient, arguments

OWN_COLUMNS: Final = {
    "email": "email", "e-mail": "email", "mail": "email", "name": "name", "mobileprefix": "mobile_prefix",
    "prefix": "mobile_prefix", "mobilenumber": "mobile_number", "mobile": "mobile_number", "phone": "mobile_number",
}  # fmt: skip
"""Headings that need no mapping, besides the names of personal fields, and the argument of NewRecipient they are."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file: its number, from 1, its cells, and its recipient, or the fault that makes it none."""

    number: int
    cells: list[str]
    recipient: NewRecipient | None
    fault: str = ""


class Reader:
    """Reads a file's lines as recipients.

    Raises:
        BadFile: the file can't be read, or its columns can't be mapped.
    """

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
        """Return for each column an argument of NewRecipient, the id of a personal field, or an empty string."""
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
        """Yield every line below the headings. Raise BadFile if one of them is not UTF-8 text."""
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
