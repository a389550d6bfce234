"""Imports: many recipients at once, which MailUp takes in by itself after the call."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Unpack, cast

from ...exceptions import MailUpUnavailable
from .. import parsing
from ..declared import By, Rows, called, paged
from ..flow import CallOptions, Steps
from ..operations import DOCUMENTED, LISTED, MAILUP_CODE, Operation
from ..parsing import whole_number
from ..records import Record, key
from ..requester import Requester, Resource
from .fields import Fields
from .new_recipients import NewRecipient, all_as_json

As = Literal["asOptin", "asOptout"]


class Import(Record):
    """An import, as far as it is. The counts are final when it is `completed`."""

    id: int = key("idImport", or_argument="import_id")
    completed: bool = key("Completed")
    valid: int = key("ValidRecipients", parse=parsing.count)
    not_valid: int = key("NotValidRecipients", parse=parsing.count)
    created: int = key("CreatedRecipients", parse=parsing.count)
    updated: int = key("UpdatedRecipients", parse=parsing.count)
    imported: int = key("ImportedRecipients", parse=parsing.count)


class ImportDetails(Record):
    """What MailUp remembers of an import. The meaning of `status_code` isn't documented."""

    id: int = key("IdImport")
    list_id: int | None = key("IdList")
    group_ids: tuple[int, ...] = key("IdGroups", parse=parsing.ids)
    filename: str = key("Filename")
    status_code: int | None = key("StatusCode")
    started_at: datetime | None = key("StartDate")
    ended_at: datetime | None = key("EndDate")


# fmt: off
START = Operation("imports.start", "POST", "/Console/List/{list_id}/Recipients", DOCUMENTED, whole_number)
START_IN_GROUP = Operation("imports.start_in_group", "POST", "/Console/Group/{group_id}/Recipients", DOCUMENTED,
    whole_number)
GET = Operation("imports.get", "GET", "/Console/Import/{import_id}", DOCUMENTED, Import)
SENDING = Operation("imports.sending", "GET", "/Console/Import/{import_id}/Sending", MAILUP_CODE,
    lambda body: parsing.number(parsing.pick(body, "idSending")) if isinstance(body, dict) else None)
ALL = Operation("imports.all", "GET", "/Console/Imports", LISTED, ImportDetails)
DETAILS = Operation("imports.details", "GET", "/Console/Imports/{import_id}", DOCUMENTED, ImportDetails)
# fmt: on


class ImportSwitches(CallOptions, total=False):
    """How an import into a list is to be taken."""

    confirm: bool
    """Double opt-in. MailUp prepares the mail that asks to confirm, and doesn't send it: `imports.sending` tells its
    id, for `sendings.start_now`."""

    as_: As | None
    """`asOptin` subscribes even those who had unsubscribed; `asOptout` unsubscribes everybody sent."""

    ignore_mobile: bool
    """Leave numbers aside, which prevents refusals where address and number belong to two people. (Seen in one
    client.)"""

    clear_missing_fields: bool
    """Empty the personal fields that aren't sent."""


class GroupImportSwitches(ImportSwitches, total=False):
    """How an import into a group is to be taken."""

    leave_other_groups: bool
    """Take the recipients out of the groups they were in. Only for an import into a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """One chunk that MailUp has taken: the import's id, and how many recipients were in it."""

    import_id: int
    size: int
    imports: Imports = field(repr=False, compare=False)

    def wait(
        self, *, seconds: float = 300, every: float = 2.0, progress: Callable[[Import], None] | None = None,
        **options: Unpack[CallOptions],
    ) -> Import:  # fmt: skip
        """Wait until it is completed, and return the import. As `imports.wait`."""
        return self.imports.wait(import_id=self.import_id, seconds=seconds, every=every, progress=progress, **options)


class Imports(Resource):
    """The operations on imports."""

    def __init__(self, client: Requester, fields: Fields) -> None:
        super().__init__(client)
        self._fields = fields

    def start(self, *, list_id: int, recipients: Iterable[NewRecipient], **switches: Unpack[ImportSwitches]) -> int:
        """Send recipients to a list in one call, and return the import's id.

        Those MailUp knows are updated, and subscribed unless they had unsubscribed.

        Args:
            switches: see ImportSwitches.

        Raises:
            ValueError: nobody to send, or one without proper address.
            BadRequest: MailUp refuses them.
        """
        return self._client.run(self.starting(recipients, cast(GroupImportSwitches, switches), list_id=list_id))

    def start_in_group(
        self, *, group_id: int, recipients: Iterable[NewRecipient], **switches: Unpack[GroupImportSwitches]
    ) -> int:
        """Send recipients to a group and its list in one call, as `start`. For `switches` see GroupImportSwitches."""
        return self._client.run(self.starting(recipients, switches, group_id=group_id))

    get = called(By.running_import, GET, "Return how far an import is.")

    def job(self, *, import_id: int, size: int = 0) -> ImportJob:
        """Return an import that was begun, by its id, to wait for it. Asks MailUp nothing."""
        return ImportJob(import_id=import_id, size=size, imports=self)

    def wait(
        self, *, import_id: int, seconds: float = 300, every: float = 2.0,
        progress: Callable[[Import], None] | None = None, **options: Unpack[CallOptions],
    ) -> Import:  # fmt: skip
        """Wait until an import is completed, and return it.

        Args:
            seconds: how long at most.
            every: seconds between two looks.
            progress: is called with what each look tells.

        Raises:
            MailUpUnavailable: it isn't completed in that time; it goes on at MailUp's.
        """
        give_up_at = time.monotonic() + seconds
        while True:
            found = self.get(import_id=import_id, **options)
            if progress is not None:
                progress(found)
            if found.completed:
                return found
            if time.monotonic() + every > give_up_at:
                raise MailUpUnavailable(
                    f"Import {import_id} is not completed after {seconds:g} s; MailUp goes on with it."
                )
            time.sleep(every)

    sending = called(
        By.running_import, SENDING, "Return the id of the mail that asks to confirm, for `sendings`; None without one."
    )
    all = paged(Rows.of_all, ALL, "Yield what MailUp remembers of imports.")
    details = called(By.running_import, DETAILS, "Return what MailUp remembers of one import.")

    def starting(
        self, recipients: Iterable[NewRecipient], switches: GroupImportSwitches, *, list_id: int | None = None,
        group_id: int | None = None,
    ) -> Steps[int]:  # fmt: skip
        """Do as `start` or `start_in_group`, as part of another method's flow."""
        options: dict[str, Any] = dict(switches)
        params = _params(group_id is not None, options)
        rest = cast(CallOptions, options)
        body = yield from all_as_json(recipients, self._fields, rest)
        if group_id is not None:
            return (yield from self._steps(START_IN_GROUP, json=body, params=params, options=rest, group_id=group_id))
        assert list_id is not None
        return (yield from self._steps(START, json=body, params=params, options=rest, list_id=list_id))


_SWITCHES: Final = {
    "confirm": "ConfirmEmail", "ignore_mobile": "ignoreMobile", "clear_missing_fields": "clearMissingOrEmptyFields"
}  # fmt: skip


def _params(in_group: bool, switches: dict[str, Any]) -> dict[str, str]:
    """Take the switches out of the keyword arguments, and return them as MailUp takes them."""
    as_ = switches.pop("as_", None)
    if as_ not in (None, "asOptin", "asOptout"):
        raise ValueError(f"as_ must be asOptin or asOptout, not {as_!r}.")
    params = {} if as_ is None else {"importType": str(as_)}
    names = _SWITCHES | ({"leave_other_groups": "removeFromPrevGroups"} if in_group else {})
    return params | {names[name]: "true" for name in names if switches.pop(name, False)}
