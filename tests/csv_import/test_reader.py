"""Reading a CSV file: columns by their headings, faults with line and column."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from django_mailup.exceptions import BadFile
from django_mailup.mailup import MailUpClient
from django_mailup.sandbox import Sandbox
from django_mailup.services import import_csv

from .files import rejected, rows, uploads, write


def test_columns_are_found_by_their_headings(client: MailUpClient, tmp_path: Path, mailup_sandbox: Sandbox) -> None:
    path = write(
        tmp_path / "a.csv", "E-Mail;Name;FirstName;Città;Phone;prefix", "ada@example.com;Ada L;Ada;Torino;333;+39"
    )
    outcome = import_csv(path, client, list_id=1, mapping={"Città": "City"})

    assert (outcome.sent, outcome.rejected, len(outcome.import_ids)) == (1, 0, 1)
    found = client.recipients.find(email="ada@example.com")
    assert found is not None
    assert (found.name, found.fields[1], found.fields[4]) == ("Ada L", "Ada", "Torino")
    assert (found.mobile_prefix, found.mobile_number) == ("+39", "333")


def test_headings_and_cells_are_taken_in_many_spellings(client: MailUpClient, tmp_path: Path) -> None:
    """A spreadsheet program begins its files with a byte order mark."""
    path = tmp_path / "a.csv"
    lines = [
        "E-MAIL|mobile_prefix|Mobile_Number|CITY|Score",
        " ada@example.com | +39 | 333 | Torino | 7 ",
        "",
        "||334||",
    ]
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    outcome = import_csv(path, client, list_id=1, mapping={"Score": " 1 "})

    assert (outcome.sent, outcome.rejected) == (2, 0)
    found = client.recipients.find(email="ada@example.com")
    assert found is not None
    assert (found.mobile_prefix, found.mobile_number) == ("+39", "333")
    assert (found.fields[1], found.fields[4]) == ("7", "Torino")


def test_the_delimiter_may_be_told(client: MailUpClient, tmp_path: Path) -> None:
    """The heading line alone would be taken for one of another delimiter."""
    path = write(tmp_path / "a.csv", "email,of;a;person", "ada@example.com,x")

    assert import_csv(path, client, list_id=1, delimiter=",", mapping={"of;a;person": ""}).sent == 1


def test_an_empty_cell_keeps_what_mailup_knows(client: MailUpClient, tmp_path: Path, mailup_sandbox: Sandbox) -> None:
    import_csv(write(tmp_path / "a.csv", "email,name,city", "ada@example.com,Ada,"), client, list_id=1)

    (made,) = mailup_sandbox.state.users["m12345"].account.imports.values()
    assert made.recipients[0]["Fields"] == []


def test_progress_is_told_on_the_way(client: MailUpClient, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", *rows(2000))
    told: list[tuple[int, int]] = []
    import_csv(path, client, list_id=1, dry_run=True, progress=lambda *at: told.append(at))

    size = path.stat().st_size
    assert len(told) == 2000 // 500 + 1
    assert told == sorted(told)
    assert 0 < told[0][0] < size
    assert told[-1] == (size, size)


@pytest.mark.parametrize(
    ("heading", "mapping", "message"),
    [
        ("email,Mood", {}, "Column 'Mood' is no field.*birthday"),
        ("email,Mood", {"Moody": "City"}, "no column 'Moody'; there are: email, Mood"),
        ("name,city", {}, "None of the columns is an address"),
        ("email,", {}, "Column '' is no field"),
        ("email,99", {}, "Column '99' is no field"),
        ("", {}, "headings"),
    ],
)
def test_a_column_that_is_nothing_is_told(
    client: MailUpClient, tmp_path: Path, heading: str, mapping: dict[str, str], message: str
) -> None:
    with pytest.raises(BadFile, match=message):
        import_csv(write(tmp_path / "a.csv", heading, "x,y"), client, list_id=1, mapping=mapping)


def test_a_column_can_be_left_out(client: MailUpClient, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "email,Mood", "a@example.com,fine")

    assert import_csv(path, client, list_id=1, mapping={"Mood": ""}).sent == 1


def test_faults_name_line_and_column_and_go_to_a_file(client: MailUpClient, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", "email,name,city", "ok@example.com,Ok,X", "nonsense,N,X", ",Nobody,X", "short@example.com",
        f"long@example.com,L,{'x' * 201}",
    )  # fmt: skip
    outcome = import_csv(path, client, list_id=1)

    assert (outcome.sent, outcome.rejected) == (1, 4)
    reasons = [row[-1] for row in rejected(path)]
    assert reasons[0].startswith("line 3, column email: address must be an e-mail address")
    assert reasons[1] == "line 4 has no address"
    assert reasons[2] == "line 5 has 1 columns, not 3"
    assert reasons[3].startswith("line 6, column city")
    assert rejected(path)[0][:3] == ["nonsense", "N", "X"]


def test_a_cell_that_python_refuses_is_told_with_the_line(
    client: MailUpClient, tmp_path: Path, mailup_sandbox: Sandbox
) -> None:
    path = write(tmp_path / "a.csv", *rows(3), f"{'x' * (csv.field_size_limit() + 1)},long")

    with pytest.raises(BadFile, match=r"a\.csv, after line 5: field larger than field limit"):
        import_csv(path, client, list_id=1)
    assert uploads(mailup_sandbox) == []


def test_what_is_no_text_is_told(client: MailUpClient, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"email\nada@example.com\n\xff@example.com\n")
    with pytest.raises(BadFile, match="UTF-8"):
        import_csv(path, client, list_id=1)
    with pytest.raises(BadFile, match="can't be read"):
        import_csv(tmp_path / "none.csv", client, list_id=1)
    with pytest.raises(BadFile, match="a list or a group"):
        import_csv(path, client)
