"""Imports: adding many recipients in one call. MailUp carries an import out after it has answered the call."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Unpack, cast

from ...exceptions import MailUpUnavailable
from .. import parsing
from ..flow import CallOptions, Flow
from ..methods import CallTakes, PagesTake, paged_call, single_call
from ..operations import DOCUMENTED, LISTED, MAILUP_CODE, Operation
from ..parsing import whole_number
from ..records import Record, key
from ..resource_base import Driver, Resource
from .fields import Fields
from .new_recipients import NewRecipient, json_list_flow

ImportType = Literal["asOptin", "asOptout"]


class Import(Record):
    """The state of an import: numbers of recipients, which are final when it is `completed`."""

    id: int = key("idImport", fallback_argument="import_id")
    completed: bool = key("Completed")
    valid: int = key("ValidRecipients", parse=parsing.count)
    not_valid: int = key("NotValidRecipients", parse=parsing.count)
    created: int = key("CreatedRecipients", parse=parsing.count)
    updated: int = key("UpdatedRecipients", parse=parsing.count)
    imported: int = key("ImportedRecipients", parse=parsing.count)


class ImportDetails(Record):
    """MailUp's record of an import, past or running. The meaning of `status_code` isn't documented."""

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
    """Options of an import into a list, in addition to those of every call."""

    confirm: bool
    """Double opt-in: MailUp prepares a confirmation message. Send it with `sendings.start_now` and the id that
    `imports.sending` returns."""

    as_: ImportType | None
    """`asOptin` also subscribes recipients who had unsubscribed; `asOptout` unsubscribes all recipients."""

    ignore_mobile: bool
    """Ignore mobile numbers, so that MailUp doesn't refuse an address and a number of two different recipients. (Seen
    in one client.)"""

    clear_missing_fields: bool
    """Clear the personal fields that a recipient of the import doesn't have."""


class GroupImportSwitches(ImportSwitches, total=False):
    """Options of an import into a group, in addition to those of an import into a list."""

    leave_other_groups: bool
    """Remove the recipients from all other groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """A started import, to wait for: its id, and the number of recipients that were sent (`size`)."""

    import_id: int
    size: int
    imports: Imports = field(repr=False, compare=False)

    def wait(
        self, *, seconds: float = 300, every: float = 2.0, progress: Callable[[Import], None] | None = None,
        **options: Unpack[CallOptions],
    ) -> Import:  # fmt: skip
        """Wait until the import is completed, and return it. Arguments and errors are those of `Imports.wait`."""
        return self.imports.wait(import_id=self.import_id, seconds=seconds, every=every, progress=progress, **options)


class Imports(Resource):
    """The operations on imports."""

    def __init__(self, client: Driver, fields: Fields) -> None:
        super().__init__(client)
        self._fields = fields

    def start(self, *, list_id: int, recipients: Iterable[NewRecipient], **switches: Unpack[ImportSwitches]) -> int:
        """Start an import of recipients into a list, by one call, and return the import's id.

        Existing recipients are updated, and subscribed unless they had unsubscribed.

        Args:
            switches: see ImportSwitches.

        Raises:
            ValueError: there are no recipients, an address is not an e-mail address, or a switch is wrong.
            BadRequest: MailUp refuses the recipients.
        """
        return self._client.run(self.start_flow(recipients, cast(GroupImportSwitches, switches), list_id=list_id))

    def start_in_group(
        self, *, group_id: int, recipients: Iterable[NewRecipient], **switches: Unpack[GroupImportSwitches]
    ) -> int:
        """Start an import into a group and its list. As `start`; for `switches` see GroupImportSwitches."""
        return self._client.run(self.start_flow(recipients, switches, group_id=group_id))

    get = single_call(CallTakes.import_id, GET, "Return the state of an import.")

    def job(self, *, import_id: int, size: int = 0) -> ImportJob:
        """Return a job to wait for a started import. Makes no call."""
        return ImportJob(import_id=import_id, size=size, imports=self)

    def wait(
        self, *, import_id: int, seconds: float = 300, every: float = 2.0,
        progress: Callable[[Import], None] | None = None, **options: Unpack[CallOptions],
    ) -> Import:  # fmt: skip
        """Wait until an import is completed, and return it.

        Args:
            seconds: the seconds to wait at most.
            every: the seconds between two calls that ask for the state.
            progress: called with the state after each such call.

        Raises:
            MailUpUnavailable: the import isn't completed in time. MailUp goes on with it.
        """
        give_up_at = time.monotonic() + seconds
        while True:
            current = self.get(import_id=import_id, **options)
            if progress is not None:
                progress(current)
            if current.completed:
                return current
            if time.monotonic() + every > give_up_at:
                raise MailUpUnavailable(
                    f"Import {import_id} is not completed after {seconds:g} s; MailUp goes on with it."
                )
            time.sleep(every)

    sending = single_call(CallTakes.import_id, SENDING, "Return the id of the confirmation's Sending, or None.")
    all = paged_call(PagesTake.no_ids, ALL, "Yield MailUp's records of all imports.")
    details = single_call(CallTakes.import_id, DETAILS, "Return MailUp's record of one import.")

    def start_flow(
        self, recipients: Iterable[NewRecipient], switches: GroupImportSwitches, *, list_id: int | None = None,
        group_id: int | None = None,
    ) -> Flow[int]:  # fmt: skip
        """Return the flow of `start` or `start_in_group`, for use in another method's flow."""
        options: dict[str, Any] = dict(switches)
        params = _params(group_id is not None, options)
        rest = cast(CallOptions, options)
        body = yield from json_list_flow(recipients, self._fields, rest)
        if group_id is not None:
            return (yield from self._flow(START_IN_GROUP, json=body, params=params, options=rest, group_id=group_id))
        assert list_id is not None
        return (yield from self._flow(START, json=body, params=params, options=rest, list_id=list_id))


_SWITCHES: Final = {
    "confirm": "ConfirmEmail", "ignore_mobile": "ignoreMobile", "clear_missing_fields": "clearMissingOrEmptyFields"
}  # fmt: skip


def check_switches(switches: Mapping[str, Any], *, in_group: bool) -> None:
    """Check the switches of an import before anything is written or sent.

    Raises:
        TypeError: there is no such switch, or only for groups.
        ValueError: a switch has a wrong value.
    """
    rest = dict(switches)
    _params(in_group, rest)
    for name in rest:
        if name not in CallOptions.__annotations__:
            raise TypeError(f"An import into a {'group' if in_group else 'list'} has no switch {name!r}.")


def _params(in_group: bool, switches: dict[str, Any]) -> dict[str, str]:
    """Remove the switches from keyword arguments, and return them as MailUp's query parameters."""
    as_ = switches.pop("as_", None)
    if as_ not in (None, "asOptin", "asOptout"):
        raise ValueError(f"as_ must be asOptin or asOptout, not {as_!r}.")
    params = {} if as_ is None else {"importType": str(as_)}
    names = _SWITCHES | ({"leave_other_groups": "removeFromPrevGroups"} if in_group else {})
    return params | {names[name]: "true" for name in names if switches.pop(name, False)}
