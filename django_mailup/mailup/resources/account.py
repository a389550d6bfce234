"""The MailUp account and user that a connection acts for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from .. import parsing
from ..methods import CallTakes, single_call
from ..operations import DOCUMENTED, Operation
from ..records import Record, key
from ..resource_base import Resource


class AccountInfo(Record):
    """The account (`uid`, `company`) and the user (`username`, such as m12345) that a connection acts for."""

    uid: str = key("UID")
    username: str = key("Username")
    company: str = key("Company")
    is_trial: bool = key("IsTrial")
    expires_at: datetime | None = key("ExpiryDate")
    url: str = key("Url")
    version: str = key("Version")


class AccountDetails(AccountInfo):
    """AccountInfo with the account's plan and credits. `credits_by_list` has the credits of each list, by list id."""

    email: str = key("Email")
    language: str = key("Lang")
    plan: int | None = key("Plan")
    auto_renewal: bool = key("AutoRenewal")
    total_credits: int | None = key("TotalCredits")
    credits_by_list: Mapping[int, int] = key(
        "CreditsByList",
        parse=partial(parsing.values_by_id, id_names=("ListId", "idList"), value_name="Credit", parse=parsing.count),
    )


# fmt: off
INFO = Operation("account.info", "GET", "/Console/Authentication/Info", DOCUMENTED, AccountInfo)
DETAILS = Operation("account.details", "GET", "/Console/Authentication/Details", DOCUMENTED, AccountDetails)
# fmt: on


class Account(Resource):
    """The operations on the account."""

    info = single_call(CallTakes.no_ids, INFO, "Return the account and user. Use it to test a connection.")
    details = single_call(CallTakes.no_ids, DETAILS, "Return the account and user, with language, plan and credits.")
