"""What every resource is made of: operations that are called, once or page by page."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import FunctionType
from typing import Any, Protocol, TypeVar, cast

from ..exceptions import APIError, UnexpectedResponse
from . import expressions
from .flow import Call, CallOptions, Steps
from .operations import Operation
from .paging import PAGE_SIZE, Page, Paged, PageOptions, parse_page
from .records import R, Record

T = TypeVar("T")


class Requester(Protocol):
    """Carries out what resources ask for. MailUpClient is one."""

    def run(self, steps: Steps[T]) -> T:
        """Send the calls that the steps yield, and return their result. An error of a call is thrown into them."""

    def pages(self, page: Callable[[int], Steps[Page[T]]]) -> Paged[T]:
        """Return what follows the pages, given the steps that ask for one by its number."""


class Resource:
    """A resource of a client.

    Every method takes `timeout`, `patience` and `headers` beside its own arguments (see CallOptions); every paged one
    `where`, `order` and `page_size` too (see PageOptions), and returns a Paged.

    Every method raises, beside what its own docstring names:
        ValueError: an id is no positive whole number.
        NotFound, Forbidden: MailUp has no such thing, or this user may not see it.
        BadRequest, APIError: MailUp refuses the call.
        MailUpUnavailable, RateLimited: MailUp can't be reached, or the limit of calls is used up.
        ReauthorizationRequired, TermsNotAccepted: the connection's owner must act.
        UnexpectedResponse: MailUp's answer can't be parsed.
    """

    def __init__(self, client: Requester) -> None:
        self._client = client

    def __init_subclass__(cls) -> None:
        """Add to each method's docstring the verb, path and source of the operation of its name, declared beside it."""
        for operation in vars(sys.modules[cls.__module__]).values():
            if isinstance(operation, Operation):
                method = vars(cls).get(operation.name.partition(".")[2])
                if isinstance(method, FunctionType):
                    method.__doc__ = f"{inspect.getdoc(method) or ''}\n\n{operation.description}"

    def _call(
        self, operation: Operation[T], *, options: CallOptions, params: Mapping[str, Any] | None = None,
        json: Any = None, headers: Mapping[str, str] | None = None, **ids: int,
    ) -> T:  # fmt: skip
        """Call an operation, and return what it returns."""
        steps = self._steps(operation, options=options, params=params, json=json, headers=headers, **ids)
        return self._client.run(steps)

    def _pages(
        self, operation: Operation[R], *, options: PageOptions, params: Mapping[str, Any] | None = None, **ids: int
    ) -> Paged[R]:
        """Return the records of a paged operation. Nothing is asked yet, but wrong arguments are refused."""
        return self._client.pages(self._page(operation, options=options, params=params, **ids))

    def _steps(
        self, operation: Operation[T], *, options: CallOptions, params: Mapping[str, Any] | None = None,
        json: Any = None, headers: Mapping[str, str] | None = None, **ids: int,
    ) -> Steps[T]:  # fmt: skip
        """Call an operation as part of a flow."""
        call = _prepare(operation, options, params=params or None, json=json, headers=headers, ids=ids)
        with _explained(operation):
            answer = yield call
            returns: Any = operation.returns
            if isinstance(returns, type) and issubclass(returns, Record):
                return cast(T, returns.parse(answer.body, arguments=ids))
            return cast(T, returns(answer.body))

    def _page(
        self, operation: Operation[R], *, options: PageOptions, params: Mapping[str, Any] | None = None, **ids: int
    ) -> Callable[[int], Steps[Page[R]]]:
        """Return the steps that ask for one page, by its number."""
        rest: dict[str, Any] = dict(options)
        where, order = rest.pop("where", None), rest.pop("order", operation.order)
        size = rest.pop("page_size", PAGE_SIZE)
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"page_size must be a positive whole number, not {size!r}.")
        query = dict(params or {})
        if where is not None:
            query["filterby"] = expressions.filter_parameter(where)
        if order is not None:
            query["orderby"] = expressions.order_parameter(order)
        call = _prepare(operation, cast(CallOptions, rest), ids=ids)
        record = cast(type[R], operation.returns)

        def page(number: int) -> Steps[Page[R]]:
            with _explained(operation):
                answer = yield replace(call, params={**query, "pageNumber": number, "pageSize": size})
                return parse_page(answer, record, asked=number, arguments=ids)

        return page


def _prepare(
    operation: Operation[Any], options: CallOptions, *, ids: Mapping[str, int],
    headers: Mapping[str, str] | None = None, **parts: Any,
) -> Call:  # fmt: skip
    """Return the call of an operation. Raise TypeError for an argument that the method doesn't have."""
    for name in options:
        if name not in CallOptions.__annotations__:
            raise TypeError(f"{operation.name}() got an unexpected keyword argument {name!r}")
    merged = {**(headers or {}), **options.get("headers", {})}
    rest = {name: value for name, value in options.items() if name != "headers"}
    return Call(verb=operation.verb, path=operation.at(**ids), headers=merged, **{**parts, **cast(Any, rest)})


@contextmanager
def _explained(operation: Operation[Any]) -> Iterator[None]:
    """Add to an error which operation it was, and how sure the operation is."""
    try:
        yield
    except (APIError, UnexpectedResponse) as error:
        told = f"{operation.name} is {operation.verb} {operation.path}. {operation.source.explanation}"
        if told not in getattr(error, "__notes__", ()):
            error.add_note(told)
        raise
