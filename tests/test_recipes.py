"""docs/recipes.md and docs/api.md: every example runs, and the table has every operation."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, shared_task
from django.contrib.auth import get_user_model
from django.utils import timezone

from django_mailup.exceptions import MailUpUnavailable, RateLimited
from django_mailup.mailup import NewRecipient
from django_mailup.mailup.__main__ import markdown, operations
from django_mailup.models import Token
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_for, client_for_site

DOCS = Path(__file__).resolve().parent.parent / "docs"
BLOCKS = re.findall(r"^## (.*?)\n.*?```python\n(.*?)```", (DOCS / "recipes.md").read_text(), re.DOTALL | re.MULTILINE)
NAMES = [title for title, _ in BLOCKS]


@pytest.fixture
def scope(
    db: None, mailup_connection: Callable[..., Token], mailup_sandbox: Sandbox, django_user_model: Any
) -> dict[str, Any]:
    mailup_sandbox.configure(import_seconds=0.0)
    mailup_connection(None)
    django_user_model.objects.create_user("grace", "grace@example.com")
    mailup = client_for_site()
    mailup.recipients.add(list_id=1, email="ada@example.com")
    return {
        "mailup": mailup, "client_for": client_for, "client_for_site": client_for_site, "NewRecipient": NewRecipient,
        "timezone": timezone,
        "timedelta": timedelta, "shared_task": shared_task, "get_user_model": get_user_model,
        "RateLimited": RateLimited, "MailUpUnavailable": MailUpUnavailable,
    }  # fmt: skip


def play(scope: dict[str, Any], *titles: str) -> None:
    for title in titles:
        exec(dict(BLOCKS)[title], scope)  # noqa: S102


def test_the_eight_scenarios(scope: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    play(scope, *[title for title in NAMES if title[0].isdigit()])
    printed = capsys.readouterr().out.splitlines()

    assert len([title for title in NAMES if title[0].isdigit()]) == 8
    assert printed[0] == "0 1 0"  # Ada was known
    assert [each.email for each in scope["mailup"].recipients.unsubscribed(list_id=1)] == ["ada@example.com"]
    assert scope["mailup"].recipients.search(email="ada@example.com")[0].fields[4] == "Torino"
    assert printed[1] == "['News']"
    assert printed[2].startswith("0 [datetime")


def test_a_user_is_subscribed_at_sign_up(scope: dict[str, Any], mailup_sandbox: Sandbox) -> None:
    play(scope, "Subscribe a user at sign-up")
    app = Celery("tests", set_as_current=True)
    app.conf.task_always_eager = True
    mailup_sandbox.fail_with("status", status=429, path="/List/1/Recipient", times=1)
    user, recipients = get_user_model().objects.get(), scope["mailup"].recipients
    scope["subscribe"].delay(user.pk)

    assert [each.email for each in recipients.pending(list_id=1)] == ["grace@example.com"]
    grace = recipients.find(email="grace@example.com")
    recipients.subscribe(list_id=1, recipient_id=grace.id)
    mailup_sandbox.configure(confirm_makes_pending=True)
    scope["subscribe"].delay(user.pk)
    app.close()
    assert recipients.standing(email="grace@example.com")[1].status == "OPTIN"


@pytest.mark.parametrize("addresses", ["ignore_case", "exact"])
def test_unsubscribing_works_for_whom_no_list_of_subscribers_shows(
    scope: dict[str, Any], mailup_sandbox: Sandbox, addresses: str
) -> None:
    mailup_sandbox.configure(addresses=addresses)
    mailup = scope["mailup"]
    code = dict(BLOCKS)["2. Unsubscribe a recipient"]
    for address, written in (("bo@example.com", "bo@example.com"), ("cy@example.com", "Cy@Example.com")):
        mailup.recipients.add(list_id=1, email=address, confirm=address.startswith("bo"))
        exec(code.replace("ada@example.com", written), scope)  # noqa: S102
        assert mailup.recipients.standing(email=address)[1].status == "OPTOUT"


def test_a_model_is_kept_in_step(scope: dict[str, Any]) -> None:
    play(scope, "Synchronise a Django model with a list")
    user = get_user_model().objects.get()
    mailup = scope["mailup"]

    assert scope["synchronise"](1) == set()
    grace = mailup.recipients.find(email="grace@example.com")
    mailup.recipients.unsubscribe(list_id=1, recipient_id=grace.id)
    assert scope["synchronise"](1) == {user.pk}
    assert mailup.recipients.standing(email="grace@example.com")[1].status == "OPTOUT"


def test_a_newsletter_and_its_results(scope: dict[str, Any]) -> None:
    play(scope, "Send a newsletter and read its results")
    scope["mailup"].recipients.add(list_id=1, email="bo@example.com")

    assert scope["results"](scope["send"]("News", "<p>News")) == "1 of 2 opened it"


def test_the_table_of_operations_is_complete() -> None:
    text = (DOCS / "api.md").read_text()
    table = re.findall(r"^\| `(\w+\.\w+)` \| (\w+) \| `(.*?)` \| ([\w' ]+) \|$", text, re.MULTILINE)

    assert table == [(each.name, each.verb, each.path, each.source.value) for each in operations()]
    assert text.endswith(f"{markdown()}\n")
