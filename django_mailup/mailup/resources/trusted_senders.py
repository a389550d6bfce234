"""Trusted senders: addresses that may be the sender of messages."""

from __future__ import annotations

from datetime import datetime
from typing import Unpack

from .. import arguments, parsing
from ..flow import CallOptions
from ..methods import CallTakes, PagesTake, paged_call, single_call
from ..operations import DOCUMENTED, INFERRED, Operation
from ..parsing import no_result
from ..records import Record, key
from ..resource_base import Resource


class TrustedSender(Record):
    """An address that may be the sender of messages once its owner has `confirmed` it, unless it is `blocked`."""

    id: str = key("IdTrustedSender")
    email: str = key("EmailAddress")
    confirmed: bool = key("StatusCode", parse=lambda code: parsing.number(code) == 1)
    blocked: bool = key("StatusCode", parse=lambda code: parsing.number(code) == 2)
    status: str = key("StatusDescription")
    created_at: datetime | None = key("CreationDate")
    authorized_at: datetime | None = key("AuthorizationDate")


# fmt: off
REGISTER = Operation("trusted_senders.register", "POST", "/Console/TrustedSenders", DOCUMENTED, TrustedSender)
ALL = Operation("trusted_senders.all", "GET", "/Console/TrustedSenders", INFERRED, TrustedSender)
GET = Operation("trusted_senders.get", "GET", "/Console/TrustedSenders/{trusted_sender_id}", DOCUMENTED, TrustedSender)
DELETE = Operation("trusted_senders.delete", "DELETE", "/Console/TrustedSenders/{trusted_sender_id}", DOCUMENTED,
    no_result)
# fmt: on


class TrustedSenders(Resource):
    """The operations on trusted senders."""

    def register(self, *, email: str, **options: Unpack[CallOptions]) -> TrustedSender:
        """Ask the owner of an address to confirm it as a sender. Raise ValueError if it is not an address."""
        return self._call(REGISTER, json={"Email": arguments.email("email", email)}, options=options)

    all = paged_call(PagesTake.no_ids, ALL, "Yield the trusted senders.")
    get = single_call(CallTakes.trusted_sender_id, GET, "Return a trusted sender.")
    delete = single_call(CallTakes.trusted_sender_id, DELETE, "Delete a trusted sender.")
