"""Recipients that a site adds, one by one or in an import, and MailUp's JSON for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .. import arguments
from ..arguments import FieldValues
from ..flow import CallOptions, Flow
from .fields import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecipient:
    """A recipient to add, with an e-mail address, or a mobile number and its prefix (`+39`), or both."""

    email: str = ""
    name: str = ""
    mobile_prefix: str = ""
    mobile_number: str = ""
    fields: FieldValues = field(default_factory=dict)

    def json_flow(self, personal: Fields, options: CallOptions) -> Flow[dict[str, Any]]:
        """Return the flow that makes MailUp's JSON of the recipient; it looks up the names of personal fields.

        Raises:
            ValueError: there is neither address nor number, the address is not an e-mail address, or a field doesn't
                exist.
        """
        if not self.email and not self.mobile_number:
            raise ValueError("email must not be empty without mobile_number.")
        address = {"Email": arguments.email("email", self.email)} if self.email else {}
        body = {"Name": self.name, "Fields": (yield from personal.resolve_flow(self.fields, options)), **address}
        if self.mobile_number:
            body |= {"MobileNumber": self.mobile_number, "MobilePrefix": self.mobile_prefix}
        return body


def json_list_flow(
    recipients: Iterable[NewRecipient], personal: Fields, options: CallOptions
) -> Flow[list[dict[str, Any]]]:
    """Return the flow that makes MailUp's JSON of recipients. Raise ValueError if there are none, or one is wrong."""
    body: list[dict[str, Any]] = []
    for each in recipients:
        body += [(yield from each.json_flow(personal, options))]
    if not body:
        raise ValueError("recipients must not be empty.")
    return body
