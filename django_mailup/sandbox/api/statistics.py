"""Statistics by message and by recipient. A recipient's id decides what happens, unless a test has set it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..accounts import Message
from ..api_call import Call
from .routes import route

LINK = "https://sandbox.example/offer"
HAPPENS: dict[str, Callable[[int], bool]] = {
    "Recipients": lambda recipient_id: True,
    "Deliveries": lambda recipient_id: True,
    "Views": lambda recipient_id: recipient_id % 2 == 0,
    "Clicks": lambda recipient_id: recipient_id % 4 == 0,
    "Bounces": lambda recipient_id: recipient_id % 97 == 0,
    "Unsubscriptions": lambda recipient_id: recipient_id % 89 == 0,
}
"""Whether each kind of event happens to a recipient with this id: every second opens messages, every fourth clicks."""


def events(message: Message, kind: str) -> Mapping[int, int]:
    """Return how often this kind of event happened to each recipient of a message, by recipient id."""
    if kind in message.results:
        return message.results[kind]
    return {each: count for each, count in message.deliveries.items() if HAPPENS[kind](each)}


def of_message(call: Call, message_id: str, kind: str) -> list[dict[str, Any]]:
    """Return a row for each recipient of a message to whom this kind of event happened."""
    rows: list[dict[str, Any]] = []
    for recipient_id, count in events(call.find_message_by_id(message_id), kind).items():
        recipient = call.account.recipients.get(recipient_id)
        if recipient is None:
            continue
        counted = {"IdMessage": int(message_id)} if kind == "Recipients" else {"Count": count}
        rows.append({**counted, "Email": recipient.email, "IdRecipient": recipient_id})
    return rows


def links_of_message(call: Call, message_id: str) -> list[dict[str, Any]]:
    """Return a row for each link of a message that was clicked. Every message has one link."""
    clicks = sum(row["Count"] for row in of_message(call, message_id, "Clicks"))
    return [{"Count": clicks, "IdMessage": int(message_id), "Url": LINK}] if clicks else []


def of_recipient(call: Call, recipient_id: str, kind: str) -> list[dict[str, Any]]:
    """Return a row for each message of a recipient to which this kind of event happened."""
    found = call.find_recipient(recipient_id)
    counts = {each.id: events(each, kind).get(found.id, 0) for each in call.account.messages.values()}
    return [
        {
            "Count": counts[message.id], "IdList": message.list_id, "IdMessage": message.id,
            "Notes": message.body.get("Notes") or "", "Subject": message.body.get("Subject") or "",
        }
        for message in call.account.messages.values()
        if counts[message.id]
    ]  # fmt: skip


def _add_routes(
    path: str, rows: Callable[..., list[dict[str, Any]]], name: str, kind: str, *, count: bool = True
) -> None:
    """Add the operation that lists a kind of event, and the one that counts it."""
    route("GET", f"{path}/List/{name}")(lambda call, **ids: call.page(rows(call, *ids.values(), kind)))
    if count:
        route("GET", f"{path}/Count/{name}")(lambda call, **ids: len(rows(call, *ids.values(), kind)))


for _kind in ("Recipients", "Views", "Clicks", "Bounces", "Unsubscriptions"):
    _add_routes("/Message/{message_id}", of_message, _kind, _kind)
for _kind in ("Deliveries", "Views", "Clicks", "Bounces", "Unsubscriptions"):
    _add_routes("/Recipient/{recipient_id}", of_recipient, _kind, _kind)
_add_routes("/Message/{message_id}", of_message, "UrlClickDetails", "Clicks", count=False)
_add_routes("/Recipient/{recipient_id}", of_recipient, "ClicksDetails", "Clicks", count=False)
_add_routes("/Recipient/{recipient_id}", of_recipient, "BouncesDetails", "Bounces", count=False)


@route("GET", "/Message/{message_id}/List/UrlClicks")
def url_clicks(call: Call, message_id: str) -> Any:
    return call.page(links_of_message(call, message_id))


@route("GET", "/Message/{message_id}/Count/UrlClicks")
def url_clicks_count(call: Call, message_id: str) -> Any:
    return len(links_of_message(call, message_id))
