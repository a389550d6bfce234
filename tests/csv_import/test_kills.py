"""An import that is killed while MailUp handles a chunk."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django_mailup.exceptions import UnsureChunk
from django_mailup.models import Token
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_for_site, import_csv

from ..processes import ROOT, eventually, reach
from .files import rows, uploads, write

pytestmark = pytest.mark.slow
Connect = Callable[..., Token]


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
        """Hold up the next call after two chunks."""
        if len(uploads(mailup_sandbox)) == 2 and not reached.is_set():
            reached.set()
            go_on.wait(180)

    mailup_sandbox.hooks.before_call = hold
    given = json.dumps({"database": reach(), "mailup": settings.MAILUP, "file": str(path)})
    process = subprocess.Popen([sys.executable, "-c", IMPORTER, given], cwd=ROOT, stdout=subprocess.DEVNULL)
    reached.wait()
    process.send_signal(signal.SIGKILL)
    process.wait()
    go_on.set()  # MailUp accepts the third chunk, but its client has died
    eventually(lambda: len(uploads(mailup_sandbox)) == 3)

    client = client_for_site()
    with pytest.raises(UnsureChunk, match="chunk 3"):
        import_csv(path, client, list_id=1, chunk=10, confirm=False)
    outcome = import_csv(path, client, list_id=1, chunk=10, confirm=False, unsure="skip")
    assert (outcome.sent, outcome.skipped) == (15, 30)
    everybody = [address for chunk in uploads(mailup_sandbox) for address in chunk]
    assert sorted(everybody) == sorted(row.partition(",")[0] for row in rows(45)[1:]), "each once"
