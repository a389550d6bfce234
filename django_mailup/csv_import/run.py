"""Import the recipients of a CSV file, one chunk a call, so that a crash neither loses nor repeats a chunk.

A journal beside the file records each chunk before it is sent, and the import's id afterwards. If only the first record
is there, MailUp may have taken the chunk; it is never sent again without being asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Unpack, get_args

from ..exceptions import BadFile, ImportStopped, UnsureChunk
from ..mailup import MailUpClient, arguments
from ..mailup.flow import CallOptions
from ..mailup.resources.imports import GroupImportSwitches, check_switches
from ..mailup.resources.recipients import CHUNK
from .journal import Journal, Rejects
from .reader import Line, Reader

Unsure = Literal["stop", "skip", "send"]


class ImportOptions(GroupImportSwitches, total=False):
    """The options of `import_csv` that can be sent to a worker as JSON."""

    list_id: int
    group_id: int
    mapping: Mapping[str, str]
    delimiter: str
    chunk: int
    dry_run: bool
    unsure: Unsure


@dataclass
class ImportResult:
    """How many recipients of a file were sent, skipped (sent by an earlier run) and rejected.

    `import_ids` are the ids of MailUp's imports, of all runs; a dry run has none.
    """

    sent: int = 0
    skipped: int = 0
    rejected: int = 0
    import_ids: list[int] = field(default_factory=list)


def import_csv(
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
    **switches: Unpack[GroupImportSwitches],
) -> ImportResult:
    """Import a CSV file with a heading line, in UTF-8.

    Args:
        path: the file. Two files are written beside it: its journal (`.journal`) and the rejected lines
            (`.rejects.csv`).
        client: sends the recipients.
        list_id, group_id: the list or group to import into; give one of them.
        mapping: from a heading to `email`, `name`, `mobile_prefix`, `mobile_number`, the name or id of a personal
            field, or an empty string, which leaves the column out.
        delimiter: character between cells; detected by default.
        chunk: recipients per call.
        dry_run: read everything and write the rejected lines, but send nothing.
        unsure: what to do with a chunk that an earlier run may have sent: `stop`, `skip` or `send` it again.
        progress: is called with the bytes read so far and the size of the file.
        switches: as `recipients.import_many`; timeout, patience and headers may differ from the interrupted run's.

    Raises:
        BadFile: the file can't be read, has no address or an unknown column, or its journal is of another import.
        UnsureChunk: MailUp may have taken a chunk of an earlier run, and `unsure` is `stop`.
        ImportStopped: MailUp refused a chunk or did not answer. Call it again to go on.
        ValueError: `chunk` or the id is no positive number, or `unsure` or a switch has a wrong value.
        TypeError: there is no such switch.
    """
    if (list_id is None) == (group_id is None):
        raise BadFile("Give a list or a group, one of them.")
    # All arguments are checked before the journal holds them: it would refuse the corrected run as another import.
    arguments.positive("chunk", chunk)
    arguments.positive("list_id" if group_id is None else "group_id", list_id if group_id is None else group_id)
    if unsure not in get_args(Unsure):
        raise ValueError(f"unsure must be one of {', '.join(get_args(Unsure))}, not {unsure!r}.")
    check_switches(switches, in_group=group_id is not None)
    reader = Reader(path, client, mapping or {}, delimiter)
    how_to_import = {name: value for name, value in switches.items() if name not in CallOptions.__optional_keys__}
    target = {"list_id": list_id, "group_id": group_id, "chunk": chunk, "switches": how_to_import}
    result = ImportResult()
    with ExitStack() as stack:
        journal = None if dry_run else stack.enter_context(Journal(path, target))
        rejects = stack.enter_context(Rejects(path, reader.headings))
        good = _good(reader.lines(progress), rejects, result)
        for number, piece in enumerate(_chunks(good, chunk), start=1):
            if journal is None:
                result.sent += len(piece)
                continue
            if number in journal.taken:
                result.skipped += len(piece)
                continue
            if number in journal.begun and unsure != "send":
                lines = f"lines {piece[0].number} to {piece[-1].number}"
                if unsure == "skip":
                    result.skipped += len(piece)
                    continue
                raise UnsureChunk(
                    f"An earlier run was interrupted while it sent chunk {number} ({lines}): MailUp may have taken it."
                    " Look at the imports in MailUp's console, then skip it or send it again."
                )
            _send(client, journal, number, piece, result, list_id, group_id, switches)
        if journal is not None:
            result.import_ids = [journal.taken[number] for number in sorted(journal.taken)]
    return result


def _send(
    client: MailUpClient, journal: Journal, number: int, piece: list[Line], result: ImportResult, list_id: int | None,
    group_id: int | None, switches: GroupImportSwitches,
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
    result.sent += len(piece)


def _good(lines: Iterable[Line], rejects: Rejects, result: ImportResult) -> Iterator[Line]:
    for line in lines:
        if line.recipient is None:
            rejects.write(line)
            result.rejected += 1
        else:
            yield line


def _chunks(lines: Iterator[Line], size: int) -> Iterator[list[Line]]:
    while piece := list(itertools.islice(lines, size)):
        yield piece
