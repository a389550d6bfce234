"""Personal fields of recipients: reading them, and looking up their ids by name."""

from __future__ import annotations

import difflib
from typing import Any, Unpack, cast

from .. import arguments
from ..arguments import FieldValues
from ..flow import CallOptions, Flow
from ..methods import PagesTake, paged_call
from ..operations import DOCUMENTED, Operation
from ..paging import PageOptions
from ..records import Record, key
from ..resource_base import Driver, Resource


class PersonalField(Record):
    """A personal field of the account's recipients. Users may rename it; its id never changes."""

    id: int = key("Id")
    name: str = key("Description")


# fmt: off
ALL = Operation("fields.all", "GET", "/Console/Recipient/DynamicFields", DOCUMENTED, PersonalField, ("Id",))
# fmt: on


class Fields(Resource):
    """The operations on personal fields."""

    def __init__(self, client: Driver) -> None:
        super().__init__(client)
        self._ids: dict[str, int] | None = None

    all = paged_call(PagesTake.no_ids, ALL, "Yield the account's personal fields, ordered by id.")

    def resolve(self, values: FieldValues | None, **options: Unpack[CallOptions]) -> list[dict[str, Any]]:
        """Return the values of personal fields as MailUp's JSON.

        Args:
            values: the values by id, `{1: "Ada"}`, or by name in any letter case, `{"FirstName": "Ada"}`. The client
                looks up names once.

        Raises:
            ValueError: a field doesn't exist (the message lists the fields), or a value is too long.
        """
        return self._client.run(self.resolve_flow(values, options))

    def resolve_flow(self, values: FieldValues | None, options: CallOptions) -> Flow[list[dict[str, Any]]]:
        """Return the flow of `resolve`, for use in another method's flow."""
        by_id: dict[int, str] = {}
        for field, value in (values or {}).items():
            if isinstance(field, str):
                by_id[(yield from self._find(field, options))] = value
            else:
                by_id[arguments.positive("fields", field)] = value
        return arguments.fields(by_id)

    def _find(self, name: str, options: CallOptions) -> Flow[int]:
        if self._ids is None:
            self._ids = yield from self._look_up(options)
        found = self._ids.get(name.casefold())
        if found is None:
            near = difflib.get_close_matches(name.casefold(), self._ids, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ValueError(f"There is no personal field {name!r}.{hint} Fields: {', '.join(sorted(self._ids))}.")
        return found

    def _look_up(self, options: CallOptions) -> Flow[dict[str, int]]:
        found = yield from self._page_source(ALL, options=cast(PageOptions, options)).all_items()
        return {each.name.casefold(): each.id for each in found}
