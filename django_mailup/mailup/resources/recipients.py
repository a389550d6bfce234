"""Recipients and their subscriptions by e-mail: reading, adding and changing them. See also `imports`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Unpack, cast

from ...exceptions import ImportStopped, MailUpError
from .. import arguments, parsing
from ..arguments import FieldValues
from ..expressions import Field
from ..flow import CallOptions, Flow
from ..methods import CallTakes, single_call
from ..operations import DOCUMENTED, MAILUP_CODE, OTHER_CLIENTS, RECORDED, Operation
from ..paging import Paged, PageOptions
from ..parsing import no_result, whole_number
from ..records import Record, key
from ..resource_base import Driver, Resource
from . import lists
from .fields import Fields
from .imports import GroupImportSwitches, ImportJob, Imports
from .new_recipients import NewRecipient

CHUNK: Final = 1000
"""Recipients per call of `import_many` by default. MailUp documents no limit, but refuses very large bodies."""

BY_ID: Final = ("idRecipient",)
"""The order of paged operations. With an order that can change, rows would move between pages while they are read."""


class Recipient(Record):
    """A recipient. `fields` has the values of personal fields by id; a field that isn't set is an empty text."""

    id: int = key("idRecipient")
    email: str = key("Email")
    name: str = key("Name")
    mobile_prefix: str = key("MobilePrefix")
    mobile_number: str = key("MobileNumber")
    fields: Mapping[int, str] = key("Fields", parse=parsing.field_texts)
    opted_in_at: datetime | None = key("Optin_Date")


class OptIn(Record):
    """The subscription of a recipient to a list. `status` is `OPTIN`, `OPTOUT` or `PENDING`, as MailUp writes it."""

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
SEARCH = Operation("recipients.search", "GET", "/Console/Recipients", OTHER_CLIENTS, Recipient)
GET = Operation("recipients.get", "GET", "/Console/Recipients/{recipient_id}", OTHER_CLIENTS, Recipient)
ADD = Operation("recipients.add", "POST", "/Console/List/{list_id}/Recipient", DOCUMENTED, whole_number)
ADD_TO_GROUP = Operation("recipients.add_to_group", "POST", "/Console/Group/{group_id}/Recipient", DOCUMENTED,
    whole_number)
UPDATE = Operation("recipients.update", "PUT", "/Console/Recipient/Detail", DOCUMENTED, Recipient)
SUBSCRIBE = Operation("recipients.subscribe", "POST", "/Console/List/{list_id}/Subscribe/{recipient_id}", MAILUP_CODE,
    no_result)
UNSUBSCRIBE = Operation("recipients.unsubscribe", "DELETE", "/Console/List/{list_id}/Unsubscribe/{recipient_id}",
    DOCUMENTED, no_result)
REMOVE = Operation("recipients.remove", "DELETE", "/Console/List/{list_id}/Recipient/{recipient_id}", RECORDED,
    no_result)
DELETE = Operation("recipients.delete", "DELETE", "/Console/Recipients/{recipient_id}", DOCUMENTED, no_result)
# fmt: on


class Recipients(Resource):
    """The operations on recipients, in MailUp's e-mail channel."""

    def __init__(self, client: Driver, fields: Fields, imports: Imports) -> None:
        super().__init__(client)
        self._fields = fields
        self._imports = imports

    def subscribed(
        self, *, list_id: int, group_id: int | None = None, **options: Unpack[PageOptions]
    ) -> Paged[Recipient]:
        """Yield the recipients who are subscribed to a list.

        Args:
            group_id: the id of a group; only its recipients are returned. (Seen in one client.)

        Raises:
            BadRequest: MailUp doesn't understand the filter.
        """
        return self._pages(SUBSCRIBED, params=_group_params(group_id), list_id=list_id, options=options)

    def unsubscribed(
        self, *, list_id: int, group_id: int | None = None, **options: Unpack[PageOptions]
    ) -> Paged[Recipient]:
        """Yield the recipients who have unsubscribed from a list. Arguments and errors are those of `subscribed`."""
        return self._pages(UNSUBSCRIBED, params=_group_params(group_id), list_id=list_id, options=options)

    def pending(self, *, list_id: int, group_id: int | None = None, **options: Unpack[PageOptions]) -> Paged[Recipient]:
        """Yield the recipients who have not confirmed yet. Arguments and errors are those of `subscribed`."""
        return self._pages(PENDING, params=_group_params(group_id), list_id=list_id, options=options)

    def opt_ins(self, *, list_id: int, group_id: int | None = None, **options: Unpack[PageOptions]) -> Paged[OptIn]:
        """Yield the subscriptions to a list, whatever their status. Arguments and errors are those of `subscribed`."""
        return self._pages(OPT_INS, params=_group_params(group_id), list_id=list_id, options=options)

    def find(self, *, email: str, **options: Unpack[CallOptions]) -> Recipient | None:
        """Return the account's recipient with an address, or None. Neither lists nor their status matter.

        MailUp is asked for the address as given, and then in lower case if nothing came: whether MailUp ignores letter
        case there isn't documented. If it doesn't, an address that it stores in capital letters is found only if it is
        given so. Of two recipients whose addresses differ in letter case, the one with exactly this address is
        returned.
        """
        return self._client.run(self._find(arguments.email("email", email), options))

    def search(self, *, email: str, **options: Unpack[CallOptions]) -> list[Recipient]:
        """Return all recipients of the account with an address: `find` says how it is compared."""
        return self._client.run(self._search(arguments.email("email", email), options))

    def standing(
        self, *, email: str, list_id: int | None = None, **options: Unpack[CallOptions]
    ) -> Mapping[int, OptIn]:
        """Return the subscriptions of a recipient, by list id. A list that the recipient was never on is missing.

        Only lists that the MailUp user may see are looked at. This takes the calls of `find` and of `lists.all`, and
        one for each list.

        Args:
            list_id: the id of a list; only this one is looked at, without the call of `lists.all`.
        """
        address = arguments.email("email", email)
        if list_id is not None:
            arguments.positive("list_id", list_id)
        return self._client.run(self._standing(address, list_id, options))

    get = single_call(CallTakes.recipient_id, GET, "Return a recipient.")

    def add(
        self, *, list_id: int, email: str = "", name: str = "", fields: FieldValues | None = None,
        mobile_prefix: str = "", mobile_number: str = "", confirm: bool = False, **options: Unpack[CallOptions],
    ) -> int:  # fmt: skip
        """Add a recipient to a list, or update an existing one, and return the recipient's id.

        MailUp answers with the id alone. It doesn't say whether the recipient is new, nor whether the recipient is now
        subscribed, pending or, after having unsubscribed, still out: `standing` does. Each recipient is a call, so use
        `import_many` for more than ten.

        Args:
            fields: values of personal fields, by id or by name.
            confirm: double opt-in: MailUp sends a confirmation message; the recipient is pending until it is answered.
                For somebody who is subscribed already it isn't documented. MailUp's older SOAP service makes them
                pending too, and sends the message: ask `standing` first.

        Raises:
            ValueError: there is neither address nor number, the address is not an e-mail address, or a field doesn't
                exist.
            BadRequest: MailUp refuses the recipient, such as an address and a number of two different recipients.
        """
        recipient = NewRecipient(
            email=email, name=name, mobile_prefix=mobile_prefix, mobile_number=mobile_number, fields=fields or {}
        )
        return self._client.run(self._add(ADD, recipient, confirm, options, list_id=list_id))

    def add_to_group(
        self, *, group_id: int, email: str = "", name: str = "", fields: FieldValues | None = None,
        mobile_prefix: str = "", mobile_number: str = "", confirm: bool = False, **options: Unpack[CallOptions],
    ) -> int:  # fmt: skip
        """Add a recipient to a group and to its list. Other arguments, result and errors are those of `add`."""
        recipient = NewRecipient(
            email=email, name=name, mobile_prefix=mobile_prefix, mobile_number=mobile_number, fields=fields or {}
        )
        return self._client.run(self._add(ADD_TO_GROUP, recipient, confirm, options, group_id=group_id))

    def import_many(
        self, recipients: Iterable[NewRecipient], *, list_id: int | None = None, group_id: int | None = None,
        chunk: int = CHUNK, on_chunk: Callable[[ImportJob], None] | None = None,
        **switches: Unpack[GroupImportSwitches],
    ) -> list[ImportJob]:  # fmt: skip
        """Start an import for each chunk of the recipients, and return the jobs: `job.wait()` waits for one.

        Args:
            recipients: any iterable. At most one chunk of it is in memory.
            list_id, group_id: the list or the group to import into; exactly one of them.
            chunk: the number of recipients in each call.
            on_chunk: called with each started job, such as to record how much has been sent.
            switches: see GroupImportSwitches.

        Raises:
            ValueError: both or none of list_id and group_id are given, or chunk is not a positive whole number.
            ImportStopped: MailUp refused a chunk or didn't answer, or a recipient is wrong. Its `jobs` are the imports
                that were started before.
        """
        if (list_id is None) == (group_id is None):
            raise ValueError("Give either list_id or group_id.")
        arguments.positive("chunk", chunk)
        return self._client.run(self._import_many(iter(recipients), list_id, group_id, chunk, on_chunk, switches))

    def update(
        self, *, email: str, name: str | None = None, fields: FieldValues | None = None,
        **options: Unpack[CallOptions],
    ) -> Recipient:  # fmt: skip
        """Change a recipient's name and personal fields, and return the recipient. What is left out stays.

        MailUp documents that it changes only what is sent, so nothing is read first. If two change a recipient at once,
        the last one wins. An address can't be changed: unsubscribe the old address and add the new one.

        Raises:
            ValueError: the address is not an e-mail address, or a field doesn't exist.
            NotFound, BadRequest: there is no such recipient.
        """
        return self._client.run(self._update(arguments.email("email", email), name, fields, options))

    subscribe = single_call(CallTakes.list_and_recipient, SUBSCRIBE, "Subscribe a consenting recipient to a list.")
    unsubscribe = single_call(CallTakes.list_and_recipient, UNSUBSCRIBE, "Unsubscribe a recipient from a list.")
    remove = single_call(CallTakes.list_and_recipient, REMOVE, "Delete a recipient from a list; prefer `unsubscribe`.")
    delete = single_call(CallTakes.recipient_id, DELETE, "Delete a recipient from the account, such as for privacy.")

    def _find(self, address: str, options: CallOptions) -> Flow[Recipient | None]:
        found = yield from self._search(address, options)
        return next((each for each in found if each.email == address), found[0] if found else None)

    def _search(self, address: str, options: CallOptions) -> Flow[list[Recipient]]:
        for spelling in dict.fromkeys([address, address.lower()]):
            params = {"email": f'"{spelling}"'}
            rows = yield from self._page_source(SEARCH, params=params, options=cast(PageOptions, options)).all_items()
            # Other clients report that MailUp's filters match parts of an address.
            found = [each for each in rows if each.email.casefold() == address.casefold()]
            if found:
                return found
        return []

    def _standing(self, address: str, list_id: int | None, options: CallOptions) -> Flow[Mapping[int, OptIn]]:
        standing: dict[int, OptIn] = {}
        recipient = yield from self._find(address, options)
        if recipient is None:
            return standing
        where = cast(PageOptions, {**options, "where": Field("idRecipient") == recipient.id})
        list_ids = [list_id] if list_id is not None else []
        if list_id is None:
            found = yield from self._page_source(lists.ALL, options=cast(PageOptions, options)).all_items()
            list_ids = [each.id for each in found]
        for each in list_ids:
            rows = yield from self._page_source(OPT_INS, options=where, list_id=each).all_items()
            own = [row for row in rows if row.recipient_id == recipient.id]
            if own:
                standing[each] = own[0]
        return standing

    def _add(
        self, operation: Operation[int], recipient: NewRecipient, confirm: bool, options: CallOptions, **ids: int
    ) -> Flow[int]:
        body = yield from recipient.json_flow(self._fields, options)
        params = {"ConfirmEmail": "true"} if confirm else None
        return (yield from self._flow(operation, json=body, params=params, headers=None, options=options, **ids))

    def _import_many(
        self, recipients: Iterable[NewRecipient], list_id: int | None, group_id: int | None, chunk: int,
        on_chunk: Callable[[ImportJob], None] | None, switches: GroupImportSwitches,
    ) -> Flow[list[ImportJob]]:  # fmt: skip
        jobs: list[ImportJob] = []
        while piece := list(itertools.islice(recipients, chunk)):
            try:
                import_id = yield from self._imports.start_flow(piece, switches, list_id=list_id, group_id=group_id)
            except (MailUpError, ValueError) as error:
                raise ImportStopped(jobs=jobs, error=error) from error
            jobs.append(self._imports.job(import_id=import_id, size=len(piece)))
            if on_chunk is not None:
                on_chunk(jobs[-1])
        return jobs

    def _update(
        self, address: str, name: str | None, fields: FieldValues | None, options: CallOptions
    ) -> Flow[Recipient]:
        found = (yield from self._fields.resolve_flow(fields, options)) if fields else None
        body: dict[str, Any] = arguments.without_none(Email=address, Name=name, Fields=found)
        return (yield from self._flow(UPDATE, json=body, options=options))


def _group_params(group_id: int | None) -> dict[str, int]:
    return {} if group_id is None else {"Groups": arguments.positive("group_id", group_id)}
