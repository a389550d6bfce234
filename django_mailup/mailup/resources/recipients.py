"""Recipients by e-mail: who is subscribed to what, and changing that for one of them. Many at once: see imports."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Unpack, cast

from ...exceptions import ImportStopped, MailUpError
from .. import arguments, parsing
from ..arguments import FieldValues
from ..declared import By, called
from ..expressions import Field
from ..flow import CallOptions, Steps
from ..operations import CLIENTS, DOCUMENTED, MAILUP_CODE, RECORDED, Operation
from ..paging import Paged, PageOptions, Progress
from ..parsing import nothing, whole_number
from ..records import Record, key, list_of
from ..requester import Requester, Resource
from .fields import Fields
from .imports import GroupImportSwitches, ImportJob, Imports
from .new_recipients import NewRecipient

CHUNK: Final = 1000
"""How many recipients go in one call. MailUp names no limit, but very large bodies are refused."""

BY_ID: Final = ("idRecipient",)
"""Rows shift while pages are read unless they are ordered by what doesn't change."""


class Recipient(Record):
    """A recipient. `fields` holds the personal fields that MailUp told, by id; one that isn't set is empty."""

    id: int = key("idRecipient")
    email: str = key("Email")
    name: str = key("Name")
    mobile_prefix: str = key("MobilePrefix")
    mobile_number: str = key("MobileNumber")
    fields: Mapping[int, str] = key("Fields", parse=parsing.field_texts)
    opted_in_at: datetime | None = key("Optin_Date")


class OptIn(Record):
    """How a recipient stands with a list: `status` is MailUp's word (`OPTIN`, `OPTOUT`, `PENDING`)."""

    recipient_id: int = key("idRecipient")
    email: str = key("Email")
    status: str = key("Status")
    opted_in_at: datetime | None = key("Optin_Date")
    requested_at: datetime | None = key("Optin_Request_Date")
    opted_out_at: datetime | None = key("Optout_Date")


# fmt: off
SUBSCRIBED = Operation("recipients.subscribed", "GET", "/Console/List/{list_id}/Recipients/Subscribed", DOCUMENTED,
    Recipient, BY_ID)
UNSUBSCRIBED = Operation("recipients.unsubscribed", "GET", "/Console/List/{list_id}/Recipients/Unsubscribed",
    DOCUMENTED, Recipient, BY_ID)
PENDING = Operation("recipients.pending", "GET", "/Console/List/{list_id}/Recipients/Pending", DOCUMENTED, Recipient,
    BY_ID)
OPT_INS = Operation("recipients.opt_ins", "GET", "/Console/List/{list_id}/Recipients/EmailOptins", RECORDED, OptIn,
    BY_ID)
SEARCH = Operation("recipients.search", "GET", "/Console/Recipients", CLIENTS, list_of(Recipient))
GET = Operation("recipients.get", "GET", "/Console/Recipients/{recipient_id}", CLIENTS, Recipient)
ADD = Operation("recipients.add", "POST", "/Console/List/{list_id}/Recipient", DOCUMENTED, whole_number)
ADD_TO_GROUP = Operation("recipients.add_to_group", "POST", "/Console/Group/{group_id}/Recipient", DOCUMENTED,
    whole_number)
UPDATE = Operation("recipients.update", "PUT", "/Console/Recipient/Detail", DOCUMENTED, Recipient)
SUBSCRIBE = Operation("recipients.subscribe", "POST", "/Console/List/{list_id}/Subscribe/{recipient_id}", MAILUP_CODE,
    nothing)
UNSUBSCRIBE = Operation("recipients.unsubscribe", "DELETE", "/Console/List/{list_id}/Unsubscribe/{recipient_id}",
    DOCUMENTED, nothing)
REMOVE = Operation("recipients.remove", "DELETE", "/Console/List/{list_id}/Recipient/{recipient_id}", RECORDED, nothing)
DELETE = Operation("recipients.delete", "DELETE", "/Console/Recipients/{recipient_id}", DOCUMENTED, nothing)
# fmt: on


class Recipients(Resource):
    """The operations on recipients, in MailUp's e-mail channel."""

    def __init__(self, client: Requester, fields: Fields, imports: Imports) -> None:
        super().__init__(client)
        self._fields = fields
        self._imports = imports

    def subscribed(
        self, *, list_id: int, group_id: int | None = None, **options: Unpack[PageOptions]
    ) -> Paged[Recipient]:
        """Yield the recipients subscribed to a list.

        Args:
            group_id: only of this group. (Seen in one client.)

        Raises:
            BadRequest: MailUp doesn't understand the filter.
        """
        return self._pages(SUBSCRIBED, params=_of_group(group_id), list_id=list_id, options=options)

    def unsubscribed(
        self, *, list_id: int, group_id: int | None = None, **options: Unpack[PageOptions]
    ) -> Paged[Recipient]:
        """Yield the recipients who have unsubscribed from a list. As `subscribed`, below `/Unsubscribed`."""
        return self._pages(UNSUBSCRIBED, params=_of_group(group_id), list_id=list_id, options=options)

    def pending(self, *, list_id: int, group_id: int | None = None, **options: Unpack[PageOptions]) -> Paged[Recipient]:
        """Yield the recipients who were asked to confirm and haven't yet. As `subscribed`, below `/Pending`."""
        return self._pages(PENDING, params=_of_group(group_id), list_id=list_id, options=options)

    def opt_ins(self, *, list_id: int, group_id: int | None = None, **options: Unpack[PageOptions]) -> Paged[OptIn]:
        """Yield how every recipient stands with a list. MailUp's webhooks don't tell of changes by REST."""
        return self._pages(OPT_INS, params=_of_group(group_id), list_id=list_id, options=options)

    def find(self, *, email: str, list_id: int, **options: Unpack[CallOptions]) -> Recipient | None:
        """Return the recipient of this very address who is subscribed to a list, or None.

        `subscribed` with a filter, compared again here: MailUp's own match may be a substring. Letter case of an
        address doesn't count.
        """
        return self._client.run(self._find(arguments.email("email", email), list_id, options))

    def search(self, *, email: str, **options: Unpack[CallOptions]) -> list[Recipient]:
        """Return the account's recipients of this address, whatever their lists."""
        return self._client.run(self._search(arguments.email("email", email), options))

    get = called(By.recipient, GET, "Return one recipient.")

    def add(
        self, *, list_id: int, email: str = "", name: str = "", fields: FieldValues | None = None,
        mobile_prefix: str = "", mobile_number: str = "", confirm: bool = False, **options: Unpack[CallOptions],
    ) -> int:  # fmt: skip
        """Add somebody to a list, or update who is there, and return the id.

        This is one call each: for more than ten use `import_many`.

        Args:
            fields: personal fields by id or by name.
            confirm: double opt-in: MailUp sends a mail that asks to confirm, and until then the status is pending.

        Raises:
            ValueError: no proper address, or no such field.
            BadRequest: MailUp refuses, such as an address and a number of two different recipients.
        """
        who = NewRecipient(
            email=email, name=name, mobile_prefix=mobile_prefix, mobile_number=mobile_number, fields=fields or {}
        )
        return self._client.run(self._add(ADD, who, confirm, options, list_id=list_id))

    def add_to_group(
        self, *, group_id: int, email: str = "", name: str = "", fields: FieldValues | None = None,
        mobile_prefix: str = "", mobile_number: str = "", confirm: bool = False, **options: Unpack[CallOptions],
    ) -> int:  # fmt: skip
        """Add somebody to a group and to its list. As `add`."""
        who = NewRecipient(
            email=email, name=name, mobile_prefix=mobile_prefix, mobile_number=mobile_number, fields=fields or {}
        )
        return self._client.run(self._add(ADD_TO_GROUP, who, confirm, options, group_id=group_id))

    def import_many(
        self, recipients: Iterable[NewRecipient], *, list_id: int | None = None, group_id: int | None = None,
        chunk: int = CHUNK, on_chunk: Callable[[ImportJob], None] | None = None,
        **switches: Unpack[GroupImportSwitches],
    ) -> list[ImportJob]:  # fmt: skip
        """Send any number of recipients, a chunk a call, and return what MailUp has taken: `job.wait()` waits for it.

        Args:
            recipients: any iterable; no more than a chunk of it is in memory.
            list_id, group_id: where to; one of them.
            chunk: how many recipients a call.
            on_chunk: is called after each chunk that MailUp has taken, such as to remember how far it is.
            switches: as `imports.start` and `imports.start_in_group`.

        Raises:
            ValueError: list_id, group_id or chunk is wrong.
            ImportStopped: MailUp refused a chunk or didn't answer, or a recipient is wrong; it says what was sent.
        """
        if (list_id is None) == (group_id is None):
            raise ValueError("Give list_id or group_id, one of them.")
        arguments.positive("chunk", chunk)
        return self._client.run(self._import_many(iter(recipients), list_id, group_id, chunk, on_chunk, switches))

    def update(
        self, *, email: str, name: str | None = None, fields: FieldValues | None = None,
        **options: Unpack[CallOptions],
    ) -> Recipient:  # fmt: skip
        """Change a recipient's name and personal fields, and return them.

        An address can't be changed: unsubscribe the old one and add the new one.

        Raises:
            ValueError: no proper address, or no such field.
            NotFound, BadRequest: there is no such recipient.
        """
        return self._client.run(self._update(arguments.email("email", email), name, fields, options))

    subscribe = called(
        By.list_and_recipient, SUBSCRIBE, "Subscribe a recipient, who must have asked for it, to a list."
    )
    unsubscribe = called(By.list_and_recipient, UNSUBSCRIBE, "Unsubscribe a recipient from a list, as MailUp advises.")
    remove = called(By.list_and_recipient, REMOVE, "Delete a recipient from a list, with all memory of it.")
    delete = called(By.recipient, DELETE, "Delete a recipient from the whole account, for privacy.")

    def _find(self, address: str, list_id: int, options: CallOptions) -> Steps[Recipient | None]:
        # MailUp doesn't say how an apostrophe is written in a filter, so none is.
        part = max(address.split("'"), key=len)
        where = Field("Email") == address if "'" not in address else Field("Email").contains(part)
        page = self._page(SUBSCRIBED, options=cast(PageOptions, {**options, "where": where}), list_id=list_id)
        progress: Progress[Recipient] = Progress()
        while progress.next is not None:
            for each in progress.take((yield from page(progress.next))):
                if each.email.casefold() == address.casefold():
                    return each
        return None

    def _search(self, address: str, options: CallOptions) -> Steps[list[Recipient]]:
        found = yield from self._steps(SEARCH, params={"email": f'"{address}"'}, options=options)
        return [each for each in found if each.email.casefold() == address.casefold()]

    def _add(
        self, operation: Operation[int], who: NewRecipient, confirm: bool, options: CallOptions, **ids: int
    ) -> Steps[int]:
        body = yield from who.as_json(self._fields, options)
        params = {"ConfirmEmail": "true"} if confirm else None
        return (yield from self._steps(operation, json=body, params=params, headers=None, options=options, **ids))

    def _import_many(
        self, recipients: Iterable[NewRecipient], list_id: int | None, group_id: int | None, chunk: int,
        on_chunk: Callable[[ImportJob], None] | None, switches: GroupImportSwitches,
    ) -> Steps[list[ImportJob]]:  # fmt: skip
        jobs: list[ImportJob] = []
        while piece := list(itertools.islice(recipients, chunk)):
            try:
                import_id = yield from self._imports.starting(piece, switches, list_id=list_id, group_id=group_id)
            except (MailUpError, ValueError) as error:
                raise ImportStopped(jobs=jobs, error=error) from error
            jobs.append(self._imports.job(import_id=import_id, size=len(piece)))
            if on_chunk is not None:
                on_chunk(jobs[-1])
        return jobs

    def _update(
        self, address: str, name: str | None, fields: FieldValues | None, options: CallOptions
    ) -> Steps[Recipient]:
        found = (yield from self._fields.resolving(fields, options)) if fields else None
        body: dict[str, Any] = arguments.given(Email=address, Name=name, Fields=found)
        return (yield from self._steps(UPDATE, json=body, options=options))


def _of_group(group_id: int | None) -> dict[str, int]:
    return {} if group_id is None else {"Groups": arguments.positive("group_id", group_id)}
