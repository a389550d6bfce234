"""Trusted senders: addresses that may stand as sender of messages."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Unpack

from .. import parsing
from ..flow import CallOptions
from ..operations import Operation, Source
from ..paging import Paged
from ..records import Record, key
from . import arguments
from .requester import PageOptions, Resource


class TrustedSender(Record):
    """An address that may stand as sender, once its owner has confirmed (`confirmed`)."""

    id: str = key("IdTrustedSender")
    email: str = key("EmailAddress")
    confirmed: bool = key("StatusCode", parse=lambda code: parsing.number(code) == 1)
    status: str = key("StatusDescription")
    created_at: datetime | None = key("CreationDate")
    authorized_at: datetime | None = key("AuthorizationDate")


REGISTER: Final = Operation(
    "trusted_senders.register", "POST", "/Console/TrustedSenders", source=Source.DOCUMENTED, returns=TrustedSender
)
ALL: Final = Operation(
    "trusted_senders.all", "GET", "/Console/TrustedSenders", source=Source.INFERRED, returns=TrustedSender
)


class TrustedSenders(Resource):
    """The operations on trusted senders."""

    def register(self, *, email: str, **options: Unpack[CallOptions]) -> TrustedSender:
        """Ask the owner of an address to confirm it as sender. `POST /Console/TrustedSenders`."""
        return self._call(REGISTER, json={"Email": arguments.email("email", email)}, options=options)

    def all(self, **options: Unpack[PageOptions]) -> Paged[TrustedSender]:
        """Yield the trusted senders. `GET /Console/TrustedSenders`; one client has it, under a path that is inferred."""
        return self._pages(ALL, options=options)
