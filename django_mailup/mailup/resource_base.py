"""Resource: the base class of resources. It calls operations, once or page by page."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from operator import attrgetter
from types import FunctionType
from typing import Any, Protocol, TypeVar, cast

from ..exceptions import APIError, NotFound, UnexpectedResponse
from . import expressions
from .flow import Call, CallOptions, Flow
from .operations import Operation, positive
from .page_cursor import Page
from .paging import PAGE_SIZE, Ask, Paged, PageOptions, PageSource, parse_page
from .records import R, Record

T = TypeVar("T")


class Driver(Protocol):
    """Drives the flows of resources. MailUpClient is one."""

    def run(self, flow: Flow[T]) -> T:
        """Answer the calls that a flow yields, and return its result. The error of a call is thrown into the flow."""

    def pages(self, source: PageSource[T]) -> Paged[T]:
        """Return an iterator over the items of all pages."""


class Resource:
    """A resource of a client, such as `client.lists`.

    Every method takes the CallOptions in addition to its own arguments. A paged method takes the PageOptions instead,
    and returns a Paged.

    Every method may raise, besides what its own docstring names:
        ValueError: an id is not a positive whole number.
        NotFound: MailUp has no such object.
        Forbidden: the MailUp user may not see or change it.
        BadRequest, APIError: MailUp refuses the call for another reason.
        MailUpUnavailable: MailUp can't be reached, or answers with an outage.
        RateLimited: the limit of calls allows none within `patience` seconds.
        ReauthorizationRequired: the connection's owner must connect again.
        TermsNotAccepted: the MailUp user must accept the terms of service in MailUp's console.
        UnexpectedResponse: MailUp's answer can't be parsed.
    """

    def __init__(self, client: Driver) -> None:
        self._client = client

    def __init_subclass__(cls) -> None:
        """Add to each method's docstring the verb, path and source of its operation, which its module defines."""
        for operation in vars(sys.modules[cls.__module__]).values():
            if isinstance(operation, Operation):
                method = vars(cls).get(operation.name.partition(".")[2])
                if isinstance(method, FunctionType):
                    method.__doc__ = f"{inspect.getdoc(method) or ''}\n\n{operation.description}"

    def _call(
        self, operation: Operation[T], *, options: CallOptions, params: Mapping[str, Any] | None = None,
        json: Any = None, headers: Mapping[str, str] | None = None, **ids: int,
    ) -> T:  # fmt: skip
        """Call an operation once, and return its result."""
        flow = self._flow(operation, options=options, params=params, json=json, headers=headers, **ids)
        return self._client.run(flow)

    def _pages(
        self, operation: Operation[R], *, options: PageOptions, params: Mapping[str, Any] | None = None, **ids: int
    ) -> Paged[R]:
        """Return an iterator over the records of a paged operation. Raise ValueError now if an argument is wrong."""
        return self._client.pages(self._page_source(operation, options=options, params=params, **ids))

    def _flow(
        self, operation: Operation[T], *, options: CallOptions, params: Mapping[str, Any] | None = None,
        json: Any = None, headers: Mapping[str, str] | None = None, **ids: int,
    ) -> Flow[T]:  # fmt: skip
        """Return the flow that calls an operation once, for use in another method's flow."""
        call = _prepare(operation, options, params=params or None, json=json, headers=headers, ids=ids)
        with _note_on_errors(operation):
            answer = yield call
            returns: Any = operation.returns
            if isinstance(returns, type) and issubclass(returns, Record):
                return cast(T, returns.parse(answer.body, arguments=ids))
            return cast(T, returns(answer.body))

    def _row(self, operation: Operation[R], name: str, row_id: int, *, list_id: int, options: CallOptions) -> Flow[R]:
        """Return the flow that gets one row of a list's paged operation, where MailUp has no operation for one.

        Args:
            name: MailUp's name of the row's id.
            row_id: the id.

        Raises (in the flow):
            NotFound: there is no such row.
        """
        where = expressions.Field(name) == row_id
        source = self._page_source(operation, options=cast(PageOptions, {**options, "where": where}), list_id=list_id)
        for each in (yield from source.all_items()):
            if getattr(each, "id", None) == row_id:
                return each
        raise NotFound(f"MailUp has no {name} {row_id} there.", status=404)

    def _page_source(
        self, operation: Operation[R], *, options: PageOptions, params: Mapping[str, Any] | None = None, **ids: int
    ) -> PageSource[R]:
        """Return how the pages of an operation are asked for. Raise ValueError if an argument is wrong."""
        rest: dict[str, Any] = dict(options)
        where, order = rest.pop("where", None), rest.pop("order", operation.default_order)
        size = positive("page_size", rest.pop("page_size", PAGE_SIZE))
        query = dict(params or {})
        if where is not None:
            query["filterby"] = expressions.filter_parameter(where)
        if order is not None:
            query["orderby"] = expressions.order_parameter(order)
        call = _prepare(operation, cast(CallOptions, rest), ids=ids)
        record = cast(type[R], operation.returns)

        def page_flow(ask: Ask) -> Flow[Page[R]]:
            page_params = {**query, "pageNumber": ask.number, "pageSize": ask.size}
            with _note_on_errors(operation):
                answer = yield replace(call, params=page_params, repeat_timeouts=ask.repeat_timeouts)
                return parse_page(answer, record, ask=ask, arguments=ids)

        return PageSource(page_flow, size, _identify(operation, record))


def _identify(operation: Operation[R], record: type[R]) -> Callable[[R], Hashable] | None:
    """Return a function from a row to its id; None if rows have none, as in statistics."""
    names = {each.name for each in fields(record)}
    if "id" in names:
        return attrgetter("id")
    is_by_recipient = "recipient_id" in names and operation.default_order is not None
    return attrgetter("recipient_id") if is_by_recipient else None


def _prepare(
    operation: Operation[Any], options: CallOptions, *, ids: Mapping[str, int],
    headers: Mapping[str, str] | None = None, **parts: Any,
) -> Call:  # fmt: skip
    """Return the call of an operation. Raise TypeError if an option is unknown."""
    for name in options:
        if name not in CallOptions.__annotations__:
            raise TypeError(f"{operation.name}() got an unexpected keyword argument {name!r}")
    merged = {**(headers or {}), **options.get("headers", {})}
    rest = {name: value for name, value in options.items() if name != "headers"}
    return Call(verb=operation.verb, path=operation.fill_path(**ids), headers=merged, **{**parts, **cast(Any, rest)})


@contextmanager
def _note_on_errors(operation: Operation[Any]) -> Iterator[None]:
    """Add a note to an error of MailUp's answer: which operation was called, and how well it is known."""
    try:
        yield
    except (APIError, UnexpectedResponse) as error:
        note = f"{operation.name} is {operation.verb} {operation.path}. {operation.source.explanation}"
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
        raise
