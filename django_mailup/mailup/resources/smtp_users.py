"""SMTP+ users, through which a list sends single messages by SMTP."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Unpack

from .. import arguments, parsing
from ..flow import CallOptions
from ..methods import CallTakes, single_call
from ..operations import DOCUMENTED, Operation
from ..records import Record, key, list_of
from ..resource_base import Resource


class Priority(Record):
    """A priority of an SMTP+ user's messages. Code 1 is the highest."""

    code: int = key("PriorityCode")
    name: str = key("PriorityName")


class SmtpUser(Record):
    """An SMTP+ user of a list, and the server for its messages. `repr` hides the password; `raw` has it too."""

    username: str = key("Username")
    password: str = key("Password", repr=False)
    server: str = key("SmtpPlusServer")
    port: int | None = key("SmtpPlusPort")
    encryption: str = key("SmtpPlusEncryption")
    enabled: bool = key("IsEnabled")
    trusted: bool = key("IsTrusted")
    note: str = key("Note")
    priority: int | None = key("PriorityCode")
    trusted_domains: tuple[str, ...] = key("TrustedDomains", parse=parsing.string_tuple)
    trusted_senders: tuple[str, ...] = key("TrustedSenders", parse=parsing.string_tuple)
    created_at: datetime | None = key("CreationDate")


# fmt: off
PRIORITIES = Operation("smtp_users.priorities", "GET", "/Console/SmtpPlusPriorities", DOCUMENTED, list_of(Priority))
CREATE = Operation("smtp_users.create", "POST", "/Console/List/{list_id}/SmtpPlus", DOCUMENTED, SmtpUser)
# fmt: on


class SmtpUsers(Resource):
    """The operations on SMTP+ users."""

    priorities = single_call(CallTakes.no_ids, PRIORITIES, "Return the priorities to choose from.")

    def create(
        self, *, list_id: int, priority: int = 3, enabled: bool = True, note: str = "",
        trusted_domains: Iterable[str] = (), trusted_senders: Iterable[str] = (), **options: Unpack[CallOptions],
    ) -> SmtpUser:  # fmt: skip
        """Create an SMTP+ user of a list, and return it with its password, which doesn't expire.

        Args:
            priority: a code from 1 (highest) to 5.
            trusted_senders: addresses of confirmed trusted senders.

        Raises:
            ValueError: the priority isn't 1 to 5, or a sender is not an e-mail address.
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
