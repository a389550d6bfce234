"""Lists: reading, creating, changing and deleting them, and the countries and time zones they may have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..operations import Operation
from ..paging import PAGE_SIZE
from . import arguments, reading
from .requester import Order, Resource, Where

ALL: Final = Operation("lists.all", "GET", "/Console/User/Lists")
DETAILED: Final = Operation("lists.detailed", "GET", "/Console/List")
GET: Final = Operation("lists.get", "GET", "/Console/List/{list_id}")
CREATE: Final = Operation("lists.create", "POST", "/Console/List")
UPDATE: Final = Operation("lists.update", "PUT", "/Console/List/{list_id}")
DELETE: Final = Operation("lists.delete", "DELETE", "/Console/List/{list_id}")
COUNTRIES: Final = Operation("lists.countries", "GET", "/Console/List/Countries")
TIME_ZONES: Final = Operation("lists.time_zones", "GET", "/Console/TimeZones")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingList:
    """A list that the MailUp user may see. Its `guid` is what deleting it asks for."""

    id: int
    guid: str
    name: str
    description: str
    company: str
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDetails(MailingList):
    """A list with its sender. What else MailUp says of it is in `raw`."""

    owner_email: str
    reply_to: str
    sender_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """A country, by the code that a list's address takes."""

    code: str
    name: str
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeZone:
    """A time zone, by the code that a list takes."""

    code: str
    name: str
    description: str
    offset: str
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends to a list: MailUp asks for all of it. `owner_email` should be a trusted sender."""

    owner_email: str
    reply_to: str
    name: str
    company: str
    contact: str
    address: str
    city: str
    country_code: str
    permission_reminder: str
    website: str

    def as_json(self) -> dict[str, str]:
        """Return it as MailUp takes it. Raises ValueError for what is empty or no address."""
        return {
            "OwnerEmail": arguments.email("sender.owner_email", self.owner_email),
            "ReplyTo": arguments.email("sender.reply_to", self.reply_to),
            "NLSenderName": arguments.text("sender.name", self.name),
            "CompanyName": arguments.text("sender.company", self.company),
            "ContactName": arguments.text("sender.contact", self.contact),
            "Address": arguments.text("sender.address", self.address),
            "City": arguments.text("sender.city", self.city),
            "CountryCode": arguments.text("sender.country_code", self.country_code),
            "PermissionReminder": arguments.text("sender.permission_reminder", self.permission_reminder),
            "WebSiteUrl": arguments.text("sender.website", self.website),
        }


class Lists(Resource):
    """The operations on lists."""

    def all(self, *, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE) -> Iterator[MailingList]:
        """Yield every list the MailUp user may see; pages are asked for as they are needed. (Documented by MailUp.)

        `GET /Console/User/Lists`. A list that is missing here is one that this user has no right to.
        """
        return map(_list, self._pages(ALL, where=where, order=order, page_size=page_size))

    def detailed(
        self, *, where: Where = None, order: Order = None, page_size: int = PAGE_SIZE
    ) -> Iterator[ListDetails]:
        """Yield every list with its sender. `GET /Console/List`. (Seen in three clients.)"""
        return map(_details, self._pages(DETAILED, where=where, order=order, page_size=page_size))

    def get(self, *, list_id: int) -> ListDetails:
        """Return one list with its sender. `GET /Console/List/{list_id}`. (Seen in a client.)

        Raises:
            NotFound, Forbidden: there is no such list, or it isn't this user's to see.
        """
        return _details(self._call(GET, list_id=list_id))

    def create(
        self,
        *,
        name: str,
        sender: Sender,
        copy_of: int | None = None,
        business: bool = True,
        customer: bool = True,
        description: str = "",
        **settings: Any,
    ) -> ListDetails:
        """Create a list, and return it. `POST /Console/List`. (Documented by MailUp.)

        A new list may answer 403 for about a minute. MailUp advises to keep below a hundred lists.

        Args:
            name: at most 50 characters.
            copy_of: id of the list whose settings are copied; MailUp's default list unless given.
            business, customer: whether it is for businesses, and for customers.
            settings: further ones by MailUp's names, such as `TimeZoneCode`, `SmsSenderName`, `Charset`.

        Raises:
            ValueError: an argument is empty, too long or no address.
            BadRequest: MailUp refuses a setting.
        """
        origin: dict[str, Any] = {"UseDefaultSettings": True}
        if copy_of is not None:
            origin = {"IdSettings": arguments.positive("copy_of", copy_of)}
        body = {
            "Name": arguments.text("name", name, longest=arguments.LONGEST_LIST_NAME),
            "Business": business,
            "Customer": customer,
            "Description": description,
            **sender.as_json(),
            **origin,
            **_known(settings),
        }
        return _details(self._call(CREATE, json=body))

    def update(
        self, *, list_id: int, name: str | None = None, sender: Sender | None = None, **settings: Any
    ) -> ListDetails:
        """Change a list, and return it. `PUT /Console/List/{list_id}`. (Documented by MailUp.)

        Args as `create`; what is left out stays. Raises as `create`, and NotFound.
        """
        body = dict(sender.as_json()) if sender is not None else {}
        if name is not None:
            body["Name"] = arguments.text("name", name, longest=arguments.LONGEST_LIST_NAME)
        return _details(self._call(UPDATE, json={**body, **_known(settings)}, list_id=list_id))

    def delete(self, *, list_id: int, guid: str) -> None:
        """Delete a list, for good. `DELETE /Console/List/{list_id}` with `If-Match`. (Seen in one client.)

        Args:
            guid: the list's own, as `all` and `get` tell it: MailUp's guard against deleting another one.

        Raises:
            APIError: it is another list's guid.
        """
        self._call(DELETE, headers={"If-Match": arguments.text("guid", guid)}, list_id=list_id)

    def countries(self) -> list[Country]:
        """Return the countries that a list's address may have. `GET /Console/List/Countries`.

        (Documented by MailUp.)
        """
        return [
            Country(code=reading.text(raw, "CountryCode"), name=reading.text(raw, "CountryName"), raw=raw)
            for raw in reading.records(self._call(COUNTRIES))
        ]

    def time_zones(self) -> list[TimeZone]:
        """Return the time zones that a list may have. `GET /Console/TimeZones`. (Documented by MailUp.)"""
        return [
            TimeZone(
                code=reading.text(raw, "TimeZoneCode"),
                name=reading.text(raw, "TimeZoneName"),
                description=reading.text(raw, "TimeZoneDescription"),
                offset=reading.text(raw, "OffsetFromUTC"),
                raw=raw,
            )
            for raw in reading.records(self._call(TIME_ZONES))
        ]


def _list(raw: Mapping[str, Any]) -> MailingList:
    return MailingList(**_common(raw))


def _details(answer: object) -> ListDetails:
    raw = reading.record(answer)
    return ListDetails(
        **_common(raw),
        owner_email=reading.text(raw, "OwnerEmail"),
        reply_to=reading.text(raw, "ReplyTo"),
        sender_name=reading.text(raw, "NLSenderName"),
    )


def _common(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": reading.identifier(raw, "idList", "ListId"),
        "guid": reading.text(raw, "listGuid"),
        "name": reading.text(raw, "Name").strip(),
        "description": reading.text(raw, "Description"),
        "company": reading.text(raw, "Company", "CompanyName"),
        "raw": raw,
    }


def _known(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse what isn't spelled as MailUp's settings are: a Python name here is an argument that doesn't exist."""
    for name in settings:
        if not name[:1].isupper():
            raise ValueError(f"{name} is no argument, nor a setting as MailUp spells them.")
    return settings
