"""Imports: many recipients at once, which MailUp takes in by itself after the call."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from ...exceptions import MailUpUnavailable
from ..operations import Operation
from ..paging import PAGE_SIZE
from . import reading
from .recipients import NewRecipient
from .requester import Order, Requester, Resource, Where

if TYPE_CHECKING:
    from .fields import Fields

START: Final = Operation("imports.start", "POST", "/Console/List/{list_id}/Recipients")
START_IN_GROUP: Final = Operation("imports.start_in_group", "POST", "/Console/Group/{group_id}/Recipients")
GET: Final = Operation("imports.get", "GET", "/Console/Import/{import_id}")
SENDING: Final = Operation("imports.sending", "GET", "/Console/Import/{import_id}/Sending")
ALL: Final = Operation("imports.all", "GET", "/Console/Imports")
DETAILS: Final = Operation("imports.details", "GET", "/Console/Imports/{import_id}")

As = Literal["asOptin", "asOptout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import, as far as it is. The counts are final when it is `completed`."""

    id: int
    completed: bool
    valid: int
    not_valid: int
    created: int
    updated: int
    imported: int
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportDetails:
    """What MailUp remembers of an import. The meaning of `status_code` isn't documented."""

    id: int
    list_id: int | None
    group_ids: tuple[int, ...]
    filename: str
    status_code: int | None
    started_at: datetime | None
    ended_at: datetime | None
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """One chunk that MailUp has taken: the import's id, and how many recipients were in it."""

    import_id: int
    size: int
    imports: Imports = field(repr=False, compare=False)

    def wait(
        self, *, seconds: float = 300, every: float = 2.0, progress: Callable[[Import], None] | None = None
    ) -> Import:
        """Wait until it is completed, and return the import. As `imports.wait`."""
        return self.imports.wait(import_id=self.import_id, seconds=seconds, every=every, progress=progress)


class Imports(Resource):
    """The operations on imports."""

    def __init__(self, client: Requester, fields: Fields) -> None:
        super().__init__(client)
        self._fields = fields

    def start(
        self, *, list_id: int, recipients: Iterable[NewRecipient], confirm: bool = False, as_: As | None = None,
        ignore_mobile: bool = False, clear_missing_fields: bool = False,
    ) -> int:  # fmt: skip
        """Send recipients to a list in one call, and return the import's id. (Documented by MailUp.)

        `POST /Console/List/{list_id}/Recipients`. Who is known is updated, and subscribed unless they had unsubscribed.

        Args:
            confirm: double opt-in. MailUp prepares the mail that asks to confirm, and doesn't send it: `sending` tells
                its id, for `sendings.start_now`.
            as_: `asOptin` subscribes even those who had unsubscribed; `asOptout` unsubscribes everybody sent.
            ignore_mobile: leave numbers aside, which prevents refusals where address and number belong to two people.
                (Seen in one client.)
            clear_missing_fields: empty the personal fields that aren't sent.

        Raises:
            ValueError: nobody to send, or one without proper address.
            BadRequest: MailUp refuses them.
        """
        body = self._body(recipients)
        params = _switches(confirm, as_, ignore_mobile, clear_missing_fields)
        return reading.whole_number(self._call(START, json=body, params=params, list_id=list_id))

    def start_in_group(
        self, *, group_id: int, recipients: Iterable[NewRecipient], confirm: bool = False, as_: As | None = None,
        ignore_mobile: bool = False, clear_missing_fields: bool = False, leave_other_groups: bool = False,
    ) -> int:  # fmt: skip
        """Send recipients to a group and its list in one call, as `start`. `POST /Console/Group/{group_id}/Recipients`.

        (Documented by MailUp.) `leave_other_groups`: take them out of the groups they were in.
        """
        body = self._body(recipients)
        params = _switches(confirm, as_, ignore_mobile, clear_missing_fields)
        if leave_other_groups:
            params["removeFromPrevGroups"] = "true"
        return reading.whole_number(self._call(START_IN_GROUP, json=body, params=params, group_id=group_id))

    def get(self, *, import_id: int) -> Import:
        """Return how far an import is. `GET /Console/Import/{import_id}`. (Documented by MailUp.)

        Raises:
            NotFound: there is no such import.
        """
        raw = reading.record(self._call(GET, import_id=import_id))
        return Import(
            id=reading.number(raw, "idImport") or import_id,
            completed=reading.flag(raw, "Completed"),
            valid=reading.number(raw, "ValidRecipients") or 0,
            not_valid=reading.number(raw, "NotValidRecipients") or 0,
            created=reading.number(raw, "CreatedRecipients") or 0,
            updated=reading.number(raw, "UpdatedRecipients") or 0,
            imported=reading.number(raw, "ImportedRecipients") or 0,
            raw=raw,
        )

    def job(self, *, import_id: int, size: int = 0) -> ImportJob:
        """Return an import that was begun, by its id, to wait for it. Asks MailUp nothing."""
        return ImportJob(import_id=import_id, size=size, imports=self)

    def wait(
        self, *, import_id: int, seconds: float = 300, every: float = 2.0,
        progress: Callable[[Import], None] | None = None,
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
            found = self.get(import_id=import_id)
            if progress is not None:
                progress(found)
            if found.completed:
                return found
            if time.monotonic() + every > give_up_at:
                raise MailUpUnavailable(
                    f"Import {import_id} is not completed after {seconds:g} s; MailUp goes on with it."
                )
            time.sleep(every)

    def sending(self, *, import_id: int) -> int | None:
        """Return the sending that asks the recipients of an import to confirm; None without one. (In MailUp's own SDK.)

        `GET /Console/Import/{import_id}/Sending`. Nobody sends it but `sendings.start_now` or `schedule`.
        """
        answer = self._call(SENDING, import_id=import_id)
        return reading.number(answer, "idSending") if isinstance(answer, dict) else None

    def all(self, *, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE) -> Iterator[ImportDetails]:
        """Yield what MailUp remembers of imports. `GET /Console/Imports`. (An operation of MailUp's service.)"""
        return map(_details, self._pages(ALL, where=where, order=order, page_size=page_size))

    def details(self, *, import_id: int) -> ImportDetails:
        """Return what MailUp remembers of one import. `GET /Console/Imports/{import_id}`. (Documented by MailUp.)"""
        return _details(reading.record(self._call(DETAILS, import_id=import_id)))

    def _body(self, recipients: Iterable[NewRecipient]) -> list[dict[str, Any]]:
        body = [each.as_json(self._fields) for each in recipients]
        if not body:
            raise ValueError("recipients must not be empty.")
        return body


def _switches(confirm: bool, as_: As | None, ignore_mobile: bool, clear_missing_fields: bool) -> dict[str, str]:
    if as_ not in (None, "asOptin", "asOptout"):
        raise ValueError(f"as_ must be asOptin or asOptout, not {as_!r}.")
    params = {"ConfirmEmail": "true"} if confirm else {}
    if as_ is not None:
        params["importType"] = as_
    if ignore_mobile:
        params["ignoreMobile"] = "true"
    if clear_missing_fields:
        params["clearMissingOrEmptyFields"] = "true"
    return params


def _details(raw: Mapping[str, Any]) -> ImportDetails:
    groups = reading.pick(raw, "IdGroups")
    return ImportDetails(
        id=reading.identifier(raw, "IdImport"),
        list_id=reading.number(raw, "IdList"),
        group_ids=tuple(each for each in groups if isinstance(each, int)) if isinstance(groups, list) else (),
        filename=reading.text(raw, "Filename"),
        status_code=reading.number(raw, "StatusCode"),
        started_at=reading.moment(raw, "StartDate"),
        ended_at=reading.moment(raw, "EndDate"),
        raw=raw,
    )
