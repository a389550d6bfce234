"""Encryption keys: which one encrypts, which ones decrypt, where they come from, and that no crash shows them."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.checks import run_checks

from django_mailup.exceptions import DecryptionFailed, MailUpUnavailable, Misconfigured
from django_mailup.models import ClientRegistration, Token
from django_mailup.renewal import periodic
from django_mailup.sandbox import Sandbox
from django_mailup.services import refresh, register, status
from django_mailup.setting_kinds import MAKE_KEY, is_key
from django_mailup.vault import keyring
from django_mailup.vault.key import ID_LENGTH, Key
from django_mailup.verdict import State

from ..stored import sealed
from .conftest import UseKeys, new_key
from .kms import PATH

Connect = Callable[..., Token]
ROOT = Path(__file__).resolve().parent.parent.parent


def secret() -> str:
    return str(ClientRegistration.objects.get().client_secret.reveal())


def test_the_command_that_the_hints_show_makes_a_key() -> None:
    made = subprocess.run(MAKE_KEY, shell=True, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S602

    assert is_key(made)


@pytest.mark.django_db
def test_a_wrong_key_is_said_to_be_one(mailup_connection: Connect, use_keys: UseKeys) -> None:
    mailup_connection(None)
    use_keys(new_key())

    with pytest.raises(DecryptionFailed):
        Token.objects.get().access_token.reveal()


@pytest.mark.django_db
def test_the_first_key_encrypts_and_all_decrypt(mailup_registration: ClientRegistration, use_keys: UseKeys) -> None:
    old, new = new_key(), new_key()
    use_keys(old, new)
    mailup_registration.client_secret = "hush"
    mailup_registration.save()
    first = ClientRegistration.objects.get().client_secret

    use_keys(new, old)
    assert secret() == "hush"
    mailup_registration.client_secret = "hush"
    assert mailup_registration.client_secret.key_id != first.key_id
    assert (first.is_current(), mailup_registration.client_secret.is_current()) == (False, True)


def test_the_id_of_a_key_is_no_part_of_it() -> None:
    material = bytes(range(32))
    key = Key(material)

    assert len(key.id) == ID_LENGTH
    assert bytes.fromhex(key.id) not in material
    assert repr(key) == f"<Key {key.id}>"
    assert key.id == Key(material).id != Key(material[::-1]).id


def test_two_sealings_of_a_secret_differ(use_keys: UseKeys) -> None:
    use_keys(new_key())

    assert keyring.newest().encrypt("hush", b"x") != keyring.newest().encrypt("hush", b"x")


# ---------------------------------------------------------------------------------------------------- SECRET_KEY


@pytest.fixture
def without_keys(settings: Any, mailup_registration: ClientRegistration, mailup_sandbox: Sandbox) -> None:
    """Set up a site that has never set ENCRYPTION_KEYS."""
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": []}
    mailup_registration.client_secret = mailup_sandbox.client_secret
    mailup_registration.save()


@pytest.mark.django_db
def test_setting_keys_later_keeps_every_row_readable(
    without_keys: None, mailup_connection: Connect, settings: Any, use_keys: UseKeys
) -> None:
    plain = mailup_connection(None).access_token.reveal()

    key = new_key()
    use_keys(key)
    token = Token.objects.get()
    assert token.access_token.reveal() == plain

    Token.objects.update(**sealed(token, access_token=plain))
    use_keys(new_key(), key)
    settings.SECRET_KEY = "another"  # not needed for what an explicit key has encrypted
    assert Token.objects.get().access_token.reveal() == plain


@pytest.mark.django_db
def test_secret_key_fallbacks_are_read(without_keys: None, mailup_connection: Connect, settings: Any) -> None:
    plain = mailup_connection(None).access_token.reveal()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]

    assert Token.objects.get().access_token.reveal() == plain


@pytest.mark.django_db
def test_secret_key_reads_until_that_is_turned_off(
    without_keys: None, settings: Any, use_keys: UseKeys, mailup_sandbox: Sandbox
) -> None:
    use_keys(new_key())
    assert secret() == mailup_sandbox.client_secret
    settings.MAILUP = {**settings.MAILUP, "SECRET_KEY_READS": False}
    with pytest.raises(DecryptionFailed):
        secret()

    use_keys()  # without keys there is no other than SECRET_KEY
    assert secret() == mailup_sandbox.client_secret


# ---------------------------------------------------------------------------------------------------- a function


@pytest.mark.django_db
def test_a_function_is_asked_once_at_first_use(kms: ModuleType, use_keys: UseKeys) -> None:
    kms.answer = [new_key()]
    use_keys(path=PATH)
    assert kms.calls == 0

    register(name="A", client_id="id", client_secret="hush")
    for _ in range(3):
        assert secret() == "hush"
    assert kms.calls == 1


@pytest.mark.django_db
def test_no_check_asks_the_function(kms: ModuleType, use_keys: UseKeys) -> None:
    kms.answer = RuntimeError("sealed")
    use_keys(path=PATH)

    found = run_checks(databases=["default"])
    assert {"django_mailup.E005", "django_mailup.W004", "django_mailup.W010"}.isdisjoint(each.id for each in found)
    assert kms.calls == 0


@pytest.mark.django_db
def test_an_unknown_id_makes_it_ask_again_once_a_minute_at_most(
    kms: ModuleType, use_keys: UseKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("django_mailup.vault.keyring.monotonic", lambda: now)
    old, new = new_key(), new_key()
    use_keys(new)
    register(name="A", client_id="id", client_secret="hush")

    kms.answer = [old]
    use_keys(path=PATH)
    for _ in range(3):
        with pytest.raises(DecryptionFailed):
            secret()
    assert kms.calls == 2  # at first use, and for the unknown id

    kms.answer = [new, old]
    now += keyring.ASK_AGAIN_AFTER - 1
    with pytest.raises(DecryptionFailed):
        secret()
    now += 1
    assert secret() == "hush"
    assert secret() == "hush"
    assert kms.calls == 3


@pytest.mark.django_db
def test_known_keys_go_on_working_while_the_function_fails(kms: ModuleType, use_keys: UseKeys) -> None:
    key, other = new_key(), new_key()
    use_keys(other)
    register(slug="other", name="B", client_id="other", client_secret="hush")
    kms.answer = [key]
    use_keys(path=PATH)
    register(name="A", client_id="id", client_secret="hush")

    kms.answer = RuntimeError("sealed")
    for _ in range(2):
        with pytest.raises(MailUpUnavailable, match=r"encryption keys can't be had at the moment \(RuntimeError\)"):
            ClientRegistration.objects.get(slug="other").client_secret.reveal()
    assert ClientRegistration.objects.get(slug="default").client_secret.reveal() == "hush"
    assert kms.calls == 2


def test_a_function_that_fails_is_no_fault_of_the_connection(
    expired: Token, kms: ModuleType, use_keys: UseKeys, old_key: str, mailup_sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    now = 1000.0
    monkeypatch.setattr("django_mailup.vault.keyring.monotonic", lambda: now)
    kms.answer = RuntimeError("sealed")
    use_keys(path=PATH)

    with pytest.raises(MailUpUnavailable) as caught:
        refresh(expired)
    assert (caught.value.reason, caught.value.may_have_arrived) == ("keys", False)
    assert [row.state for row in status().connections] == [State.LATE]
    assert periodic.refresh_many([expired.key]) == periodic.Tally(failed=1)
    assert mailup_sandbox.state.counters["refreshes"] == 0
    row = Token.objects.get()
    assert (row.failure_count, row.failed_at, row.error_code, row.claim_owner) == (0, None, "", "")
    assert row.refresh_at == expired.refresh_at
    assert kms.calls == 1  # it may take long to fail, and is asked for every row

    kms.answer = [old_key]
    now += keyring.FAIL_FAST
    refresh(expired)
    assert Token.objects.get().generation == 2


@pytest.mark.parametrize("answer", [[], None, "a key", ["short"], [b"x" * 32]], ids=str)
def test_a_function_that_returns_no_keys_is_never_replaced_by_secret_key(
    kms: ModuleType, use_keys: UseKeys, answer: Any
) -> None:
    kms.answer = answer
    use_keys(path=PATH)

    with pytest.raises(Misconfigured, match="did not return a list of keys"):
        keyring.newest()


def test_a_path_that_leads_nowhere_is_said_to_do_so(use_keys: UseKeys) -> None:
    use_keys(path="tests.vault.nowhere")

    with pytest.raises(Misconfigured, match=r"tests\.vault\.nowhere, which can't be imported"):
        keyring.newest()


def test_a_function_whose_module_fails_is_one_that_gives_no_keys(
    tmp_path: Path, kms: ModuleType, use_keys: UseKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vault_that_is_away.py").write_text("raise RuntimeError('sealed')")
    monkeypatch.syspath_prepend(tmp_path)
    use_keys(path="vault_that_is_away.keys")

    with pytest.raises(MailUpUnavailable, match=r"encryption keys can't be had at the moment \(RuntimeError\)"):
        keyring.newest()


FORKS = """
import django, os
django.setup()
from django.conf import settings
from tests.vault import kms
from tests.vault.conftest import new_key
kms.answer = [new_key()]
settings.MAILUP = {"ENCRYPTION_KEYS": kms.PATH}
from django_mailup.vault import keyring
from django_mailup.vault.key import ID_LENGTH, Key
before = keyring.newest().id
kms.answer = [new_key()]
assert keyring.newest().id == before
if os.fork() == 0:
    os._exit(0 if keyring.newest().id != before and kms.calls == 2 else 1)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
assert keyring.newest().id == before
"""


FORKS_WHILE_A_THREAD_ASKS = """
import django, os, signal, threading
django.setup()
from django.conf import settings
from tests.vault import kms
from tests.vault.conftest import new_key
asked, go_on = threading.Event(), threading.Event()
class Slow(list):
    def __iter__(self):
        asked.set()
        go_on.wait()
        return super().__iter__()
kms.answer = Slow([new_key()])
settings.MAILUP = {"ENCRYPTION_KEYS": kms.PATH}
from django_mailup.vault import keyring
thread = threading.Thread(target=keyring.newest)
thread.start()
asked.wait()
child = os.fork()
if child == 0:
    signal.alarm(30)
    kms.answer = [new_key()]
    keyring.newest()
    os._exit(0)
status = os.waitpid(child, 0)[1]
go_on.set()
thread.join()
assert os.waitstatus_to_exitcode(status) == 0
"""


@pytest.mark.parametrize("script", [FORKS, FORKS_WHILE_A_THREAD_ASKS], ids=["known", "asked for meanwhile"])
def test_a_forked_process_asks_for_itself(script: str) -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": "sqlite://:memory:"}

    subprocess.run([sys.executable, "-c", script], env=env, cwd=ROOT, check=True)


# ---------------------------------------------------------------------------------------------------- no key is shown


@pytest.mark.parametrize("fault", ["a bad key", "no list", "a bad answer", "a failing function", "another key", "text"])
def test_no_frame_of_a_crash_shows_a_key(
    fault: str, kms: ModuleType, use_keys: UseKeys, settings: Any, db: None
) -> None:
    good, bad = new_key(), "not-a-key-but-secret"
    settings.SECRET_KEY = "the-secret-key-of-the-site"
    use_keys(new_key())
    register(name="A", client_id="id", client_secret="hush")
    registration = ClientRegistration.objects.get()
    kms.answer = [good, bad] if fault == "a bad answer" else RuntimeError("sealed")
    settings.MAILUP = {
        "ENCRYPTION_KEYS": {
            "a bad key": [good, bad], "no list": good, "a bad answer": PATH, "a failing function": PATH,
            "another key": [good], "text": [good],
        }[fault]
    }  # fmt: skip
    kept = [good, bad, settings.SECRET_KEY]
    del good, bad  # this frame is one of them

    with pytest.raises(Exception, match=r".") as caught:
        registration.client_secret = "\ud800" if fault == "text" else registration.client_secret.reveal()
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][1:]
    assert frames
    shown = " ".join(f"{value!r}" for frame in frames for value in frame.f_locals.values())
    for key in kept:
        assert key not in shown + str(caught.value)
