"""Recipients to be added, one by one or in an import, by e-mail or SMS."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .. import arguments
from ..arguments import FieldValues
from ..flow import CallOptions, Steps
from .fields import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecipient:
    """Somebody to be added. An e-mail address, or a mobile number with its prefix (`+39`), or both."""

    email: str = ""
    name: str = ""
    mobile_prefix: str = ""
    mobile_number: str = ""
    fields: FieldValues = field(default_factory=dict)

    def as_json(self, personal: Fields, options: CallOptions) -> Steps[dict[str, Any]]:
        """Return it as MailUp takes it, in a flow: names of personal fields are looked up.

        Raises:
            ValueError: there is no proper address, or a field doesn't exist.
        """
        if not self.email and not self.mobile_number:
            raise ValueError("email must not be empty where there is no mobile_number.")
        address = {"Email": arguments.email("email", self.email)} if self.email else {}
        body = {"Name": self.name, "Fields": (yield from personal.resolving(self.fields, options)), **address}
        if self.mobile_number:
            body |= {"MobileNumber": self.mobile_number, "MobilePrefix": self.mobile_prefix}
        return body


def all_as_json(
    recipients: Iterable[NewRecipient], personal: Fields, options: CallOptions
) -> Steps[list[dict[str, Any]]]:
    """Return recipients as MailUp takes them, in a flow. Raise ValueError when there are none, or one is wrong."""
    body: list[dict[str, Any]] = []
    for each in recipients:
        body += [(yield from each.as_json(personal, options))]
    if not body:
        raise ValueError("recipients must not be empty.")
    return body
