"""Management commands: register, connect, refresh, status, import, sandbox."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from django_mailup.models import ClientRegistration, Token
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_for_site

from .csv_import.files import rows, write
from .vault.conftest import kms as kms
from .vault.kms import PATH as KMS

Connect = Callable[..., Token]


def run(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=out, **options)
    return out.getvalue()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("MAILUP_CLIENT_ID", "MAILUP_CLIENT_SECRET", "MAILUP_REDIRECT_URI", "MAILUP_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.django_db
def test_register_from_the_environment_is_idempotent(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MAILUP_CLIENT_ID", "an-id")
    environment.setenv("MAILUP_CLIENT_SECRET", "hush-hush")
    first = run("mailup_register", "--noinput")
    made = ClientRegistration.objects.get()
    again = run("mailup_register", "--noinput")

    assert "created" in first
    assert "up to date" in again
    assert "hush" not in first + again
    assert made.client_secret.reveal() == "hush-hush"
    assert made.slug == "default"
    assert ClientRegistration.objects.get().updated_at == made.updated_at
    assert ClientRegistration.objects.get().client_secret == made.client_secret


@pytest.mark.django_db
def test_register_rewrites_the_secret_with_the_newest_key(environment: pytest.MonkeyPatch, settings: Any) -> None:
    environment.setenv("MAILUP_CLIENT_SECRET", "b")
    arguments = ("mailup_register", "--client-id=a")
    run(*arguments)
    old = settings.MAILUP["ENCRYPTION_KEYS"]
    new = [Fernet.generate_key().decode()]
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": new + old}
    run(*arguments)
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": new}

    assert ClientRegistration.objects.get().client_secret.reveal() == "b"


@pytest.mark.django_db
def test_register_from_options_updates(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MAILUP_CLIENT_SECRET", "b")
    run("mailup_register", "--client-id=a", "--slug=second", "--name=Second")
    environment.setenv("MAILUP_CLIENT_SECRET", "d")
    run("mailup_register", "--client-id=c", "--slug=second")
    row = ClientRegistration.objects.get()

    assert (row.name, row.client_id, row.client_secret.reveal()) == ("Second", "c", "d")


@pytest.mark.django_db
def test_register_prompts(environment: pytest.MonkeyPatch) -> None:
    environment.setattr("builtins.input", lambda question: "typed-id")
    environment.setattr("getpass.getpass", lambda question: "typed-secret")
    said = run("mailup_register")

    assert "typed-secret" not in said
    assert ClientRegistration.objects.get().client_secret.reveal() == "typed-secret"


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", [[], ["--client-id=x"], ["--client-id=x", "--client-secret=others would see it"]])
def test_register_says_what_is_missing(environment: pytest.MonkeyPatch, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run("mailup_register", "--noinput", *arguments)
    assert not ClientRegistration.objects.exists()


@pytest.mark.django_db
def test_register_gives_up_politely(environment: pytest.MonkeyPatch) -> None:
    def closed(question: str) -> str:
        raise EOFError

    environment.setattr("builtins.input", closed)
    with pytest.raises(CommandError, match="Nothing was stored"):
        run("mailup_register")
    environment.setattr("builtins.input", lambda question: "")
    with pytest.raises(CommandError, match="empty"):
        run("mailup_register")


@pytest.mark.django_db
def test_register_says_that_the_keys_cannot_be_had(
    environment: pytest.MonkeyPatch, kms: ModuleType, settings: Any
) -> None:
    kms.answer = RuntimeError("sealed")
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": KMS}
    environment.setenv("MAILUP_CLIENT_SECRET", "hush")

    with pytest.raises(CommandError, match=r"Nothing was stored: .* encryption keys can't be had"):
        run("mailup_register", "--noinput", "--client-id=x")
    assert not ClientRegistration.objects.exists()


@pytest.mark.django_db
def test_connect_for_the_site_and_for_a_user(
    environment: pytest.MonkeyPatch, mailup_registration: Any, user: Any
) -> None:
    environment.setattr("getpass.getpass", lambda question: "sandbox")
    environment.setattr("builtins.input", lambda question: "m67890")

    assert "for this site" in run("mailup_connect", "m12345")
    assert "for ada" in run("mailup_connect", "--user=ada")
    assert set(Token.objects.values_list("user__username", "account_username")) == {(None, "m12345"), ("ada", "m67890")}


@pytest.mark.django_db
def test_connect_says_what_is_wrong(environment: pytest.MonkeyPatch, mailup_registration: Any) -> None:
    environment.setenv("MAILUP_PASSWORD", "wrong-password")
    with pytest.raises(CommandError, match="user name or the password") as caught:
        run("mailup_connect", "m12345")
    assert "wrong-password" not in str(caught.value)
    with pytest.raises(CommandError, match="no user"):
        run("mailup_connect", "m12345", "--user=nobody")
    with pytest.raises(CommandError, match="second"):
        run("mailup_connect", "m12345", "--registration=second")


@pytest.mark.django_db
def test_refresh_tokens_without_celery(mailup_connection: Connect, mailup_sandbox: Sandbox) -> None:
    token = mailup_connection(None)
    assert "0 renewed, 0 failed." in run("mailup_refresh_tokens")

    hour = timezone.timedelta(hours=1)
    Token.objects.update(connected_at=token.connected_at - hour, expires_at=timezone.now(), refresh_at=timezone.now())
    assert "1 renewed, 0 failed." in run("mailup_refresh_tokens")

    mailup_sandbox.state.revoke()
    Token.objects.update(
        connected_at=token.connected_at - hour, refreshed_at=None, expires_at=timezone.now(), refresh_at=timezone.now()
    )
    with pytest.raises(CommandError, match="mailup_status"):
        run("mailup_refresh_tokens")


@pytest.mark.django_db(transaction=True)
def test_refresh_tokens_says_that_the_hook_is_wrong(mailup_connection: Connect, settings: Any) -> None:
    mailup_connection(None)
    Token.objects.update(refresh_at=timezone.now())
    settings.MAILUP = {**settings.MAILUP, "PREPARE_CONNECTION": "tests.nowhere"}

    with pytest.raises(CommandError, match="PREPARE_CONNECTION"):
        run("mailup_refresh_tokens")


@pytest.mark.django_db
def test_status_when_all_is_well(mailup_connection: Connect, user: Any) -> None:
    mailup_connection(user)
    mailup_connection(None, username="m67890")
    lines = run("mailup_status").splitlines()

    columns = lines[0].split("  ")
    assert [column.strip() for column in columns if column][-2:] == ["well", "last error"]
    assert lines[1].split() == ["default", "in", "order", "0", "0", "0", "0", "0", "0", "2"]
    assert lines[2:] == ["All is well."]


HOSTILE = "\x1b[2J\x07\x9b31m\u202eRossi\x00\ud800"
"""A name that clears a terminal, rings its bell and turns what follows around."""


@pytest.mark.django_db
def test_names_do_not_drive_the_terminal(
    environment: pytest.MonkeyPatch, mailup_registration: Any, mailup_sandbox: Sandbox, django_user_model: Any
) -> None:
    owner = django_user_model.objects.create_user(HOSTILE[:-2], password="x")  # without what databases refuse
    environment.setenv("MAILUP_PASSWORD", "sandbox")
    mailup_sandbox.fail_with("status", status=500, path="Authentication/Info")
    said = run("mailup_connect", "m12345", user=owner.username)
    Token.objects.update(account_username=HOSTILE[:-2], encryption_key_id=HOSTILE[:-2])
    for shows_names in (["mailup_status"], ["mailup_rotate_keys", "--check"]):
        table = io.StringIO()
        with pytest.raises(CommandError):
            call_command(*shows_names, stdout=table)
        assert "\\u202eRossi" in table.getvalue()
        said += table.getvalue()
    for command in (["mailup_connect", "m12345", "--user=\x1b[1m"], ["mailup_import", HOSTILE, "--list=1"]):
        with pytest.raises(CommandError) as caught:
            run(*command)
        said += str(caught.value)

    assert "\\x1b[2J\\x07\\x9b31m\\u202eRossi" in said
    assert {character for character in said if not character.isprintable()} == {"\n"}


@pytest.mark.django_db
def test_a_secret_that_is_no_text_is_refused_without_showing_it(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MAILUP_CLIENT_SECRET", "hush\udcff")
    with pytest.raises(CommandError, match="not UTF-8") as caught:
        run("mailup_register", "--client-id=a")

    assert "hush" not in str(caught.value)
    assert not ClientRegistration.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"status": Token.Status.REAUTHORIZATION_REQUIRED}, "must be reconnected"),
        ({"failure_count": 3, "error_code": "unavailable"}, "failing"),
        ({"refresh_at": timezone.now() - timezone.timedelta(hours=1)}, "late"),
    ],
)
def test_status_when_something_needs_attention(mailup_connection: Connect, change: Any, state: str) -> None:
    mailup_connection(None)
    Token.objects.update(**change)
    out = io.StringIO()

    with pytest.raises(CommandError, match="1 of 2"):
        call_command("mailup_status", stdout=out)
    assert re.search(rf"default +\(site\) +m12345 +{state} ", out.getvalue())


@pytest.mark.django_db
def test_status_of_registrations_and_unreadable_rows(mailup_connection: Connect, settings: Any) -> None:
    mailup_connection(None)
    ClientRegistration.objects.update(failed_at=timezone.now(), error_code="client_rejected")
    with pytest.raises(CommandError, match="2 of 2"):
        run("mailup_status")
    ClientRegistration.objects.update(enabled=False, failed_at=None)
    assert re.search("default +off ", run("mailup_status"))
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": []}
    with pytest.raises(CommandError, match="1 of 2"):
        run("mailup_status")
    ClientRegistration.objects.update(enabled=True)
    with pytest.raises(CommandError, match="2 of 2"):
        run("mailup_status", "--all")


def test_the_sandbox_command_serves_and_ends() -> None:
    arguments = ["mailup_sandbox", "--host", "127.0.0.1", "--port", "0", "--option", "access_lifetime=60"]
    code = (  # a process that a shell starts in the background ignores SIGINT, and so would this one
        "import signal, sys\n"
        "from django.core.management import execute_from_command_line\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "execute_from_command_line(sys.argv)"
    )
    command = [sys.executable, "-c", code, *arguments]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[3]
            with urllib.request.urlopen(f"{url}/_sandbox/state") as answer:  # noqa: S310
                assert b'"access_lifetime": 60.0' in answer.read()
            process.send_signal(signal.SIGINT)
            process.communicate()
        finally:
            process.kill()
    assert process.returncode == 0


@pytest.mark.parametrize("option", ["nonsense=1", "access_lifetime=soon", "echo_state"])
def test_the_sandbox_command_refuses_unknown_options(option: str) -> None:
    with pytest.raises(CommandError, match="--option"):
        run("mailup_sandbox", "--port=0", f"--option={option}")


def test_the_sandbox_command_says_that_a_port_is_taken() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CommandError, match="Can't listen"):
        run("mailup_sandbox", "--host=127.0.0.1", f"--port={taken.getsockname()[1]}")


def import_file(*arguments: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command("mailup_import", *arguments, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_import_sends_a_file(site_token: Token, tmp_path: Path, user: Any, mailup_connection: Connect) -> None:
    path = write(tmp_path / "a.csv", "Mail,Vorname,X", "ada@example.com,Ada,1", "nonsense,N,1")
    mapping = {"map": ["Vorname=FirstName", "X="]}

    assert "1 recipients would be sent, 0 were sent before, 1 rejected" in import_file(
        path, list_id=1, dry_run=True, **mapping
    )
    said = import_file(path, list_id=1, wait=5, **mapping)
    assert "1 recipients were sent" in said
    assert "a.csv.rejects.csv" in said
    assert "1 created, 0 updated, 0 not valid" in said
    mailup_connection(user, username="m67890")
    other = write(tmp_path / "b.csv", *rows(2))
    assert "2 recipients were sent" in import_file(other, list_id=1, user="ada")


@pytest.mark.parametrize(("arguments", "status"), [([], "subscribed"), (["--confirm"], "pending")])
def test_import_asks_for_confirmation_if_told_to(
    site_token: Token, tmp_path: Path, mailup_sandbox: Sandbox, arguments: list[str], status: str
) -> None:
    import_file(write(tmp_path / "a.csv", *rows(3)), "--list=1", *arguments)

    account = mailup_sandbox.state.users["m12345"].account
    (made,) = account.imports.values()
    client = client_for_site()
    client.imports.wait(import_id=made.id, seconds=0)
    assert {each.email_opt_ins[1].status for each in account.recipients.values() if each.email.startswith("p")} == {
        status
    }
    assert (client.imports.sending(import_id=made.id) is not None) == bool(arguments)


def test_import_goes_on_as_it_is_told(site_token: Token, tmp_path: Path, mailup_sandbox: Sandbox) -> None:
    path = write(tmp_path / "a.csv", "email;name,of a person", "ada@example.com;Ada,x", "leo@example.com;Leo,x")
    arguments = [path, "--group=9", "--chunk=1", "--delimiter=;", "--map=name,of a person=name"]
    mailup_sandbox.fail_with("drop", path="/Group/9/Recipients")
    with pytest.raises(CommandError, match="may have been taken"):
        import_file(*arguments)
    with pytest.raises(CommandError, match="skip it or send it again"):
        import_file(*arguments)

    assert "1 recipients were sent, 1 were sent before" in import_file(*arguments, "--unsure=skip")
    (made,) = mailup_sandbox.state.users["m12345"].account.imports.values()
    assert (made.group_id, [each["Email"] for each in made.recipients]) == (9, ["leo@example.com"])


def test_import_goes_through_the_registration_that_is_named(site_token: Token, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="connection"):
        import_file(write(tmp_path / "a.csv", *rows(2)), "--list=1", "--registration=second")


def test_import_takes_headings_and_fields_with_an_equals_sign(
    site_token: Token, tmp_path: Path, mailup_sandbox: Sandbox
) -> None:
    mailup_sandbox.state.users["m12345"].account.field_names[4] = "a=b"
    path = write(tmp_path / "a.csv", "mail=to,score=2026,x=,=y", "ada@example.com,Ada,1,Torino")
    import_file(path, "--list=1", "--map=mail=to=email", "--map=score=2026=FirstName", "--map=x==", "--map==y=4")

    found = client_for_site().recipients.find(email="ada@example.com")
    assert found is not None
    assert (found.fields[1], found.fields[4]) == ("Ada", "Torino")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"user": "nobody"}, "no user"), ({"map": ["Mood"]}, "COLUMN=FIELD"), ({"chunk": 0}, "positive")],
)
def test_import_says_what_is_wrong(site_token: Token, tmp_path: Path, options: Any, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        import_file(write(tmp_path / "a.csv", *rows(2)), list_id=1, **options)
