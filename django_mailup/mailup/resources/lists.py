"""Lists: reading, creating, changing and deleting them, and the countries and time zones they may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Unpack

from .. import arguments, parsing
from ..declared import By, Rows, called, paged
from ..flow import CallOptions
from ..operations import CLIENTS, DOCUMENTED, Operation
from ..parsing import nothing
from ..records import Record, key, list_of
from ..requester import Resource


class MailingList(Record):
    """A list that the MailUp user may see. Its `guid` is what deleting it asks for."""

    id: int = key("idList", "ListId")
    guid: str = key("listGuid")
    name: str = key("Name", parse=parsing.stripped)
    description: str = key("Description")
    company: str = key("Company", "CompanyName")


class ListDetails(MailingList):
    """A list with its sender. What else MailUp says of it is in `raw`."""

    owner_email: str = key("OwnerEmail")
    reply_to: str = key("ReplyTo")
    sender_name: str = key("NLSenderName")


class Country(Record):
    """A country, by the code that a list's address takes."""

    code: str = key("CountryCode")
    name: str = key("CountryName")


class TimeZone(Record):
    """A time zone, by the code that a list takes."""

    code: str = key("TimeZoneCode")
    name: str = key("TimeZoneName")
    description: str = key("TimeZoneDescription")
    offset: str = key("OffsetFromUTC")


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
        """Return it as MailUp takes it. Raise ValueError if a part is empty or no address."""
        body = {}
        for name, mailups in _SENDER.items():
            check = arguments.email if mailups in ("OwnerEmail", "ReplyTo") else arguments.text
            body[mailups] = check(f"sender.{name}", getattr(self, name))
        return body


_SENDER: Final = {
    "owner_email": "OwnerEmail", "reply_to": "ReplyTo", "name": "NLSenderName", "company": "CompanyName",
    "contact": "ContactName", "address": "Address", "city": "City", "country_code": "CountryCode",
    "permission_reminder": "PermissionReminder", "website": "WebSiteUrl",
}  # fmt: skip
# fmt: off
ALL = Operation("lists.all", "GET", "/Console/User/Lists", DOCUMENTED, MailingList)
DETAILED = Operation("lists.detailed", "GET", "/Console/List", CLIENTS, ListDetails)
GET = Operation("lists.get", "GET", "/Console/List/{list_id}", CLIENTS, ListDetails)
CREATE = Operation("lists.create", "POST", "/Console/List", DOCUMENTED, ListDetails)
UPDATE = Operation("lists.update", "PUT", "/Console/List/{list_id}", DOCUMENTED, ListDetails)
DELETE = Operation("lists.delete", "DELETE", "/Console/List/{list_id}", CLIENTS, nothing)
COUNTRIES = Operation("lists.countries", "GET", "/Console/List/Countries", DOCUMENTED, list_of(Country))
TIME_ZONES = Operation("lists.time_zones", "GET", "/Console/TimeZones", DOCUMENTED, list_of(TimeZone))
# fmt: on


class Lists(Resource):
    """The operations on lists."""

    all = paged(Rows.of_all, ALL, "Yield every list the MailUp user may see; those of other users are missing.")
    detailed = paged(Rows.of_all, DETAILED, "Yield every list with its sender.")
    get = called(By.list, GET, "Return one list with its sender.")

    def create(
        self, *, name: str, sender: Sender, copy_of: int | None = None, business: bool = True, customer: bool = True,
        description: str = "", settings: Mapping[str, object] | None = None, **options: Unpack[CallOptions],
    ) -> ListDetails:  # fmt: skip
        """Create a list, and return it.

        A new list may answer 403 for about a minute. MailUp advises to keep below a hundred lists.

        Args:
            name: at most 50 characters.
            copy_of: id of the list whose settings are copied; MailUp's default list unless given.
            business, customer: whether it is for businesses, and for customers.
            settings: further ones by MailUp's names, such as `TimeZoneCode`, `SmsSenderName`, `Charset`.

        Raises:
            ValueError: an argument is empty, too long or no address, or a setting isn't spelled as MailUp's are.
            BadRequest: MailUp refuses a setting.
        """
        origin: dict[str, object] = {"UseDefaultSettings": True}
        if copy_of is not None:
            origin = {"IdSettings": arguments.positive("copy_of", copy_of)}
        body = {
            **_body(name, None, None), "Business": business, "Customer": customer, "Description": description,
            **_body(None, sender, None), **origin, **_body(None, None, settings),
        }  # fmt: skip
        return self._call(CREATE, json=body, options=options)

    def update(
        self, *, list_id: int, name: str | None = None, sender: Sender | None = None,
        settings: Mapping[str, object] | None = None, **options: Unpack[CallOptions],
    ) -> ListDetails:  # fmt: skip
        """Change a list, and return it.

        Args:
            name, sender, settings: as `create` takes them; what is left out stays.

        Raises:
            ValueError, BadRequest: as `create`.
            NotFound: there is no such list.
        """
        return self._call(UPDATE, json=_body(name, sender, settings), list_id=list_id, options=options)

    def delete(self, *, list_id: int, guid: str, **options: Unpack[CallOptions]) -> None:
        """Delete a list, for good.

        Args:
            guid: the list's own, as `all` and `get` tell it: MailUp's guard against deleting another one.

        Raises:
            APIError: it is another list's guid.
        """
        headers = {"If-Match": arguments.text("guid", guid)}
        return self._call(DELETE, headers=headers, list_id=list_id, options=options)

    countries = called(By.nothing, COUNTRIES, "Return the countries that a list's address may have.")
    time_zones = called(By.nothing, TIME_ZONES, "Return the time zones that a list may have.")


def _body(name: str | None, sender: Sender | None, settings: Mapping[str, object] | None) -> dict[str, Any]:
    body: dict[str, Any] = dict(sender.as_json()) if sender is not None else {}
    if name is not None:
        body["Name"] = arguments.text("name", name, longest=arguments.LONGEST_LIST_NAME)
    for setting, value in (settings or {}).items():
        if not setting[:1].isupper():  # a Python name: an argument that doesn't exist
            raise ValueError(f"{setting} is no setting as MailUp spells them.")
        body[setting] = value
    return body
