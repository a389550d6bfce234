"""Trusted senders: addresses that may stand as sender of messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from ..operations import Operation
from ..paging import PAGE_SIZE
from . import arguments, reading
from .requester import Order, Resource, Where

REGISTER: Final = Operation("trusted_senders.register", "POST", "/Console/TrustedSenders")
ALL: Final = Operation("trusted_senders.all", "GET", "/Console/TrustedSenders")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedSender:
    """An address that may stand as sender, once its owner has confirmed (`confirmed`)."""

    id: str
    email: str
    confirmed: bool
    status: str
    created_at: datetime | None
    authorized_at: datetime | None
    raw: Mapping[str, Any] = field(repr=False)


class TrustedSenders(Resource):
    """The operations on trusted senders."""

    def register(self, *, email: str) -> TrustedSender:
        """Ask the owner of an address to confirm it as sender. `POST /Console/TrustedSenders`.

        (Documented by MailUp.)
        """
        return _sender(reading.record(self._call(REGISTER, json={"Email": arguments.email("email", email)})))

    def all(self, *, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE) -> Iterator[TrustedSender]:
        """Yield the trusted senders. `GET /Console/TrustedSenders`. (Seen in one client; the path is inferred.)"""
        return map(_sender, self._pages(ALL, where=where, order=order, page_size=page_size))


def _sender(raw: Mapping[str, Any]) -> TrustedSender:
    return TrustedSender(
        id=reading.text(raw, "IdTrustedSender"),
        email=reading.text(raw, "EmailAddress"),
        confirmed=reading.number(raw, "StatusCode") == 1,
        status=reading.text(raw, "StatusDescription"),
        created_at=reading.moment(raw, "CreationDate"),
        authorized_at=reading.moment(raw, "AuthorizationDate"),
        raw=raw,
    )
