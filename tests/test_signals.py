"""The arguments of the signals: what is sent, what README says, and what the docstrings say."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.dispatch import Signal
from django.test import RequestFactory

from django_mailup import signals
from django_mailup.exceptions import MailUpUnavailable, ReauthorizationRequired
from django_mailup.models import Token
from django_mailup.sandbox import Sandbox
from django_mailup.services import connection_of, disconnect, refresh

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
SIGNALS = {name: signal for name, signal in vars(signals).items() if isinstance(signal, Signal)}
ARGUMENTS = {
    "account_connected": ["sender", "token", "request", "created"],
    "token_refreshed": ["sender", "token"],
    "token_refresh_failed": ["sender", "token", "error"],
    "reauthorization_required": ["sender", "token", "error"],
    "account_disconnected": ["sender", "token", "request"],
}

Heard = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    said: Heard = []

    def receiver_of(name: str) -> Callable[..., None]:
        return lambda *, signal, **arguments: said.append((name, arguments))

    receivers = {name: receiver_of(name) for name in SIGNALS}
    for name, receiver in receivers.items():
        SIGNALS[name].connect(receiver)
    yield said
    for name, receiver in receivers.items():
        SIGNALS[name].disconnect(receiver)


@pytest.mark.django_db
def test_each_signal_is_sent_with_its_arguments_and_no_more(
    mailup_connection: Callable[..., Token], mailup_sandbox: Sandbox, user: Any, heard: Heard
) -> None:
    request = RequestFactory().post("/")
    mailup_connection(user)
    refresh(connection_of(user))
    mailup_sandbox.fail_with("status", status=503, path="/Token")
    with pytest.raises(MailUpUnavailable) as outage:
        refresh(connection_of(user))
    mailup_sandbox.state.revoke()
    with pytest.raises(ReauthorizationRequired) as refusal:
        refresh(connection_of(user))
    last = connection_of(user)
    disconnect(last, request=request)

    assert [(name, sorted(arguments)) for name, arguments in heard] == [
        (name, sorted(arguments)) for name, arguments in ARGUMENTS.items()
    ]
    connected, refreshed, failed, refused, disconnected = [arguments for _, arguments in heard]
    assert all(arguments["sender"] is Token for _, arguments in heard)
    assert all(arguments["token"].user == user for _, arguments in heard)
    assert all(arguments["token"].registration.slug == "default" for _, arguments in heard)
    assert (connected["request"], connected["created"]) == (None, True)
    assert refreshed["token"].generation == 2
    assert (failed["error"], failed["token"].failure_count) == (outage.value, 1)
    assert (refused["error"], refused["token"].is_active) == (refusal.value, False)
    assert (disconnected["request"], disconnected["token"].pk) == (request, last.pk)
    assert not disconnected["token"].refresh_token


def test_readme_lists_the_arguments() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ((?:`\w+`(?:, )?)+) \|", README, re.MULTILINE)
    listed = {name: re.findall(r"\w+", arguments) for name, arguments in rows if name in SIGNALS}

    assert listed == ARGUMENTS


def test_the_docstrings_list_the_arguments() -> None:
    body = ast.parse(inspect.getsource(signals)).body
    documented = {}
    for statement, text in pairwise(body):
        if isinstance(statement, ast.Assign) and isinstance(text, ast.Expr):
            assert isinstance(statement.targets[0], ast.Name)
            assert isinstance(text.value, ast.Constant)
            documented[statement.targets[0].id] = re.findall(r"^    (\w+):", str(text.value.value), re.MULTILINE)

    assert documented == ARGUMENTS
