"""A secret that frames may hold: nothing but its `value` shows it."""

from __future__ import annotations

import pprint

from sentry_sdk.serializer import serialize

from django_mailup.secret import Secret


def test_nothing_shows_it_but_its_value() -> None:
    secret = Secret("planted")

    for shown in (repr(secret), str(secret), f"{secret}", pprint.pformat({"a": [secret]}), str(serialize(secret))):
        assert "planted" not in shown
    assert secret.value == "planted"
    assert secret == Secret("planted") != Secret("other")
