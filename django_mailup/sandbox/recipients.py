"""Recipients of an account: found by id, by address and by number, without looking at all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class OptIn:
    """The subscription of a recipient to a list in one channel: `subscribed`, `unsubscribed` or `pending`."""

    status: str
    opted_in_at: float
    requested_at: float | None = None
    opted_out_at: float | None = None


@dataclass
class Recipient:
    """A recipient of an account.

    Attributes:
        fields: the values of personal fields, by field id.
        email_opt_ins: subscriptions in the e-mail channel, by list id.
        sms_opt_ins: subscriptions in the SMS channel, by list id.
        json_cache: the recipient's JSON, after the values that it was made from; None before it is first needed.
    """

    id: int
    email: str = ""
    name: str = ""
    mobile_prefix: str = ""
    mobile_number: str = ""
    fields: dict[int, str] = field(default_factory=dict)
    email_opt_ins: dict[int, OptIn] = field(default_factory=dict)
    sms_opt_ins: dict[int, OptIn] = field(default_factory=dict)
    group_ids: set[int] = field(default_factory=set)
    json_cache: tuple[Any, str] | None = field(default=None, repr=False)

    def opt_ins(self, channel: str) -> dict[int, OptIn]:
        """Return the subscriptions in a channel (`email` or `sms`), by list id."""
        return self.sms_opt_ins if channel == "sms" else self.email_opt_ins


class TwoRecipients(Exception):
    """The e-mail address and the mobile number belong to two different recipients."""


class Recipients(Mapping[int, Recipient]):
    """The recipients of an account by id, in the order in which they were added."""

    def __init__(self) -> None:
        self._by_id: dict[int, Recipient] = {}
        self._by_email: dict[str, dict[int, Recipient]] = {}
        self._by_number: dict[tuple[str, str], Recipient] = {}

    def __getitem__(self, recipient_id: int) -> Recipient:
        return self._by_id[recipient_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def with_email(self, email: str, *, exact: bool) -> Recipient | None:
        """Return the recipient with an address, or None. `exact`: whether letter case matters."""
        found = self._by_email.get(email.casefold(), {}).values()
        return next((each for each in found if not exact or each.email == email), None)

    def with_number(self, mobile_prefix: str, mobile_number: str) -> Recipient | None:
        """Return the recipient with a mobile number, or None."""
        return self._by_number.get((_bare_prefix(mobile_prefix), mobile_number))

    def add(self, recipient: Recipient) -> Recipient:
        """Add a recipient, and return it."""
        self._by_id[recipient.id] = recipient
        self._index(recipient)
        return recipient

    def change(self, recipient: Recipient, email: str, mobile_prefix: str, mobile_number: str) -> None:
        """Give a recipient another address and another number; what is empty stays."""
        self._unindex(recipient)
        recipient.email = email or recipient.email
        if mobile_number:
            recipient.mobile_prefix, recipient.mobile_number = mobile_prefix, mobile_number
        self._index(recipient)

    def remove(self, recipient: Recipient) -> None:
        """Remove a recipient."""
        self._unindex(recipient)
        del self._by_id[recipient.id]

    def _index(self, recipient: Recipient) -> None:
        if recipient.email:
            self._by_email.setdefault(recipient.email.casefold(), {})[recipient.id] = recipient
        if recipient.mobile_number:
            self._by_number[_bare_prefix(recipient.mobile_prefix), recipient.mobile_number] = recipient

    def _unindex(self, recipient: Recipient) -> None:
        self._by_email.get(recipient.email.casefold(), {}).pop(recipient.id, None)
        self._by_number.pop((_bare_prefix(recipient.mobile_prefix), recipient.mobile_number), None)


def _bare_prefix(mobile_prefix: str) -> str:
    """Return a country's prefix without `+` or `00`, to compare both spellings."""
    return mobile_prefix.lstrip("+").lstrip("0")
