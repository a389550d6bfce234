"""Importing a CSV file: each chunk is sent once, also by a second run after a failure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django_mailup.exceptions import ImportStopped, UnsureChunk
from django_mailup.mailup import MailUpClient
from django_mailup.models import Token
from django_mailup.sandbox import Sandbox
from django_mailup.services import import_csv

from .files import rows, uploads, write

Connect = Callable[..., Token]


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
