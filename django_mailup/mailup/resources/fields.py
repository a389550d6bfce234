"""Personal fields: which there are, and their ids by name."""

from __future__ import annotations

import difflib
from typing import Any, Unpack, cast

from .. import arguments
from ..arguments import FieldValues
from ..declared import Rows, paged
from ..flow import CallOptions, Steps
from ..operations import DOCUMENTED, Operation
from ..paging import PageOptions, Progress
from ..records import Record, key
from ..requester import Requester, Resource


class PersonalField(Record):
    """A personal field of the account's recipients. Users may rename it; the id stays."""

    id: int = key("Id")
    name: str = key("Description")


# fmt: off
ALL = Operation("fields.all", "GET", "/Console/Recipient/DynamicFields", DOCUMENTED, PersonalField, ("Id",))
# fmt: on


class Fields(Resource):
    """The operations on personal fields."""

    def __init__(self, client: Requester) -> None:
        super().__init__(client)
        self._ids: dict[str, int] | None = None

    all = paged(
        Rows.of_all, ALL, "Yield the account's personal fields, by id; MailUp's own order has the highest first."
    )

    def resolve(self, values: FieldValues | None, **options: Unpack[CallOptions]) -> list[dict[str, Any]]:
        """Return personal fields as MailUp takes them.

        Args:
            values: by id or by name, whose letter case doesn't matter: `{"FirstName": "Ada"}`, `{1: "Ada"}`. Names are
                looked up once for each client.

        Raises:
            ValueError: there is no such field (the message lists those there are), or a value is too long.
        """
        return self._client.run(self.resolving(values, options))

    def resolving(self, values: FieldValues | None, options: CallOptions) -> Steps[list[dict[str, Any]]]:
        """Do as `resolve`, as part of another method's flow."""
        by_id: dict[int, str] = {}
        for key_, value in (values or {}).items():
            if isinstance(key_, str):
                by_id[(yield from self._find(key_, options))] = value
            else:
                by_id[arguments.positive("fields", key_)] = value
        return arguments.fields(by_id)

    def _find(self, name: str, options: CallOptions) -> Steps[int]:
        if self._ids is None:
            self._ids = yield from self._look_up(options)
        found = self._ids.get(name.casefold())
        if found is None:
            near = difflib.get_close_matches(name.casefold(), self._ids, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ValueError(f"There is no personal field {name!r}.{hint} There are: {', '.join(sorted(self._ids))}.")
        return found

    def _look_up(self, options: CallOptions) -> Steps[dict[str, int]]:
        ids: dict[str, int] = {}
        page = self._page(ALL, options=cast(PageOptions, options))
        progress: Progress[PersonalField] = Progress()
        while progress.next is not None:
            ids |= {each.name.casefold(): each.id for each in progress.take((yield from page(progress.next)))}
        return ids
