"""SMTP+ users."""

from __future__ import annotations

from typing import Any

from ..accounts import format_date
from ..api_call import Call
from ..errors import APIError
from .routes import route


@route("GET", "/Console/SmtpPlusPriorities")
def priorities(call: Call) -> Any:
    names = ["VeryHigh", "High", "Normal", "Low", "VeryLow"]
    return [{"PriorityCode": code, "PriorityName": name} for code, name in enumerate(names, 1)]


@route("POST", "/Console/List/{list_id}/SmtpPlus")
def create(call: Call, list_id: str) -> Any:
    body = call.body_object()
    confirmed = {each["EmailAddress"] for each in call.account.trusted_senders if each["StatusCode"] == 1}
    unconfirmed = [each for each in body.get("TrustedSenders") or [] if each not in confirmed]
    if unconfirmed:
        raise APIError(400, f"{unconfirmed[0]} is not confirmed.")
    return {
        **body, "CreationDate": format_date(call.now), "IdList": call.find_list(list_id).id, "IsTrusted": True,
        "Password": "sandbox", "SmtpPlusEncryption": "STARTTLS", "SmtpPlusPort": 587,
        "SmtpPlusServer": "smtp.sandbox.example", "Username": f"s{call.account.uid}_{next(call.account.ids)}",
    }  # fmt: skip
