"""Refused actions are events of the log, with a stable name and no values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from django_mailup.models import Token

pytestmark = pytest.mark.django_db
Connect = Callable[..., Token]


@pytest.mark.parametrize(
    ("path", "fields", "refused"),
    [
        ("/mailup/connect/", {"for_site": "on"}, ("connect_site", "no_permission")),
        ("/mailup/connect/", {"reconnect": "SITE"}, ("connect_site", "no_permission")),
        ("/mailup/connect/", {"reconnect": "FOREIGN"}, ("reconnect", "not_owner")),
        ("/mailup/connect/", {"reconnect": "6f9619ff-8b86-4011-b42d-00c04fc964ff"}, ("reconnect", "not_found")),
        ("/mailup/disconnect/FOREIGN/", {}, ("disconnect", "not_owner")),
        ("/mailup/disconnect/SITE/", {}, ("disconnect", "not_owner")),
        ("/mailup/disconnect/6f9619ff-8b86-4011-b42d-00c04fc964ff/", {}, ("disconnect", "not_found")),
    ],
)
def test_what_a_user_may_not_do_is_not_found_and_logged(
    client: Client, user: Any, other_user: Any, mailup_connection: Connect, caplog: pytest.LogCaptureFixture,
    path: str, fields: dict[str, str], refused: tuple[str, str],
) -> None:  # fmt: skip
    keys = {"FOREIGN": str(mailup_connection(other_user).key), "SITE": str(mailup_connection(None).key)}
    for name, key in keys.items():
        path = path.replace(name, key)
        fields = {field: value.replace(name, key) for field, value in fields.items()}
    client.force_login(user)
    caplog.clear()

    assert client.post(path, fields).status_code == 404
    (record,) = [record for record in caplog.records if record.name == "django_mailup"]
    assert (record.levelname, record.__dict__["event"]) == ("WARNING", "mailup.action_refused")
    assert record.__dict__["mailup"] == {"action": refused[0], "reason": refused[1], "user": str(user.pk)}
    assert Token.objects.count() == 2
