"""Recipients by e-mail: who is subscribed to what, and changing that for one of them. Many at once: see imports."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ...exceptions import ImportStopped, MailUpError
from ..expressions import Field
from ..operations import Operation
from ..paging import PAGE_SIZE
from . import arguments, reading
from .arguments import FieldValues
from .requester import Order, Requester, Resource, Where

if TYPE_CHECKING:
    from .fields import Fields
    from .imports import ImportJob, Imports

SUBSCRIBED: Final = Operation("recipients.subscribed", "GET", "/Console/List/{list_id}/Recipients/Subscribed")
UNSUBSCRIBED: Final = Operation("recipients.unsubscribed", "GET", "/Console/List/{list_id}/Recipients/Unsubscribed")
PENDING: Final = Operation("recipients.pending", "GET", "/Console/List/{list_id}/Recipients/Pending")
OPT_INS: Final = Operation("recipients.opt_ins", "GET", "/Console/List/{list_id}/Recipients/EmailOptins")
SEARCH: Final = Operation("recipients.search", "GET", "/Console/Recipients")
GET: Final = Operation("recipients.get", "GET", "/Console/Recipients/{recipient_id}")
ADD: Final = Operation("recipients.add", "POST", "/Console/List/{list_id}/Recipient")
ADD_TO_GROUP: Final = Operation("recipients.add_to_group", "POST", "/Console/Group/{group_id}/Recipient")
UPDATE: Final = Operation("recipients.update", "PUT", "/Console/Recipient/Detail")
SUBSCRIBE: Final = Operation("recipients.subscribe", "POST", "/Console/List/{list_id}/Subscribe/{recipient_id}")
UNSUBSCRIBE: Final = Operation("recipients.unsubscribe", "DELETE", "/Console/List/{list_id}/Unsubscribe/{recipient_id}")
REMOVE: Final = Operation("recipients.remove", "DELETE", "/Console/List/{list_id}/Recipient/{recipient_id}")
DELETE: Final = Operation("recipients.delete", "DELETE", "/Console/Recipients/{recipient_id}")

CHUNK: Final = 1000
"""How many recipients go in one call. MailUp names no limit, but very large bodies are refused."""

BY_ID: Final = ("idRecipient",)
"""Rows shift while pages are read unless they are ordered by what doesn't change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A recipient. `fields` holds the personal fields that MailUp told, by id; one that isn't set is empty."""

    id: int
    email: str
    name: str
    mobile_prefix: str
    mobile_number: str
    fields: Mapping[int, str]
    opted_in_at: datetime | None
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptIn:
    """How a recipient stands with a list: `status` is MailUp's word (`OPTIN`, `OPTOUT`, `PENDING`)."""

    recipient_id: int
    email: str
    status: str
    opted_in_at: datetime | None
    requested_at: datetime | None
    opted_out_at: datetime | None
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecipient:
    """Somebody to be added. An e-mail address, or a mobile number with its prefix (`+39`), or both."""

    email: str = ""
    name: str = ""
    mobile_prefix: str = ""
    mobile_number: str = ""
    fields: FieldValues = field(default_factory=dict)

    def as_json(self, personal: Fields) -> dict[str, Any]:
        """Return it as MailUp takes it. Raises ValueError when there is no address, or a field doesn't exist."""
        if not self.email and not self.mobile_number:
            raise ValueError("email must not be empty where there is no mobile_number.")
        body: dict[str, Any] = {"Name": self.name, "Fields": personal.resolve(self.fields)}
        if self.email:
            body["Email"] = arguments.email("email", self.email)
        if self.mobile_number:
            body |= {"MobileNumber": self.mobile_number, "MobilePrefix": self.mobile_prefix}
        return body


class Recipients(Resource):
    """The operations on recipients, in MailUp's e-mail channel."""

    def __init__(self, client: Requester, fields: Fields, imports: Imports) -> None:
        super().__init__(client)
        self._fields = fields
        self._imports = imports

    # ------------------------------------------------------------------------------------ reading

    def subscribed(
        self, *, list_id: int, group_id: int | None = None, where: Where = None, order: Order = BY_ID,
        page_size: int = PAGE_SIZE,
    ) -> Iterator[Recipient]:  # fmt: skip
        """Yield who is subscribed to a list. `GET /Console/List/{list_id}/Recipients/Subscribed`.

        (Documented by MailUp.)

        Args:
            group_id: only of this group. (Seen in one client.)
            where: a filter: `Field("Email").contains("@example.com")`, or a string as MailUp takes it.
            order: names of MailUp's properties, `-Name` descends.

        Raises:
            NotFound, Forbidden: there is no such list, or it isn't this user's to see.
            BadRequest: MailUp doesn't understand the filter.
        """
        return self._standing(SUBSCRIBED, list_id, group_id, where, order, page_size)

    def unsubscribed(
        self, *, list_id: int, group_id: int | None = None, where: Where = None, order: Order = BY_ID,
        page_size: int = PAGE_SIZE,
    ) -> Iterator[Recipient]:  # fmt: skip
        """Yield who has unsubscribed from a list. As `subscribed`, below `/Unsubscribed`. (Documented by MailUp.)"""
        return self._standing(UNSUBSCRIBED, list_id, group_id, where, order, page_size)

    def pending(
        self, *, list_id: int, group_id: int | None = None, where: Where = None, order: Order = BY_ID,
        page_size: int = PAGE_SIZE,
    ) -> Iterator[Recipient]:  # fmt: skip
        """Yield who was asked to confirm, and hasn't yet. As `subscribed`, below `/Pending`. (Documented by MailUp.)"""
        return self._standing(PENDING, list_id, group_id, where, order, page_size)

    def opt_ins(
        self, *, list_id: int, group_id: int | None = None, where: Where = None, order: Order = BY_ID,
        page_size: int = PAGE_SIZE,
    ) -> Iterator[OptIn]:  # fmt: skip
        """Yield how everybody stands with a list, whatever the status. (Recorded answers exist.)

        `GET /Console/List/{list_id}/Recipients/EmailOptins`. MailUp's webhooks are silent about changes by REST, so
        this is what to poll.
        """
        params = _of_group(group_id)
        rows = self._pages(OPT_INS, where=where, order=order, page_size=page_size, params=params, list_id=list_id)
        return map(_opt_in, rows)

    def find(self, *, email: str, list_id: int) -> Recipient | None:
        """Return the recipient of this very address who is subscribed to a list, or None.

        `subscribed` with a filter, compared again here: MailUp's own match may be a substring. Letter case of an
        address doesn't count.
        """
        address = arguments.email("email", email)
        # MailUp doesn't say how an apostrophe is written in a filter, so none is.
        exact = Field("Email") == address
        part = max(address.split("'"), key=len)
        where = exact if "'" not in address else Field("Email").contains(part)
        found = self.subscribed(list_id=list_id, where=where)
        return next((each for each in found if each.email.casefold() == address.casefold()), None)

    def search(self, *, email: str) -> list[Recipient]:
        """Return the account's recipients of this address, whatever their lists. (Seen in two clients.)

        `GET /Console/Recipients?email="…"`.
        """
        address = arguments.email("email", email)
        answer = self._call(SEARCH, params={"email": f'"{address}"'})
        rows = answer.get("Items") if isinstance(answer, dict) else answer
        found = map(parse_recipient, reading.records(rows))
        return [each for each in found if each.email.casefold() == address.casefold()]

    def get(self, *, recipient_id: int) -> Recipient:
        """Return one recipient. `GET /Console/Recipients/{recipient_id}`. (Seen in one client.)

        Raises:
            NotFound: there is none.
        """
        return parse_recipient(reading.record(self._call(GET, recipient_id=recipient_id)))

    # ----------------------------------------------------------------------------------- changing

    def add(
        self, *, list_id: int, email: str = "", name: str = "", fields: FieldValues | None = None,
        mobile_prefix: str = "", mobile_number: str = "", confirm: bool = False,
    ) -> int:  # fmt: skip
        """Add somebody to a list, or update who is there, and return the id. (Documented by MailUp.)

        `POST /Console/List/{list_id}/Recipient`. For more than ten use imports: this is one call each.

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
        params = {"ConfirmEmail": "true"} if confirm else None
        return reading.whole_number(self._call(ADD, json=who.as_json(self._fields), params=params, list_id=list_id))

    def add_to_group(
        self, *, group_id: int, email: str = "", name: str = "", fields: FieldValues | None = None,
        mobile_prefix: str = "", mobile_number: str = "", confirm: bool = False,
    ) -> int:  # fmt: skip
        """Add somebody to a group and to its list. As `add`. `POST /Console/Group/{group_id}/Recipient`.

        (Documented by MailUp.)
        """
        who = NewRecipient(
            email=email, name=name, mobile_prefix=mobile_prefix, mobile_number=mobile_number, fields=fields or {}
        )
        params = {"ConfirmEmail": "true"} if confirm else None
        body = who.as_json(self._fields)
        return reading.whole_number(self._call(ADD_TO_GROUP, json=body, params=params, group_id=group_id))

    def import_many(
        self, recipients: Iterable[NewRecipient], *, list_id: int | None = None, group_id: int | None = None,
        chunk: int = CHUNK, on_chunk: Callable[[ImportJob], None] | None = None, **switches: Any,
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
        jobs: list[ImportJob] = []
        source = iter(recipients)
        while piece := list(itertools.islice(source, chunk)):
            try:
                if group_id is not None:
                    import_id = self._imports.start_in_group(group_id=group_id, recipients=piece, **switches)
                else:
                    assert list_id is not None
                    import_id = self._imports.start(list_id=list_id, recipients=piece, **switches)
            except (MailUpError, ValueError) as error:
                raise ImportStopped(jobs=jobs, error=error) from error
            jobs.append(self._imports.job(import_id=import_id, size=len(piece)))
            if on_chunk is not None:
                on_chunk(jobs[-1])
        return jobs

    def update(self, *, email: str, name: str | None = None, fields: FieldValues | None = None) -> Recipient:
        """Change a recipient's name and personal fields, and return them. `PUT /Console/Recipient/Detail`.

        (Documented by MailUp.) An address can't be changed: unsubscribe the old one and add the new one.

        Raises:
            ValueError: no proper address, or no such field.
            NotFound, BadRequest: there is no such recipient.
        """
        body = arguments.given(
            Email=arguments.email("email", email), Name=name, Fields=self._fields.resolve(fields) if fields else None
        )
        return parse_recipient(reading.record(self._call(UPDATE, json=body)))

    def subscribe(self, *, list_id: int, recipient_id: int) -> None:
        """Subscribe a known recipient to a list, without asking.

        `POST /Console/List/{list_id}/Subscribe/{recipient_id}`. (In MailUp's own gem.) For people
        who asked for it: MailUp blocks accounts for abuse.
        """
        self._call(SUBSCRIBE, list_id=list_id, recipient_id=recipient_id)

    def unsubscribe(self, *, list_id: int, recipient_id: int) -> None:
        """Unsubscribe a recipient from a list. `DELETE /Console/List/{list_id}/Unsubscribe/{recipient_id}`.

        (Documented by MailUp.) MailUp remembers it, and recommends this rather than `remove`.
        """
        self._call(UNSUBSCRIBE, list_id=list_id, recipient_id=recipient_id)

    def remove(self, *, list_id: int, recipient_id: int) -> None:
        """Delete a recipient from a list, which forgets that there was a subscription. (Recorded answers exist.)

        `DELETE /Console/List/{list_id}/Recipient/{recipient_id}`.
        """
        self._call(REMOVE, list_id=list_id, recipient_id=recipient_id)

    def delete(self, *, recipient_id: int) -> None:
        """Delete a recipient from the whole account, for privacy. `DELETE /Console/Recipients/{recipient_id}`.

        (Documented by MailUp.)
        """
        self._call(DELETE, recipient_id=recipient_id)

    def _standing(
        self, operation: Operation, list_id: int, group_id: int | None, where: Where, order: Order, page_size: int
    ) -> Iterator[Recipient]:
        params = _of_group(group_id)
        rows = self._pages(operation, where=where, order=order, page_size=page_size, params=params, list_id=list_id)
        return map(parse_recipient, rows)


def _of_group(group_id: int | None) -> dict[str, int]:
    return {} if group_id is None else {"Groups": arguments.positive("group_id", group_id)}


def parse_recipient(raw: Mapping[str, Any]) -> Recipient:
    """Read a recipient of an answer."""
    rows = reading.pick(raw, "Fields")
    fields: dict[int, str] = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and (number := reading.number(row, "Id")) is not None:
            fields[number] = reading.text(row, "Value")
    return Recipient(
        id=reading.identifier(raw, "idRecipient"),
        email=reading.text(raw, "Email"),
        name=reading.text(raw, "Name"),
        mobile_prefix=reading.text(raw, "MobilePrefix"),
        mobile_number=reading.text(raw, "MobileNumber"),
        fields=fields,
        opted_in_at=reading.moment(raw, "Optin_Date"),
        raw=raw,
    )


def _opt_in(raw: Mapping[str, Any]) -> OptIn:
    return OptIn(
        recipient_id=reading.identifier(raw, "idRecipient"),
        email=reading.text(raw, "Email"),
        status=reading.text(raw, "Status"),
        opted_in_at=reading.moment(raw, "Optin_Date"),
        requested_at=reading.moment(raw, "Optin_Request_Date"),
        opted_out_at=reading.moment(raw, "Optout_Date"),
        raw=raw,
    )
