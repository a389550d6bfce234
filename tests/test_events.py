"""Log events: their names, levels and fields are those that docs/operating.md documents."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from django_mailup.events import Event
from django_mailup.exceptions import MailUpUnavailable
from django_mailup.models import Token
from django_mailup.renewal import on_demand
from django_mailup.sandbox import Sandbox
from django_mailup.services import disconnect

Connect = Callable[..., Token]


DOCS = (Path(__file__).resolve().parent.parent / "docs/operating.md").read_text(encoding="utf-8")
EVENTS = {
    name: (level, re.findall(r"`(\w+)`", fields))
    for name, level, fields in re.findall(r"^\| `(mailup\.\w+)` \| (\w+) \| (.*?) \|", DOCS, re.MULTILINE)
}


def test_every_event_is_documented_with_its_level() -> None:
    assert {name: logging.getLevelName(level) for name, level in (event.value for event in Event)} == {
        name: level for name, (level, _) in EVENTS.items()
    }


@pytest.mark.django_db
def test_events_have_the_documented_fields_and_no_secret(
    mailup_connection: Connect, mailup_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="django_mailup"):
        token = mailup_connection(None)
        on_demand.refresh(token)
        token.refresh_from_db()
        mailup_sandbox.fail_with("status", status=503, path="/Token")
        with pytest.raises(MailUpUnavailable):
            on_demand.refresh(token)
        disconnect(token)

    records = [record for record in caplog.records if record.name == "django_mailup"]
    assert [record.__dict__["event"] for record in records] == [
        "mailup.account_connected", "mailup.token_refreshed", "mailup.token_refresh_failed",
        "mailup.account_disconnected",
    ]  # fmt: skip
    for record in records:
        level, fields = EVENTS[record.__dict__["event"]]
        assert (record.levelname, list(record.__dict__["mailup"])) == (level, fields)
        assert record.getMessage().startswith(f"{record.__dict__['event']} token={token.key}")


@pytest.mark.django_db
def test_refusals_have_the_documented_fields(
    client: Client, user: Any, mailup_registration: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(user)
    with caplog.at_level(logging.INFO, logger="django_mailup"):
        for _ in range(21):
            client.post("/mailup/connect/")
        client.get("/mailup/callback/", {"code": "x"})
        client.get("/mailup/callback/", {"code": "x", "state": "forged"})
        client.post("/mailup/connect/", {"for_site": "on"})

    records = [record for record in caplog.records if record.name == "django_mailup"]
    assert {record.__dict__["event"] for record in records} == {
        "mailup.authorization_dropped", "mailup.authorization_restarted", "mailup.callback_rejected",
        "mailup.action_refused",
    }  # fmt: skip
    for record in records:
        level, fields = EVENTS[record.__dict__["event"]]
        assert (record.levelname, list(record.__dict__["mailup"])) == (level, fields)


def test_an_exception_is_logged_without_the_variables_of_its_frames(caplog: pytest.LogCaptureFixture) -> None:
    def crash(token: str) -> None:
        raise RuntimeError(len(token))

    try:
        crash("planted")
    except RuntimeError as error:
        Event.REFRESH_CRASHED.log(token=1, cause=error)

    assert caplog.records[-1].exc_info is not None
    frames = [frame for frame, _ in traceback.walk_tb(caplog.records[-1].exc_info[2])]
    assert [frame.f_code.co_name for frame in frames][-1] == "crash"
    assert "planted" not in repr([frame.f_locals for frame in frames[1:]])
