"""Statistics. Here every second recipient opens what is sent to them, every fourth clicks, and ids decide which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .calls import Call, Failed, operation
from .memory import Mail

LINK = "https://sandbox.example/offer"
HAPPENS: dict[str, Callable[[int], bool]] = {
    "Recipients": lambda number: True,
    "Deliveries": lambda number: True,
    "Views": lambda number: number % 2 == 0,
    "Clicks": lambda number: number % 4 == 0,
    "Bounces": lambda number: number % 97 == 0,
    "Unsubscriptions": lambda number: number % 89 == 0,
}


def mail_of(call: Call, message_id: str) -> Mail:
    found = call.memory.mails.get(int(message_id))
    if found is None:
        raise Failed(404, f"Message {message_id} does not exist.")
    return found


def of_message(call: Call, message_id: str, kind: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number, count in mail_of(call, message_id).delivered.items():
        person = call.memory.people.get(number)
        if person is None or not HAPPENS[kind](number):
            continue
        told = {"IdMessage": int(message_id)} if kind == "Recipients" else {"Count": count}
        rows.append({**told, "Email": person.address, "IdRecipient": number})
    return rows


def links(call: Call, message_id: str) -> list[dict[str, Any]]:
    clicks = sum(row["Count"] for row in of_message(call, message_id, "Clicks"))
    return [{"Count": clicks, "IdMessage": int(message_id), "Url": LINK}] if clicks else []


def of_recipient(call: Call, recipient_id: str, kind: str) -> list[dict[str, Any]]:
    number = call.person(recipient_id).id
    if not HAPPENS[kind](number):
        return []
    return [
        {
            "Count": mail.delivered[number], "IdList": mail.list_id, "IdMessage": mail.id,
            "Notes": mail.body.get("Notes") or "", "Subject": mail.body.get("Subject") or "",
        }
        for mail in call.memory.mails.values()
        if mail.delivered[number]
    ]  # fmt: skip


def _enter(path: str, rows: Callable[..., list[dict[str, Any]]], name: str, kind: str, *, counts: bool = True) -> None:
    """Enter the list operation of a kind, and its count."""
    operation("GET", f"{path}/List/{name}")(lambda call, **ids: call.pages(rows(call, *ids.values(), kind)))
    if counts:
        operation("GET", f"{path}/Count/{name}")(lambda call, **ids: len(rows(call, *ids.values(), kind)))


for _kind in ("Recipients", "Views", "Clicks", "Bounces", "Unsubscriptions"):
    _enter("/Message/{message_id}", of_message, _kind, _kind)
for _kind in ("Deliveries", "Views", "Clicks", "Bounces", "Unsubscriptions"):
    _enter("/Recipient/{recipient_id}", of_recipient, _kind, _kind)
_enter("/Message/{message_id}", of_message, "UrlClickDetails", "Clicks", counts=False)
_enter("/Recipient/{recipient_id}", of_recipient, "ClicksDetails", "Clicks", counts=False)
_enter("/Recipient/{recipient_id}", of_recipient, "BouncesDetails", "Bounces", counts=False)


@operation("GET", "/Message/{message_id}/List/UrlClicks")
def url_clicks(call: Call, message_id: str) -> Any:
    return call.pages(links(call, message_id))


@operation("GET", "/Message/{message_id}/Count/UrlClicks")
def url_clicks_count(call: Call, message_id: str) -> Any:
    return len(links(call, message_id))
