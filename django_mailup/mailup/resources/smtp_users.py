"""SMTP+ users, through whom a list sends one-to-one mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Unpack

from .. import arguments, parsing
from ..declared import By, called
from ..flow import CallOptions
from ..operations import DOCUMENTED, Operation
from ..records import Record, key, list_of
from ..requester import Resource


class Priority(Record):
    """How urgently an SMTP+ user's mail is sent: 1 is the most."""

    code: int = key("PriorityCode")
    name: str = key("PriorityName")


# fmt: off
PRIORITIES = Operation("smtp_users.priorities", "GET", "/Console/SmtpPlusPriorities", DOCUMENTED, list_of(Priority))
CREATE = Operation("smtp_users.create", "POST", "/Console/List/{list_id}/SmtpPlus", DOCUMENTED, parsing.mapping)
# fmt: on


class SmtpUsers(Resource):
    """The operations on SMTP+ users."""

    priorities = called(By.nothing, PRIORITIES, "Return the priorities that there are.")

    def create(
        self, *, list_id: int, priority: int = 3, enabled: bool = True, note: str = "",
        trusted_domains: Iterable[str] = (), trusted_senders: Iterable[str] = (), **options: Unpack[CallOptions],
    ) -> Mapping[str, Any]:  # fmt: skip
        """Create an SMTP+ user of a list, and return what MailUp says of it, which holds its password.

        Senders must be confirmed.

        Raises:
            ValueError: the priority isn't 1 to 5, or a sender is no address.
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
        return self._call(CREATE, json=body, list_id=list_id, options=options)
