"""SMTP+ users, through whom a list sends one-to-one mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..operations import Operation
from . import arguments, reading
from .requester import Resource

PRIORITIES: Final = Operation("smtp_users.priorities", "GET", "/Console/SmtpPlusPriorities")
CREATE: Final = Operation("smtp_users.create", "POST", "/Console/List/{list_id}/SmtpPlus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority:
    """How urgently an SMTP+ user's mail is sent: 1 is the most."""

    code: int
    name: str
    raw: Mapping[str, Any] = field(repr=False)


class SmtpUsers(Resource):
    """The operations on SMTP+ users."""

    def priorities(self) -> list[Priority]:
        """Return the priorities that there are. `GET /Console/SmtpPlusPriorities`. (Documented by MailUp.)"""
        return [
            Priority(code=reading.identifier(raw, "PriorityCode"), name=reading.text(raw, "PriorityName"), raw=raw)
            for raw in reading.records(self._call(PRIORITIES))
        ]

    def create(
        self, *, list_id: int, priority: int = 3, enabled: bool = True, note: str = "",
        trusted_domains: Iterable[str] = (), trusted_senders: Iterable[str] = (),
    ) -> Mapping[str, Any]:  # fmt: skip
        """Make an SMTP+ user of a list, and return what MailUp says of it, which holds its password.

        `POST /Console/List/{list_id}/SmtpPlus`. (Documented by MailUp.) Senders must be confirmed.
        """
        if priority not in range(1, 6) or isinstance(priority, bool):
            raise ValueError(f"priority must be 1 to 5, not {priority!r}.")
        body = {
            "IsEnabled": enabled,
            "Note": note,
            "PriorityCode": priority,
            "TrustedDomains": list(trusted_domains),
            "TrustedSenders": [arguments.email("trusted_senders", each) for each in trusted_senders],
        }
        return reading.record(self._call(CREATE, json=body, list_id=list_id))
