"""The account that a token belongs to."""

from __future__ import annotations

from typing import Any

from ..api_call import Call
from .routes import route


@route("GET", "/Console/Authentication/Info")
def info(call: Call) -> Any:
    return {
        "Company": call.account.company,
        "ExpiryDate": "2030-01-01 00:00:00.000",
        "IsTrial": call.account.is_trial,
        "UID": call.account.uid,
        "Url": f"{call.user.username}.sandbox.example",
        "Username": call.user.username,
        "Version": "9.0.0",
    }


@route("GET", "/Console/Authentication/Details")
def details(call: Call) -> Any:
    return {
        **info(call),
        "AutoRenewal": False,
        "CreditsByList": [{"Credit": 0, "ListId": each.id} for each in call.account.lists],
        "Email": call.account.email,
        "Lang": "IT",
        "Plan": 1,
        "TotalCredits": 1000,
    }
