"""The journal beside a CSV file: whose it is, its lock, and what a crash leaves in it."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import pytest

from django_mailup.csv_import import journal
from django_mailup.exceptions import BadFile, ImportStopped, UnsureChunk
from django_mailup.mailup import MailUpClient
from django_mailup.sandbox import Sandbox
from django_mailup.services import import_csv

from .files import rows, write


def test_another_file_or_place_is_not_mixed_up(client: MailUpClient, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", *rows(5))
    import_csv(path, client, list_id=1)
    for changed in ({"list_id": 2}, {"list_id": 1, "chunk": 7}, {"group_id": 9}):
        with pytest.raises(BadFile, match="journal of another import"):
            import_csv(path, client, **changed)
    write(path, *rows(6))
    with pytest.raises(BadFile, match="journal of another import"):
        import_csv(path, client, list_id=1)


def test_a_second_run_may_wait_longer(client: MailUpClient, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", *rows(5))
    import_csv(path, client, list_id=1, timeout=5, confirm=True)

    assert import_csv(path, client, list_id=1, timeout=50, patience=60, confirm=True).skipped == 5
    with pytest.raises(BadFile, match="journal of another import"):
        import_csv(path, client, list_id=1, timeout=5, confirm=False)


@pytest.mark.parametrize(
    ("wrong", "error", "name"),
    [
        ({"list_id": 1, "confrim": True}, TypeError, "confrim"),
        ({"list_id": 1, "leave_other_groups": True}, TypeError, "leave_other_groups"),
        ({"list_id": 1, "as_": "optin"}, ValueError, "as_"),
        ({"list_id": "1"}, ValueError, "list_id"),
        ({"group_id": 0}, ValueError, "group_id"),
        ({"list_id": 1, "unsure": "sned"}, ValueError, "unsure"),
        ({"list_id": 1, "chunk": 0}, ValueError, "chunk"),
    ],
)
def test_a_wrong_argument_leaves_nothing_behind_that_the_corrected_run_meets(
    client: MailUpClient, tmp_path: Path, wrong: dict[str, Any], error: type[Exception], name: str
) -> None:
    path = write(tmp_path / "a.csv", *rows(3))
    with pytest.raises(error, match=name):
        import_csv(path, client, **wrong)

    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]
    assert import_csv(path, client, list_id=1, confirm=True).sent == 3


def test_two_processes_do_not_import_the_same_file(client: MailUpClient, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", *rows(3))
    with journal.Journal(path, {}), pytest.raises(BadFile, match="Another process"):
        import_csv(path, client, list_id=1)


def test_half_a_line_of_the_journal_is_what_a_crash_leaves(client: MailUpClient, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", *rows(5))
    import_csv(path, client, list_id=1, chunk=2)
    journal = Path(f"{path}.journal")
    journal.write_text(journal.read_text()[:-10])  # the last chunk was begun, and its import id was half written

    with pytest.raises(UnsureChunk, match="chunk 3"):
        import_csv(path, client, list_id=1, chunk=2)
    assert import_csv(path, client, list_id=1, chunk=2, unsure="skip").skipped == 5


def test_what_is_recorded_after_half_a_line_is_read_again(
    client: MailUpClient, tmp_path: Path, mailup_sandbox: Sandbox
) -> None:
    """The first run dies while it records that it begins the second chunk; the second run gets no answer to it."""
    path = write(tmp_path / "a.csv", *rows(5))
    import_csv(path, client, list_id=1, chunk=2)
    journal = Path(f"{path}.journal")
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:4])[:-10])
    mailup_sandbox.fail_with("drop", path="/List/1/Recipients")
    with pytest.raises(ImportStopped):
        import_csv(path, client, list_id=1, chunk=2)

    with pytest.raises(UnsureChunk, match="chunk 2"):
        import_csv(path, client, list_id=1, chunk=2)
    assert import_csv(path, client, list_id=1, chunk=2, unsure="skip").skipped == 4


def test_rejected_lines_are_private_and_no_spreadsheet_runs_them(client: MailUpClient, tmp_path: Path) -> None:
    cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "plain", ""]
    path = write(tmp_path / "a.csv", "email,=name", *(f'nobody,"{cell}"' for cell in cells))
    rejects = Path(f"{path}.rejects.csv")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    rejects.symlink_to(elsewhere)
    before = os.umask(0)
    try:
        import_csv(path, client, list_id=1, mapping={"=name": "name"})
    finally:
        os.umask(before)

    with rejects.open(newline="") as file:
        headings, *lines = csv.reader(file)
    assert headings[1] == "'=name"
    assert [line[1] for line in lines] == [
        "'=1+1",
        "'+1",
        "'-1",
        "'@SUM(A1)",
        "'\t'=1",
        "'\r'=1",
        "'\n'=1",
        "plain",
        "",
    ]
    assert rejects.stat().st_mode & 0o777 == 0o600
    assert elsewhere.read_text() == "mine"


def test_the_lines_that_an_earlier_run_rejected_are_not_kept(client: MailUpClient, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "email", "nobody")
    import_csv(path, client, list_id=1, dry_run=True)
    import_csv(path, client, list_id=1, dry_run=True)
    with Path(f"{path}.rejects.csv").open(newline="") as file:
        assert [line[0] for line in csv.reader(file)] == ["email", "nobody"]

    import_csv(write(path, "email", "ada@example.com"), client, list_id=1)
    assert not Path(f"{path}.rejects.csv").exists()


@pytest.mark.parametrize("separator", [";", "\t", "|", "\n"])
@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", '"=1+1"', " =1+1", "＝1+1"])
def test_no_part_of_a_cell_becomes_a_formula_in_another_country(
    client: MailUpClient, tmp_path: Path, separator: str, formula: str
) -> None:
    """Where the comma is the decimal point, a spreadsheet program takes the semicolon for the end of a cell."""
    cell = f"Ada{separator}{formula}".replace('"', '""')
    path = write(tmp_path / "a.csv", "email,name", f'nobody,"{cell}"')
    import_csv(path, client, list_id=1)

    with Path(f"{path}.rejects.csv").open(newline="") as file:
        shown = [cell for line in csv.reader(file, delimiter=";" if separator == "\n" else separator) for cell in line]
    assert not [cell for cell in shown if cell.strip(" \"'\r\n")[:1] in "=+-@＝" and not cell.startswith("'")]
    assert any(formula.strip('"') in cell for cell in shown)


def test_other_text_is_left_as_it_is(client: MailUpClient, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "email,name", 'nobody,"Lovelace, Ada; a-b | 1+1=2,-3\r\n\r\nx"')
    import_csv(path, client, list_id=1)

    with Path(f"{path}.rejects.csv").open(newline="") as file:
        assert list(csv.reader(file))[1][1] == "Lovelace, Ada; a-b | 1+1=2,-3\r\n\r\nx"
