"""Lists and their groups: `GET /Console/User/Lists` and `/Console/List/{id}/Groups`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..paging import PAGE_SIZE
from . import reading
from .requester import Requester, pages


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
class Group:
    """A group: a part of a list. `deletable` is false for the built-in test group; `count` is often None."""

    id: int
    list_id: int
    name: str
    notes: str
    deletable: bool
    count: int | None
    raw: Mapping[str, Any] = field(repr=False)


class Lists:
    """The operations on lists."""

    def __init__(self, client: Requester) -> None:
        self._client = client

    def all(self, *, page_size: int = PAGE_SIZE) -> Iterator[MailingList]:
        """Yield every list the MailUp user may see; pages are asked for as they are needed. (Documented by MailUp.)"""
        for raw in pages(self._client, "/Console/User/Lists", page_size=page_size):
            yield MailingList(
                id=reading.identifier(raw, "idList", "ListId"),
                guid=reading.text(raw, "listGuid"),
                name=reading.text(raw, "Name").strip(),
                description=reading.text(raw, "Description"),
                company=reading.text(raw, "Company"),
                raw=raw,
            )

    def groups(self, list_id: int, *, page_size: int = PAGE_SIZE) -> Iterator[Group]:
        """Yield the groups of a list. (Documented by MailUp.)

        Raises:
            NotFound, Forbidden: there is no such list, or it isn't this user's to see.
        """
        for raw in pages(self._client, f"/Console/List/{int(list_id)}/Groups", page_size=page_size):
            yield Group(
                id=reading.identifier(raw, "idGroup"),
                list_id=reading.number(raw, "idList", "ListId") or int(list_id),
                name=reading.text(raw, "Name"),
                notes=reading.text(raw, "Notes"),
                deletable=reading.flag(raw, "Deletable"),
                count=reading.number(raw, "Count"),
                raw=raw,
            )
