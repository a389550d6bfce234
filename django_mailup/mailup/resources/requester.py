"""What a resource needs of a client: one way to call an operation. Resources import it, clients fulfil it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from .. import paging


class Requester(Protocol):
    """Calls a REST operation and returns its decoded body."""

    def request(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None) -> Any:
        """See MailUpClient.request."""


def pages(client: Requester, path: str, *, page_size: int) -> Iterator[Mapping[str, Any]]:
    """Yield the items of a paged GET operation, lazily."""
    if page_size < 1:
        raise ValueError("page_size must be at least 1.")
    return paging.follow(
        lambda number: client.request("GET", path, params={"pageNumber": number, "pageSize": page_size})
    )
