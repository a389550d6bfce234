"""Who a connection acts as: `GET /Console/Authentication/Info` and `/Details`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from ..operations import Operation
from . import reading
from .requester import Resource

INFO: Final = Operation("account.info", "GET", "/Console/Authentication/Info")
DETAILS: Final = Operation("account.details", "GET", "/Console/Authentication/Details")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInfo:
    """The MailUp user behind a token. `uid` (a string) and `username` (such as m12345) name the connection."""

    uid: str
    username: str
    company: str
    is_trial: bool
    expires_at: datetime | None
    url: str
    version: str
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDetails(AccountInfo):
    """The same, with what the account may spend. `credits_by_list` maps list ids to credits."""

    email: str
    language: str
    plan: int | None
    auto_renewal: bool
    total_credits: int | None
    credits_by_list: Mapping[int, int]


class Account(Resource):
    """The operations of the account."""

    def info(self) -> AccountInfo:
        """Return who this is: MailUp's recommended "am I connected" call. (Documented by MailUp.)

        `GET /Console/Authentication/Info`.
        """
        raw = reading.record(self._call(INFO))
        return AccountInfo(**_info(raw))

    def details(self) -> AccountDetails:
        """Return who this is, with language, plan and credits. `GET /Console/Authentication/Details`.

        (Documented by MailUp.)
        """
        raw = reading.record(self._call(DETAILS))
        rows = reading.pick(raw, "CreditsByList")
        by_list: dict[int, int] = {}
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and (list_id := reading.number(row, "ListId", "idList")) is not None:
                by_list[list_id] = reading.number(row, "Credit") or 0
        return AccountDetails(
            **_info(raw),
            email=reading.text(raw, "Email"),
            language=reading.text(raw, "Lang"),
            plan=reading.number(raw, "Plan"),
            auto_renewal=reading.flag(raw, "AutoRenewal"),
            total_credits=reading.number(raw, "TotalCredits"),
            credits_by_list=by_list,
        )


def _info(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "uid": reading.text(raw, "UID"),
        "username": reading.text(raw, "Username"),
        "company": reading.text(raw, "Company"),
        "is_trial": reading.flag(raw, "IsTrial"),
        "expires_at": reading.moment(raw, "ExpiryDate"),
        "url": reading.text(raw, "Url"),
        "version": reading.text(raw, "Version"),
        "raw": raw,
    }
