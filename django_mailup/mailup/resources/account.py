"""Who a connection acts as: `GET /Console/Authentication/Info` and `/Details`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from .. import parsing
from ..declared import By, called
from ..operations import DOCUMENTED, Operation
from ..records import Record, key
from ..requester import Resource


class AccountInfo(Record):
    """The MailUp user behind a token. `uid` (a string) and `username` (such as m12345) name the connection."""

    uid: str = key("UID")
    username: str = key("Username")
    company: str = key("Company")
    is_trial: bool = key("IsTrial")
    expires_at: datetime | None = key("ExpiryDate")
    url: str = key("Url")
    version: str = key("Version")


class AccountDetails(AccountInfo):
    """The same, with what the account may spend. `credits_by_list` maps list ids to credits."""

    email: str = key("Email")
    language: str = key("Lang")
    plan: int | None = key("Plan")
    auto_renewal: bool = key("AutoRenewal")
    total_credits: int | None = key("TotalCredits")
    credits_by_list: Mapping[int, int] = key(
        "CreditsByList", parse=partial(parsing.table, of=parsing.count, under="Credit", by=("ListId", "idList"))
    )


# fmt: off
INFO = Operation("account.info", "GET", "/Console/Authentication/Info", DOCUMENTED, AccountInfo)
DETAILS = Operation("account.details", "GET", "/Console/Authentication/Details", DOCUMENTED, AccountDetails)
# fmt: on


class Account(Resource):
    """The operations of the account."""

    info = called(By.nothing, INFO, "Return whose account this is: MailUp's recommended test of a connection.")
    details = called(By.nothing, DETAILS, "Return who this is, with language, plan and credits.")
