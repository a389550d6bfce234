"""Every public method of the published client mailupy works against the sandbox, over a real socket."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import mailupy
import pytest

from django_mailup.sandbox import Options, Sandbox
from django_mailup.sandbox.server import serving


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(Options(rate_limit=0))


@pytest.fixture
def client(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[mailupy.Mailupy]:
    with serving(sandbox) as base_url:
        monkeypatch.setattr(mailupy.Mailupy, "AUTH_URL", f"{base_url}/Authorization/OAuth/Token")
        monkeypatch.setattr(mailupy.Mailupy, "BASE_URL", f"{base_url}/API/v1.1/Rest/ConsoleService.svc/Console")
        yield mailupy.Mailupy("m12345", "sandbox", sandbox.client_id, sandbox.client_secret)


def test_every_public_method(client: mailupy.Mailupy, sandbox: Sandbox) -> None:
    called = {"login", *_play(client, sandbox)}

    assert called == {name for name, _ in inspect.getmembers(client, inspect.ismethod) if not name.startswith("_")}


def _play(client: mailupy.Mailupy, sandbox: Sandbox) -> Iterator[str]:
    """Call each method as its documentation shows, check its result, and yield its name."""
    assert [each["Id"] for each in client.get_fields(order_by=["Id asc"])] == list(range(1, 28))
    assert [each["Id"] for each in client.get_fields(filter_by="Description.Contains('Order')")][:2] == [20, 19]
    yield "get_fields"

    group = client.create_group(1, "New", "notes")
    assert (group["Name"], group["idList"]) == ("New", 1)
    yield "create_group"
    assert group["idGroup"] in [each["idGroup"] for each in client.get_groups_from_list(1)]
    yield "get_groups_from_list"
    assert client.get_or_create_group(1, "New") == (group["idGroup"], False)
    assert client.get_or_create_group(1, "Newer")[1] is True
    yield "get_or_create_group"

    ada = client.subscribe_to_list(1, "Ada", "ada@example.com", fields={"FirstName": "Ada"})
    bo = client.subscribe_to_list(1, "Bo", "bo@example.com", pending=True)
    yield "subscribe_to_list"
    assert client.subscribe_to_group(group["idGroup"], "Ada", "ada@example.com") == ada
    yield "subscribe_to_group"
    assert [each["idRecipient"] for each in client.get_recipients_from_group(group["idGroup"])] == [ada]
    yield "get_recipients_from_group"
    assert client.get_recipient_from_group(group["idGroup"], "ada@example.com")["Name"] == "Ada"
    assert client.get_recipient_from_group(group["idGroup"], "nobody@example.com") is None
    yield "get_recipient_from_group"
    assert {each["Status"] for each in client.get_recipients_from_list(1)} == {"OPTIN", "PENDING"}
    yield "get_recipients_from_list"
    assert client.get_recipient_from_list(1, "bo@example.com")["idRecipient"] == bo
    yield "get_recipient_from_list"
    assert [each["Email"] for each in client.get_subscribed_recipients_from_list(1)] == ["ada@example.com"]
    yield "get_subscribed_recipients_from_list"
    assert client.get_subscribed_recipient_from_list(1, "bo@example.com") is None
    yield "get_subscribed_recipient_from_list"
    updated = client.update_customer_fields("Ada L", "ada@example.com", fields={"LastName": "Lovelace"})
    assert (updated["Name"], updated["Fields"][1]["Value"]) == ("Ada L", "Lovelace")
    yield "update_customer_fields"

    assert client.unsubscribe_from_group(group["idGroup"], ada)
    assert list(client.get_recipients_from_group(group["idGroup"])) == []
    yield "unsubscribe_from_group"
    assert client.unsubscribe_from_list(1, ada)
    yield "unsubscribe_from_list"
    assert [each["idRecipient"] for each in client.get_unsubscribed_recipients_from_list(1)] == [ada]
    yield "get_unsubscribed_recipients_from_list"
    assert client.get_unsubscribed_recipient_from_list(1, "ada@example.com")["idRecipient"] == ada
    yield "get_unsubscribed_recipient_from_list"

    account = sandbox.state.users["m12345"].account
    headers = client._default_headers()
    for path in ("List/1/Email", "Sms/List/1/Message"):  # mailupy can send messages, but not create them
        body = {"Subject": "News", "Content": "Hi"}
        client._requests_wrapper("POST", f"{client.BASE_URL}/{path}", headers=headers, json=body)
    (message,), (text,) = account.messages.values(), account.text_messages.values()
    assert [each["idMessage"] for each in client.get_messages_from_list(1)] == [message.id]
    yield "get_messages_from_list"
    assert client.send_message("zoe@example.com", message.id, fields={"FirstName": "Zoe"})
    assert sum(message.deliveries.values()) == 1
    yield "send_message"
    assert client.send_sms("+39", "333", text.id)
    assert sum(text.deliveries.values()) == 1
    yield "send_sms"

    assert client.remove_from_list(1, ada)
    assert client.remove_from_list("all", bo)
    assert list(client.get_recipients_from_list(1)) == []
    yield "remove_from_list"
