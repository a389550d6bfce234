"""Lists: reading, creating, changing and deleting them, and the countries and time zones to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Unpack

from .. import arguments, parsing
from ..flow import CallOptions, Flow
from ..methods import CallTakes, PagesTake, paged_call, single_call
from ..operations import DOCUMENTED, OTHER_CLIENTS, Operation
from ..parsing import no_result
from ..records import Record, key, list_of
from ..resource_base import Resource
from ..updates import update_body


class MailingList(Record):
    """A list that the MailUp user may see. `guid` is needed to delete it."""

    id: int = key("idList", "ListId")
    guid: str = key("listGuid")
    name: str = key("Name", parse=parsing.stripped)
    description: str = key("Description")
    company: str = key("Company", "CompanyName")


class ListDetails(MailingList):
    """A list with its sender. MailUp's other settings of the list are in `raw`."""

    owner_email: str = key("OwnerEmail")
    reply_to: str = key("ReplyTo")
    sender_name: str = key("NLSenderName")


class Country(Record):
    """A country, with its code for `Sender.country_code`."""

    code: str = key("CountryCode")
    name: str = key("CountryName")


class TimeZone(Record):
    """A time zone, with its code for the setting `TimeZoneCode`."""

    code: str = key("TimeZoneCode")
    name: str = key("TimeZoneName")
    description: str = key("TimeZoneDescription")
    offset: str = key("OffsetFromUTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The sender of a list. MailUp requires every field. `owner_email` should be a trusted sender."""

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
        """Return the sender as MailUp's JSON. Raise ValueError if a field is empty, or an address is not one."""
        body = {}
        for name, mailup_name in _SENDER.items():
            check = arguments.email if mailup_name in ("OwnerEmail", "ReplyTo") else arguments.text
            body[mailup_name] = check(f"sender.{name}", getattr(self, name))
        return body


_SENDER: Final = {
    "owner_email": "OwnerEmail", "reply_to": "ReplyTo", "name": "NLSenderName", "company": "CompanyName",
    "contact": "ContactName", "address": "Address", "city": "City", "country_code": "CountryCode",
    "permission_reminder": "PermissionReminder", "website": "WebSiteUrl",
}  # fmt: skip
_ARGUMENTS: Final = {"Name": "name", **{mailup: f"sender.{name}" for name, mailup in _SENDER.items()}}
WRITABLE: Final = (
    "Name", *_SENDER.values(), "Business", "Customer", "DisplayAs", "Description", "Phone", "PostalCode",
    "StateOrProvince", "TimeZoneCode", "SmsSenderName", "DefaultPrefix", "SendConfirmSms", "Charset", "Format",
    "MultipartText", "KBMax", "NotifyEmail", "OptoutType", "MultiOptoutList", "SendEmailOptout", "SubscribedEmail",
    "BouncedEmail", "FrontendForm", "Public", "ScopeCode", "TrackOnOpened", "ConversionlabTrackCode",
    "LinkTrackingParameters", "Disclaimer", "HeaderListUnsubscriber", "HeaderXAbuse",
)  # fmt: skip
"""MailUp's documented names of what an update sends."""

# fmt: off
ALL = Operation("lists.all", "GET", "/Console/User/Lists", DOCUMENTED, MailingList)
DETAILED = Operation("lists.detailed", "GET", "/Console/List", OTHER_CLIENTS, ListDetails)
GET = Operation("lists.get", "GET", "/Console/List/{list_id}", OTHER_CLIENTS, ListDetails)
CREATE = Operation("lists.create", "POST", "/Console/List", DOCUMENTED, ListDetails)
UPDATE = Operation("lists.update", "PUT", "/Console/List/{list_id}", DOCUMENTED, ListDetails)
DELETE = Operation("lists.delete", "DELETE", "/Console/List/{list_id}", DOCUMENTED, no_result)
COUNTRIES = Operation("lists.countries", "GET", "/Console/List/Countries", DOCUMENTED, list_of(Country))
TIME_ZONES = Operation("lists.time_zones", "GET", "/Console/TimeZones", DOCUMENTED, list_of(TimeZone))
# fmt: on


class Lists(Resource):
    """The operations on lists."""

    all = paged_call(PagesTake.no_ids, ALL, "Yield the lists that the MailUp user may see.")
    detailed = paged_call(PagesTake.no_ids, DETAILED, "Yield these lists with their senders.")
    get = single_call(CallTakes.list_id, GET, "Return a list with its sender.")

    def create(
        self, *, name: str, sender: Sender, copy_of: int | None = None, business: bool = True, customer: bool = True,
        description: str = "", settings: Mapping[str, object] | None = None, **options: Unpack[CallOptions],
    ) -> ListDetails:  # fmt: skip
        """Create a list, and return it.

        Calls on a new list may raise Forbidden for about a minute. MailUp advises against more than a hundred lists.

        Args:
            name: at most 50 characters.
            copy_of: the id of the list whose settings are copied; by default MailUp's default settings are used.
            business, customer: whether the list is for businesses, and whether it is for customers.
            settings: further settings, by MailUp's names, such as `TimeZoneCode`, `SmsSenderName`, `Charset`.

        Raises:
            ValueError: an argument is empty or too long, an address is not an e-mail address, or the name of a setting
                doesn't begin with a capital letter, as MailUp's names do.
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
        """Change a list, and return it. What is left out stays: the list is read first, by one call more.

        If two change a list at once, the last one wins.

        Args:
            name, sender, settings: as for `create`.

        Raises:
            ValueError, BadRequest: as `create`; ValueError also if MailUp doesn't give back what is to be changed.
        """
        return self._client.run(self._update(_body(name, sender, settings), list_id, options))

    def delete(self, *, list_id: int, guid: str, **options: Unpack[CallOptions]) -> None:
        """Delete a list. This can't be undone.

        Args:
            guid: the list's `guid`, by which MailUp makes sure that it is the right list.

        Raises:
            APIError: the guid is not the list's.
        """
        headers = {"If-Match": arguments.text("guid", guid)}
        return self._call(DELETE, headers=headers, list_id=list_id, options=options)

    countries = single_call(CallTakes.no_ids, COUNTRIES, "Return the countries that a list's address can be in.")
    time_zones = single_call(CallTakes.no_ids, TIME_ZONES, "Return the time zones that a list can have.")

    def _update(self, changes: dict[str, Any], list_id: int, options: CallOptions) -> Flow[ListDetails]:
        current = (yield from self._flow(GET, list_id=list_id, options=options)).raw
        body = update_body(current, WRITABLE, changes, _ARGUMENTS)
        return (yield from self._flow(UPDATE, json=body, list_id=list_id, options=options))


def _body(name: str | None, sender: Sender | None, settings: Mapping[str, object] | None) -> dict[str, Any]:
    body: dict[str, Any] = dict(sender.as_json()) if sender is not None else {}
    if name is not None:
        body["Name"] = arguments.text("name", name, max_length=arguments.MAX_LIST_NAME)
    for setting, value in (settings or {}).items():
        if not setting[:1].isupper():  # a Python name: an argument that doesn't exist
            raise ValueError(f"{setting} is not a name of a MailUp setting.")
        body[setting] = value
    return body
