"""What recipients do with a message: opens, clicks, bounces and unsubscriptions that a test sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .accounts import Account
from .recipients import OptIn

KINDS: Final = {"opens": "Views", "clicks": "Clicks", "bounces": "Bounces", "unsubscriptions": "Unsubscriptions"}
"""MailUp's names of the kinds of events."""


def set_results(account: Account, message_id: int, results: Mapping[str, Mapping[str, int]], now: float) -> None:
    """Set how often something happened to the recipients of an e-mail message. Kinds that aren't named stay.

    Args:
        results: for `opens`, `clicks`, `bounces` and `unsubscriptions`: how often, by e-mail address. Somebody who is
            not named did nothing. An unsubscription also unsubscribes the recipient from the message's list.

    Raises:
        ValueError: there is no such message or kind, a number is not positive, or the message was not sent to an
            address.
    """
    message = account.messages.get(message_id)
    if message is None:
        raise ValueError(f"there is no message {message_id}")
    made: dict[str, dict[int, int]] = {}
    for kind, counts in results.items():
        if kind not in KINDS:
            raise ValueError(f"there is no result {kind!r}; there are {', '.join(KINDS)}")
        made[KINDS[kind]] = {}
        for address, count in counts.items():
            recipient = account.recipients.with_email(address, exact=False)
            if recipient is None or not message.deliveries[recipient.id]:
                raise ValueError(f"message {message_id} was not sent to {address}")
            if not isinstance(count, int) or count < 1:
                raise ValueError(f"{kind} of {address} must be a positive number, not {count!r}")
            made[KINDS[kind]][recipient.id] = count
    message.results |= made
    for recipient_id in made.get("Unsubscriptions", {}):
        opt_ins = account.recipients[recipient_id].email_opt_ins
        before = opt_ins.get(message.list_id)
        opted_in_at = before.opted_in_at if before else now
        opt_ins[message.list_id] = OptIn("unsubscribed", opted_in_at, opted_out_at=now)
