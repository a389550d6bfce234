"""Importing a CSV file: columns, faults with line and column, going on after a crash without sending a chunk twice."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.core.management import call_command
from django.core.management.base import CommandError

from django_mailup import tasks
from django_mailup.csv_import import journal
from django_mailup.exceptions import BadFile, ImportStopped, UnsureChunk
from django_mailup.mailup import MailUpClient
from django_mailup.models import Token
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_for_site, import_csv

from ..processes import ROOT, eventually, reach

Connect = Callable[..., Token]


@pytest.fixture
def token(db: None, mailup_connection: Connect, mailup_sandbox: Sandbox) -> Token:
    mailup_sandbox.configure(import_seconds=0.0)
    return mailup_connection(None)


@pytest.fixture
def client(token: Token) -> MailUpClient:
    return client_for_site(patience=0)


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows(count: int) -> list[str]:
    return ["email,name", *(f"p{number}@example.com,P {number}" for number in range(count))]


def uploads(sandbox: Sandbox) -> list[list[str]]:
    """The addresses of each chunk that MailUp has taken."""
    imports = sandbox.state.users["m12345"].account.imports
    return [[recipient["Email"] for recipient in each.recipients] for each in imports.values()]


def rejected(path: Path) -> list[list[str]]:
    with Path(f"{path}.rejects.csv").open(newline="") as file:
        return list(csv.reader(file))[1:]


def test_columns_are_found_by_their_headings(client: MailUpClient, tmp_path: Path, mailup_sandbox: Sandbox) -> None:
    path = write(
        tmp_path / "a.csv", "E-Mail;Name;FirstName;Città;Phone;prefix", "ada@example.com;Ada L;Ada;Torino;333;+39"
    )
    outcome = import_csv(path, client, list_id=1, mapping={"Città": "City"})

    assert (outcome.sent, outcome.rejected, len(outcome.import_ids)) == (1, 0, 1)
    found = client.recipients.find(email="ada@example.com", list_id=1)
    assert found is not None
    assert (found.name, found.fields[1], found.fields[4]) == ("Ada L", "Ada", "Torino")
    assert (found.mobile_prefix, found.mobile_number) == ("+39", "333")


@pytest.mark.parametrize(
    ("heading", "mapping", "message"),
    [
        ("email,Mood", {}, "Column 'Mood' is no field.*birthday"),
        ("email,Mood", {"Moody": "City"}, "no column 'Moody'; there are: email, Mood"),
        ("name,city", {}, "None of the columns is an address"),
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


def test_what_is_no_text_is_told(client: MailUpClient, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"email\nada@example.com\n\xff@example.com\n")
    with pytest.raises(BadFile, match="UTF-8"):
        import_csv(path, client, list_id=1)
    with pytest.raises(BadFile, match="can't be read"):
        import_csv(tmp_path / "none.csv", client, list_id=1)
    with pytest.raises(BadFile, match="a list or a group"):
        import_csv(path, client)


def test_a_dry_run_sends_nothing_and_leaves_no_journal(
    client: MailUpClient, tmp_path: Path, mailup_sandbox: Sandbox
) -> None:
    path = write(tmp_path / "a.csv", *rows(25), "nonsense,x")
    seen: list[tuple[int, int]] = []
    outcome = import_csv(path, client, list_id=1, dry_run=True, progress=lambda *at: seen.append(at))

    assert (outcome.sent, outcome.rejected) == (25, 1)
    assert uploads(mailup_sandbox) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.csv", "a.csv.rejects.csv"]
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)


def test_a_second_run_sends_nothing_again(client: MailUpClient, tmp_path: Path, mailup_sandbox: Sandbox) -> None:
    path = write(tmp_path / "a.csv", *rows(25))
    first = import_csv(path, client, list_id=1, chunk=10)
    again = import_csv(path, client, list_id=1, chunk=10)

    assert (first.sent, again.sent, again.skipped) == (25, 0, 25)
    assert again.import_ids == first.import_ids
    assert [len(chunk) for chunk in uploads(mailup_sandbox)] == [10, 10, 5]


def test_what_was_surely_not_sent_is_sent_by_the_next_run(
    client: MailUpClient, tmp_path: Path, mailup_sandbox: Sandbox
) -> None:
    path = write(tmp_path / "a.csv", *rows(25))
    mailup_sandbox.fail_with("status", status=429, path="/List/1/Recipients", times=-1)
    with pytest.raises(ImportStopped):
        import_csv(path, client, list_id=1, chunk=10)
    mailup_sandbox.faults.clear()

    assert import_csv(path, client, list_id=1, chunk=10).sent == 25
    assert [address for chunk in uploads(mailup_sandbox) for address in chunk] == [
        row.partition(",")[0] for row in rows(25)[1:]
    ]


@pytest.mark.parametrize(("unsure", "sent"), [("skip", 15), ("send", 25)])
def test_a_chunk_that_may_have_been_taken_is_a_persons_to_decide(
    client: MailUpClient, tmp_path: Path, mailup_sandbox: Sandbox, unsure: Any, sent: int
) -> None:
    path = write(tmp_path / "a.csv", *rows(25))
    mailup_sandbox.fail_with("drop", path="/List/1/Recipients")
    with pytest.raises(ImportStopped, match="may have been taken"):
        import_csv(path, client, list_id=1, chunk=10)
    with pytest.raises(UnsureChunk, match=r"chunk 1 \(lines 2 to 11\)"):
        import_csv(path, client, list_id=1, chunk=10)
    assert uploads(mailup_sandbox) == []

    assert import_csv(path, client, list_id=1, chunk=10, unsure=unsure).sent == sent


def test_another_file_or_place_is_not_mixed_up(client: MailUpClient, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", *rows(5))
    import_csv(path, client, list_id=1)
    for changed in ({"list_id": 2}, {"list_id": 1, "chunk": 7}, {"group_id": 9}):
        with pytest.raises(BadFile, match="journal of another import"):
            import_csv(path, client, **changed)
    write(path, *rows(6))
    with pytest.raises(BadFile, match="journal of another import"):
        import_csv(path, client, list_id=1)


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


IMPORTER = """
import json, sys
from django.conf import settings
given = json.loads(sys.argv[1])
settings.DATABASES["default"].update(given["database"])
settings.MAILUP = given["mailup"]
import django
django.setup()
from django.core.management import call_command
call_command("mailup_import", given["file"], list_id=1, chunk=10)
"""


def test_killed_while_mailup_takes_a_chunk(
    transactional_db: None, mailup_connection: Connect, mailup_server: str, mailup_sandbox: Sandbox, settings: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    mailup_sandbox.configure(import_seconds=0.0)
    mailup_connection(None)
    path = write(tmp_path / "a.csv", *rows(45))
    reached, go_on = threading.Event(), threading.Event()

    def hold(call: object) -> None:
        """Hold the next call up once two chunks are in."""
        if len(uploads(mailup_sandbox)) == 2 and not reached.is_set():
            reached.set()
            go_on.wait(20)

    mailup_sandbox.hooks.before_call = hold
    given = json.dumps({"database": reach(), "mailup": settings.MAILUP, "file": str(path)})
    process = subprocess.Popen([sys.executable, "-c", IMPORTER, given], cwd=ROOT, stdout=subprocess.DEVNULL)
    assert reached.wait(30)
    process.send_signal(signal.SIGKILL)
    process.wait()
    go_on.set()  # MailUp takes the third chunk, and nobody hears of it
    eventually(lambda: len(uploads(mailup_sandbox)) == 3)

    client = client_for_site()
    with pytest.raises(UnsureChunk, match="chunk 3"):
        import_csv(path, client, list_id=1, chunk=10, confirm=False)
    outcome = import_csv(path, client, list_id=1, chunk=10, confirm=False, unsure="skip")
    assert (outcome.sent, outcome.skipped) == (15, 30)
    everybody = [address for chunk in uploads(mailup_sandbox) for address in chunk]
    assert sorted(everybody) == sorted(row.partition(",")[0] for row in rows(45)[1:]), "each once"


# -------------------------------------------------------------------------------- command and task


def run(*arguments: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command("mailup_import", *arguments, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_the_command(token: Token, tmp_path: Path, user: Any, mailup_connection: Connect) -> None:
    path = write(tmp_path / "a.csv", "Mail,Vorname,X", "ada@example.com,Ada,1", "nonsense,N,1")
    mapping = {"map": ["Vorname=FirstName", "X="]}

    assert "1 recipients would be sent, 0 were sent before, 1 rejected" in run(path, list_id=1, dry_run=True, **mapping)
    said = run(path, list_id=1, wait=5, **mapping)
    assert "1 recipients were sent" in said
    assert "a.csv.rejects.csv" in said
    assert "1 created, 0 updated, 0 not valid" in said
    mailup_connection(user, username="m67890")
    other = write(tmp_path / "b.csv", *rows(2))
    assert "2 recipients were sent" in run(other, list_id=1, user="ada")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"user": "nobody"}, "no user"), ({"map": ["Mood"]}, "COLUMN=FIELD"), ({"chunk": 0}, "positive")],
)
def test_the_command_says_what_is_wrong(token: Token, tmp_path: Path, options: Any, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(write(tmp_path / "a.csv", *rows(2)), list_id=1, **options)


@pytest.fixture
def eager() -> Iterator[Any]:
    app = Celery("tests", set_as_current=True)
    app.conf.task_always_eager = True
    yield app
    app.close()


def test_the_task_comes_back_until_everything_is_sent(
    eager: Any, token: Token, tmp_path: Path, mailup_sandbox: Sandbox
) -> None:
    mailup_sandbox.fail_with("status", status=429, path="/List/1/Recipients", times=2)
    path = write(tmp_path / "a.csv", *rows(25))
    result = tasks.import_csv.delay(str(path), token.pk, list_id=1, chunk=10)

    assert result.get()["sent"] == 25
    assert [len(chunk) for chunk in uploads(mailup_sandbox)] == [10, 10, 5]


def test_the_task_leaves_what_is_unsure_to_a_person(
    eager: Any, token: Token, tmp_path: Path, mailup_sandbox: Sandbox
) -> None:
    mailup_sandbox.fail_with("drop", path="/List/1/Recipients")
    result = tasks.import_csv.delay(str(write(tmp_path / "a.csv", *rows(5))), token.pk, list_id=1)

    with pytest.raises(ImportStopped):
        result.get()
    assert uploads(mailup_sandbox) == []
