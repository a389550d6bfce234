"""A rotation that goes round and round beside renewals, and is killed: no pair is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from django_mailup.models import Token
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_of, refresh, rotate_keys
from django_mailup.vault.keyring import newest

from ..processes import ROOT, reach
from ..threads import in_threads
from .conftest import UseKeys, new_key

pytestmark = pytest.mark.slow
CONNECTIONS, THREADS, ROUNDS, KILLS = 6, 3, 4, 3

ROTATOR = """
import json, sys
from itertools import cycle
from django.conf import settings
given = json.loads(sys.argv[1])
settings.DATABASES["default"].update(given["database"])
import django
django.setup()
from django_mailup.services import rotate_keys
for keys in cycle((given["keys"], given["keys"][::-1])):
    settings.MAILUP = {"ENCRYPTION_KEYS": keys}
    print(rotate_keys().encrypted, flush=True)
"""


@contextmanager
def rotating(keys: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Let another process rotate to and fro between the keys during the block, and kill it at the end."""
    given = json.dumps({"database": reach(), "keys": keys})
    process = subprocess.Popen(
        [sys.executable, "-c", ROTATOR, given], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        assert process.stdout.readline(), process.stderr.read()
        yield process
        assert process.poll() is None, process.stderr.read()
    finally:
        process.kill()
        process.communicate()


def test_no_pair_is_lost(
    transactional_db: None, mailup_connection: Callable[..., Token], mailup_sandbox: Sandbox, django_user_model: Any,
    use_keys: UseKeys, old_key: str,
) -> None:  # fmt: skip
    mailup_sandbox.configure(refresh_reuse="revokes")
    keys = [old_key, new_key()]
    use_keys(*keys)
    users = [django_user_model.objects.create(username=f"u{number}") for number in range(CONNECTIONS)]
    pks = [mailup_connection(user).pk for user in users]

    def renew_all() -> None:
        for pk in pks:
            refresh(Token.objects.get(pk=pk))

    for _ in range(KILLS):
        with rotating(keys):
            for _ in range(ROUNDS):
                assert in_threads(THREADS, renew_all) == [None] * THREADS
    assert mailup_sandbox.state.counters["reuses"] == 0

    use_keys(*reversed(keys))
    assert rotate_keys().left == 0
    use_keys(keys[1])
    for token in Token.objects.all():
        assert token.encryption_key_id == newest().id
        assert token.generation > KILLS * ROUNDS
        refresh(token)
        assert client_of(Token.objects.get(pk=token.pk)).account.info().uid == "4321"
