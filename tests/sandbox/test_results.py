"""What recipients do with a message: set by a test, or over HTTP by a program in another process."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from django_mailup.mailup import AccessToken, MailUpClient, Transport
from django_mailup.sandbox import Options, Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter
from django_mailup.sandbox.server import serving


class Source:
    """A token that is never renewed."""

    def __init__(self, access_token: str) -> None:
        self._access_token = access_token

    def get(self) -> AccessToken:
        return AccessToken(self._access_token)

    def renew(self, refused: AccessToken) -> AccessToken:
        raise AssertionError


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(Options(rate_limit=0))


@pytest.fixture
def client(sandbox: Sandbox) -> MailUpClient:
    pair = sandbox.state.redeem_password("m12345", "sandbox", sandbox.client_id)
    return MailUpClient(
        Source(pair.access_token), transport=Transport(timeout=(1, 1), adapter=SandboxAdapter(sandbox)), patience=0
    )


@pytest.fixture
def message(client: MailUpClient) -> int:
    for name in ("ada", "bo", "cy"):
        client.recipients.add(list_id=1, email=f"{name}@example.com")
    made = client.messages.create(list_id=1, subject="News", content="<p>News")
    client.sendings.to_list(list_id=1, message_id=made.id)
    return made.id


def counts(client: MailUpClient, message: int) -> dict[str, dict[str, int | None]]:
    stats = client.statistics
    rows = {
        "opens": stats.message_views(message_id=message), "clicks": stats.message_clicks(message_id=message),
        "bounces": stats.message_bounces(message_id=message),
        "unsubscriptions": stats.message_unsubscriptions(message_id=message),
    }  # fmt: skip
    return {kind: {each.email: each.count for each in found} for kind, found in rows.items()}


RESULTS: dict[str, dict[str, int]] = {
    "opens": {"ada@example.com": 3, "bo@example.com": 1}, "clicks": {"ada@example.com": 2},
    "bounces": {"cy@example.com": 1}, "unsubscriptions": {"bo@example.com": 1},
}  # fmt: skip


def test_a_test_sets_them(client: MailUpClient, sandbox: Sandbox, message: int) -> None:
    sandbox.state.set_results("m12345", message, **RESULTS)

    assert counts(client, message) == RESULTS
    assert client.statistics.message_views_count(message_id=message) == 2
    assert [each.count for each in client.statistics.message_url_clicks(message_id=message)] == [2]
    ada, bo = (client.recipients.find(email=f"{name}@example.com") for name in ("ada", "bo"))
    assert ada is not None
    assert bo is not None
    assert [each.count for each in client.statistics.recipient_views(recipient_id=ada.id)] == [3]
    assert list(client.statistics.recipient_clicks(recipient_id=bo.id)) == []
    standing = client.recipients.standing(email="bo@example.com")[1]
    assert (standing.status, standing.opted_out_at is not None) == ("OPTOUT", True)


def test_they_are_set_over_http(client: MailUpClient, sandbox: Sandbox, message: int) -> None:
    with serving(sandbox) as base_url:
        body = {"username": "m12345", "message_id": message, **RESULTS}
        assert requests.post(f"{base_url}/_sandbox/results", json=body, timeout=10).status_code == 200
        assert requests.post(f"{base_url}/_sandbox/results", data=body, timeout=10).status_code == 404

    assert counts(client, message) == RESULTS


def test_what_is_not_named_stays(client: MailUpClient, sandbox: Sandbox, message: int) -> None:
    before = counts(client, message)
    sandbox.state.set_results("m12345", message, opens={}, clicks={})
    sandbox.state.set_results("m12345", message, opens={"CY@example.com": 1})

    assert counts(client, message) == {**before, "opens": {"cy@example.com": 1}, "clicks": {}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"message_id": 99}, {"opnes": {}}, {"opens": {"eve@example.com": 1}}, {"opens": {"ada@example.com": 0}},
        {"opens": {"ada@example.com": "x"}}, {"opens": 5}, {"username": "nobody"},
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused_and_changes_nothing(
    client: MailUpClient, sandbox: Sandbox, message: int, wrong: dict[str, Any]
) -> None:
    before = counts(client, message)
    with serving(sandbox) as base_url:
        body = {"username": "m12345", "message_id": message, "clicks": {"bo@example.com": 1}, **wrong}
        assert requests.post(f"{base_url}/_sandbox/results", json=body, timeout=10).status_code == 400

    assert counts(client, message) == before
