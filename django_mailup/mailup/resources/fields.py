"""Personal fields: which there are, and their ids by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..operations import Operation
from ..paging import PAGE_SIZE
from . import arguments, reading
from .arguments import FieldValues
from .requester import Order, Requester, Resource, Where

ALL: Final = Operation("fields.all", "GET", "/Console/Recipient/DynamicFields")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalField:
    """A personal field of the account's recipients. Users may rename it; the id stays."""

    id: int
    name: str
    raw: Mapping[str, Any] = field(repr=False)


class Fields(Resource):
    """The operations on personal fields."""

    def __init__(self, client: Requester) -> None:
        super().__init__(client)
        self._ids: dict[str, int] | None = None

    def all(
        self, *, where: Where = None, order: Order = ("Id",), page_size: int = PAGE_SIZE
    ) -> Iterator[PersonalField]:
        """Yield the account's personal fields. `GET /Console/Recipient/DynamicFields`. (Documented by MailUp.)

        Without an order MailUp sends the highest ids first, twenty of them: here all come, from 1.
        """
        for raw in self._pages(ALL, where=where, order=order, page_size=page_size):
            yield PersonalField(id=reading.identifier(raw, "Id"), name=reading.text(raw, "Description"), raw=raw)

    def resolve(self, values: FieldValues | None) -> list[dict[str, Any]]:
        """Return personal fields as MailUp takes them.

        Args:
            values: by id or by name, whose letter case doesn't matter: `{"FirstName": "Ada"}`, `{1: "Ada"}`. Names are
                looked up once for each client.

        Raises:
            ValueError: there is no such field (the message lists those there are), or a value is too long.
        """
        by_id: dict[int, str] = {}
        for key, value in (values or {}).items():
            if isinstance(key, str):
                by_id[self._id(key)] = value
            else:
                by_id[arguments.positive("fields", key)] = value
        return arguments.fields(by_id)

    def _id(self, name: str) -> int:
        if self._ids is None:
            self._ids = {each.name.casefold(): each.id for each in self.all()}
        found = self._ids.get(name.casefold())
        if found is None:
            near = difflib.get_close_matches(name.casefold(), self._ids, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ValueError(f"There is no personal field {name!r}.{hint} There are: {', '.join(sorted(self._ids))}.")
        return found
