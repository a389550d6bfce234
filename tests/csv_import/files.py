"""CSV files of recipients: writing them, and what MailUp and the file of refused lines got."""

from __future__ import annotations

import csv
from pathlib import Path

from django_mailup.sandbox import Sandbox


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows(count: int) -> list[str]:
    return ["email,name", *(f"p{number}@example.com,P {number}" for number in range(count))]


def uploads(sandbox: Sandbox) -> list[list[str]]:
    """Return the addresses in each chunk that MailUp has accepted."""
    imports = sandbox.state.users["m12345"].account.imports
    return [[recipient["Email"] for recipient in each.recipients] for each in imports.values()]


def rejected(path: Path) -> list[list[str]]:
    with Path(f"{path}.rejects.csv").open(newline="") as file:
        return list(csv.reader(file))[1:]
