"""Trusted senders: addresses that may stand as sender of messages."""

from __future__ import annotations

from datetime import datetime
from typing import Unpack

from .. import arguments, parsing
from ..declared import Rows, paged
from ..flow import CallOptions
from ..operations import DOCUMENTED, INFERRED, Operation
from ..records import Record, key
from ..requester import Resource


class TrustedSender(Record):
    """An address that may stand as sender, once its owner has confirmed (`confirmed`)."""

    id: str = key("IdTrustedSender")
    email: str = key("EmailAddress")
    confirmed: bool = key("StatusCode", parse=lambda code: parsing.number(code) == 1)
    status: str = key("StatusDescription")
    created_at: datetime | None = key("CreationDate")
    authorized_at: datetime | None = key("AuthorizationDate")


# fmt: off
REGISTER = Operation("trusted_senders.register", "POST", "/Console/TrustedSenders", DOCUMENTED, TrustedSender)
ALL = Operation("trusted_senders.all", "GET", "/Console/TrustedSenders", INFERRED, TrustedSender)
# fmt: on


class TrustedSenders(Resource):
    """The operations on trusted senders."""

    def register(self, *, email: str, **options: Unpack[CallOptions]) -> TrustedSender:
        """Ask the owner of an address to confirm it as sender."""
        return self._call(REGISTER, json={"Email": arguments.email("email", email)}, options=options)

    all = paged(Rows.of_all, ALL, "Yield the trusted senders.; one client has it, under a path that is inferred.")
