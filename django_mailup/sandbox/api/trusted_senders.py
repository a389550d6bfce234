"""Trusted senders: addresses that may be used as the sender of messages."""

from __future__ import annotations

from typing import Any

from ..accounts import format_date
from ..api_call import EMPTY, Call
from ..errors import APIError
from .routes import route


@route("POST", "/Console/TrustedSenders")
def register(call: Call) -> Any:
    email = str(call.body_object().get("Email") or "")
    if "@" not in email:
        raise APIError(400, "Email is mandatory.")
    made = {
        "AuthorizationDate": "", "CreationDate": format_date(call.now), "EmailAddress": email,
        "IdTrustedSender": str(next(call.account.ids)), "StatusCode": 0,
        "StatusDescription": "Waiting for confirmation", "UpdateDate": "",
    }  # fmt: skip
    call.account.trusted_senders.append(made)
    return made


@route("GET", "/Console/TrustedSenders")
def all_trusted_senders(call: Call) -> Any:
    return call.page(call.account.trusted_senders)


def find_trusted_sender(call: Call, trusted_sender_id: str) -> dict[str, Any]:
    """Return the JSON of a trusted sender. Raise APIError (404) if there is none."""
    for each in call.account.trusted_senders:
        if each["IdTrustedSender"] == trusted_sender_id:
            return each
    raise APIError(404, f"Trusted sender {trusted_sender_id} does not exist.")


@route("GET", "/Console/TrustedSenders/{trusted_sender_id}")
def get(call: Call, trusted_sender_id: str) -> Any:
    return find_trusted_sender(call, trusted_sender_id)


@route("DELETE", "/Console/TrustedSenders/{trusted_sender_id}")
def delete(call: Call, trusted_sender_id: str) -> Any:
    call.account.trusted_senders.remove(find_trusted_sender(call, trusted_sender_id))
    return EMPTY
