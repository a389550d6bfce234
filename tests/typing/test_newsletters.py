"""A site's module as README shows it: what two type checkers make of it, and that it runs."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from celery import Celery
from django.contrib.auth.models import User
from django.test import RequestFactory

from django_mailup.exceptions import ReauthorizationRequired
from django_mailup.models import Token
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_for, client_for_site
from django_mailup.signals import reauthorization_required

ROOT = Path(__file__).resolve().parents[2]
MODULE = Path(__file__).with_name("newsletters.py")
SOURCE = MODULE.read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")

Connect = Callable[..., Token]


class Revealed(NamedTuple):
    """The type of an expression in the module.

    `after` begins the line after which the expression is evaluated; empty: at the end of the module. `pyright` is given
    where it differs from what mypy says: pyright doesn't know which class AUTH_USER_MODEL names, for example.
    """

    after: str
    expression: str
    mypy: str
    pyright: str = ""


VIEW = "HttpResponse | HttpResponseRedirect"
REVEALED = [
    Revealed("", "newsletters", f"def (HttpRequest) -> {VIEW}", f"(HttpRequest) -> ({VIEW})"),
    Revealed("", "groups", f"def (HttpRequest, list_id: int) -> {VIEW}", f"(HttpRequest, list_id: int) -> ({VIEW})"),
    Revealed("def newsletters", "request", "MailUpRequest"),
    Revealed("def newsletters", "request.mailup", "MailUpClient"),
    Revealed("def newsletters", "next(request.mailup.lists.all())", "MailingList"),
    Revealed("def groups", "request.user", "User", "AbstractBaseUser"),
    Revealed("def groups", "request.mailup.groups.create(list_id=list_id, name='')", "Group"),
    Revealed("names = ", "names", "list[str]"),
    Revealed("page = ", "self.request", "MailUpRequest"),
    Revealed("page = ", "self.request.mailup", "MailUpClient"),
    Revealed("page = ", "page", "Page[Recipient]"),
    Revealed("page = ", "page.total", "int"),
    Revealed("emails = ", "emails", "list[str]"),
    Revealed("mailup = client_for(user)", "mailup", "MailUpClient"),
    Revealed("mailup = client_for(user)", "next(mailup.fields.all())", "PersonalField"),
    Revealed("city = ", "city", "int"),
    Revealed("subscribed = ", "subscribed", "Paged[Recipient]"),
    Revealed("subscribed = ", "next(subscribed)", "Recipient"),
    Revealed("outcome = ", "outcome", "ImportResult"),
    Revealed("outcome = ", "outcome.import_ids", "list[int]"),
    Revealed("recipient_id = ", "recipient_id", "int"),
    Revealed("recipient_id = ", "mailup.recipients.find(email=email)", "Recipient | None"),
    Revealed("recipient_id = ", "mailup.statistics.message_views_count(message_id=1)", "int"),
    Revealed("except APIError", "error.description", "str"),
    Revealed("except APIError", "error.status", "int"),
    Revealed("mailup = client_for_site(patience=0)", "mailup", "MailUpClient"),
    Revealed("except RateLimited", "error.retry_after", "float"),
    Revealed("", "subscribe", "Task[[int], None]", "Task[(int), None]"),
    Revealed("user = token.user", "user", "User | None", "AbstractBaseUser | None"),
    Revealed("user = token.user", "token.registration", "ClientRegistration"),
    Revealed("user = token.user", "token.account_username", "str"),
    Revealed("if isinstance(user, User)", "user.email", "str"),
]


def copy_with_reveals(folder: Path) -> dict[int, Revealed]:
    """Write a copy of the module in which `reveal_type` is called. Return what each line of it reveals."""
    lines: list[str] = []
    revealed: dict[int, Revealed] = {}

    def reveal(indent: int, rows: list[Revealed]) -> None:
        for row in rows:
            lines.append(f"{' ' * indent}reveal_type({row.expression})")
            revealed[len(lines)] = row

    for line in SOURCE.splitlines():
        lines.append(line)
        code = line.strip()
        reveal(
            len(line) - len(code) + (4 if code.endswith(":") else 0),
            [row for row in REVEALED if row.after and code.startswith(row.after)],
        )
    reveal(0, [row for row in REVEALED if not row.after])
    assert len(revealed) == len(REVEALED), "each row must name one line of the module"
    (folder / MODULE.name).write_text("\n".join([*lines, ""]), encoding="utf-8")
    return revealed


def without_modules(name: str) -> str:
    return re.sub(r"\b(?:\w+\.)+(?=[A-Za-z_])", "", name)


@pytest.mark.slow
def test_mypy_accepts_it_and_knows_every_type(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    revealed = copy_with_reveals(tmp_path)
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\nstrict = true\nfollow_imports = silent\nplugins = mypy_django_plugin.main\n"
        "[mypy.plugins.django-stubs]\ndjango_settings_module = tests.settings\n"
    )
    assert pytestconfig.cache is not None
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(pytestconfig.cache.mkdir("mypy")), MODULE.name]
    env = {**os.environ, "MYPYPATH": str(ROOT), "PYTHONPATH": str(ROOT)}
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env)
    notes = re.findall(rf'^{MODULE.name}:(\d+): note: Revealed type is "(.*)"$', told.stdout, re.MULTILINE)

    assert told.returncode == 0, told.stdout + told.stderr
    assert {int(line): without_modules(name) for line, name in notes} == {
        line: row.mypy for line, row in revealed.items()
    }


@pytest.mark.slow
def test_pyright_accepts_it_and_knows_every_type(tmp_path: Path) -> None:
    revealed = copy_with_reveals(tmp_path)
    options = {
        "typeCheckingMode": "strict",
        "extraPaths": [str(ROOT)],
        # Rejects every view class of Django in which `request` has a narrower type.
        "reportIncompatibleVariableOverride": False,
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(options))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    diagnostics = json.loads(told.stdout)["generalDiagnostics"]
    notes = [
        (each["range"]["start"]["line"] + 1, re.fullmatch(r'Type of ".*" is "(.*)"', each["message"]))
        for each in diagnostics
        if each["severity"] == "information"
    ]

    assert [each for each in diagnostics if each["severity"] != "information"] == []
    assert {line: found[1] for line, found in notes if found is not None} == {
        line: row.pyright or row.mypy for line, row in revealed.items()
    }


def test_no_type_is_unknown() -> None:
    assert len(REVEALED) >= 20
    assert [row for row in REVEALED if re.search(r"\bAny\b|Unknown", row.mypy + row.pyright)] == []


def test_readme_shows_this_module() -> None:
    section = re.search(r"^### Use the connection\n(.*?)^##", README, re.MULTILINE | re.DOTALL)
    assert section is not None
    blocks = re.findall(r"^```python\n(.*?)^```", section[1], re.MULTILINE | re.DOTALL)

    assert len(blocks) >= 5
    for block in blocks:
        imports, _, code = block.rpartition("\n\n\n") if block.startswith("from ") else ("", "", block)
        assert imported(imports) <= imported(SOURCE)
        assert code in SOURCE


def imported(source: str) -> set[tuple[str | None, str]]:
    return {
        (statement.module, name.name)
        for statement in ast.parse(source).body
        if isinstance(statement, ast.ImportFrom)
        for name in statement.names
    }


TEMPLATES = {
    "newsletters.html": "{% for each in lists %}{{ each.name }};{% endfor %}",
    "groups.html": "{{ user }}: {{ names|join:';' }}",
    "recipients.html": "{{ emails|join:';' }} of {{ total }}",
}


@pytest.fixture
def site(db: None, settings: Any) -> Iterator[Any]:
    """The module, with templates and a Celery app that runs tasks at once."""
    loaders = [("django.template.loaders.locmem.Loader", TEMPLATES)]
    settings.TEMPLATES = [
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": loaders}}
    ]
    module = importlib.import_module("tests.typing.newsletters")
    reauthorization_required.connect(module.ask_to_connect_again)
    app = Celery("tests", set_as_current=True)
    app.conf.task_always_eager = True
    yield module
    app.close()
    assert reauthorization_required.disconnect(module.ask_to_connect_again)


def get(view: Any, user: User, path: str = "/", **kwargs: Any) -> str:
    request = RequestFactory().get(path)
    request.user = user
    response = view(request, **kwargs)
    return str((response.render() if hasattr(response, "render") else response).content.decode())


def test_its_views_run(site: Any, mailup_connection: Connect, user: User) -> None:
    mailup_connection(user)
    mailup = client_for(user)
    mailup.groups.create(list_id=1, name="Autumn fair")
    mailup.recipients.add(list_id=1, email="ada@example.com")
    mailup_connection(user, username="m67890")

    assert get(site.groups, user, "/?account=4321", list_id=1) == "ada: Regulars;Wholesale;Test;Autumn fair"
    Token.objects.filter(account_username="m67890").delete()
    assert "Newsletter;" in get(site.newsletters, user)
    assert get(site.Recipients.as_view(), user) == "ada@example.com of 1"


def test_personal_fields_and_imports_run(
    site: Any, mailup_connection: Connect, mailup_sandbox: Sandbox, user: User, tmp_path: Path
) -> None:
    mailup_sandbox.configure(import_seconds=0.0)
    mailup_connection(user)
    (tmp_path / "people.csv").write_text("email,City\nada@example.com,Torino\nbo@example.com,\n")

    assert site.import_file(user, tmp_path / "people.csv") == 2
    assert {name: city for name, city in site.cities(user).items() if city} == {"ada@example.com": "Torino"}


def test_the_sign_up_says_what_came_of_it(site: Any, mailup_connection: Connect, mailup_sandbox: Sandbox) -> None:
    assert site.sign_up("ada@example.com") == "This site is not connected to MailUp yet."
    mailup_connection(None)
    assert re.fullmatch(r"MailUp has asked recipient \d+ to confirm\.", site.sign_up("ada@example.com"))
    mailup_sandbox.fail_with("status", status=403, path="/List/1/Recipient")
    assert site.sign_up("bo@example.com").startswith("MailUp refused (403): ")


def test_the_task_tries_again(site: Any, mailup_connection: Connect, mailup_sandbox: Sandbox, user: User) -> None:
    mailup_connection(None)
    User.objects.filter(pk=user.pk).update(first_name="Ada")
    mailup_sandbox.fail_with("status", status=429, path="/List/1/Recipient", times=1)
    site.subscribe.delay(user.pk)

    recipient = client_for_site().recipients.find(email="ada@example.com")
    assert recipient is not None
    assert "Ada" in recipient.fields.values()


def test_the_receiver_writes_to_the_owner(
    site: Any, mailup_connection: Connect, mailup_sandbox: Sandbox, user: User, mailoutbox: list[Any]
) -> None:
    mailup_connection(user)
    client = client_for(user)
    mailup_sandbox.state.revoke()
    with pytest.raises(ReauthorizationRequired):
        client.account.info()

    assert [(mail.to, mail.body.split(":")[0]) for mail in mailoutbox] == [
        (["ada@example.com"], "Please connect m12345 again")
    ]
