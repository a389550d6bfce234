"""What every resource is made of: a way to call an operation, and to follow its pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from .. import expressions, paging
from ..expressions import Expression
from ..operations import Operation
from ..paging import PAGE_SIZE

Where = Expression | str | None
Order = str | Iterable[str] | None


class Requester(Protocol):
    """Calls a REST operation and returns its decoded body."""

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """See MailUpClient.request."""


class Resource:
    """A resource of a client."""

    def __init__(self, client: Requester) -> None:
        self._client = client

    def _call(
        self,
        operation: Operation,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        **ids: int,
    ) -> Any:
        return self._client.request(
            operation.verb, operation.at(**ids), params=params or None, json=json, headers=headers
        )

    def _pages(
        self,
        operation: Operation,
        *,
        where: Where = None,
        order: Order = None,
        page_size: int = PAGE_SIZE,
        params: Mapping[str, Any] | None = None,
        **ids: int,
    ) -> Iterator[Mapping[str, Any]]:
        if isinstance(page_size, bool) or not isinstance(page_size, int) or page_size < 1:
            raise ValueError(f"page_size must be a positive whole number, not {page_size!r}.")
        path = operation.at(**ids)
        query = dict(params or {})
        if where is not None:
            query["filterby"] = expressions.filter_parameter(where)
        if order is not None:
            query["orderby"] = expressions.order_parameter(order)
        return paging.follow(
            lambda number: self._client.request(
                operation.verb, path, params={**query, "pageNumber": number, "pageSize": page_size}
            )
        )
