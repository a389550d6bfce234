"""Methods that are made from an operation: those whose only own arguments are the ids in the operation's path."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar, Unpack, cast

from .flow import CallOptions
from .operations import Operation
from .paging import Paged, PageOptions
from .records import R

P = ParamSpec("P")
T = TypeVar("T")


class Method(Generic[P, T]):
    """A method of a resource that calls one operation. `single_call` and `paged_call` make one.

    Args:
        operation: the operation that it calls.
        signature: a function with the method's arguments, apart from `self`. It is never called.
        paged: whether the method returns a Paged.
        summary: the first line of its docstring; the operation's verb, path and source are added.
    """

    def __init__(self, operation: Operation[Any], *, signature: Callable[P, None], paged: bool, summary: str) -> None:
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        without_self = inspect.signature(signature)
        full = without_self.replace(parameters=[own, *without_self.parameters.values()])

        def method(*args: Any, **arguments: Any) -> Any:
            bound = full.bind(*args, **arguments).arguments  # raises the TypeError of a usual method
            resource, options = bound.pop("self"), bound.pop("options", {})
            return (resource._pages if paged else resource._call)(operation, options=options, **bound)

        vars(method)["__signature__"] = full
        method.__doc__ = f"{summary}\n\n{operation.description}"
        self.operation, self._method = operation, method

    def __set_name__(self, owner: type, name: str) -> None:
        self._method.__name__, self._method.__qualname__ = name, f"{owner.__qualname__}.{name}"

    def __get__(self, resource: object, owner: type) -> Callable[P, T]:
        return cast(Callable[P, T], self._method.__get__(resource, owner))


def single_call(signature: Callable[P, None], operation: Operation[T], summary: str) -> Method[P, T]:
    """Return a method that calls an operation once and returns its result. See Method for the arguments."""
    return Method(operation, signature=signature, paged=False, summary=summary)


def paged_call(signature: Callable[P, None], operation: Operation[R], summary: str) -> Method[P, Paged[R]]:
    """Return a method that yields the records of all pages of an operation. See Method for the arguments."""
    return Method(operation, signature=signature, paged=True, summary=summary)


class CallTakes:
    """Signatures for `single_call`, named by the ids that the method takes in addition to CallOptions."""

    @staticmethod
    def no_ids(**options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def import_id(*, import_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def list_id(*, list_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def message_id(*, message_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def recipient_id(*, recipient_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def sending_id(*, sending_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def trusted_sender_id(*, trusted_sender_id: str, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def group_and_recipient(*, group_id: int, recipient_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def list_and_group(*, list_id: int, group_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def list_and_message(*, list_id: int, message_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def list_and_recipient(*, list_id: int, recipient_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def list_and_tag(*, list_id: int, tag_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def list_and_template(*, list_id: int, template_id: int, **options: Unpack[CallOptions]) -> None: ...


class PagesTake:
    """Signatures for `paged_call`, named by the ids that the method takes in addition to PageOptions."""

    @staticmethod
    def no_ids(**options: Unpack[PageOptions]) -> None: ...

    @staticmethod
    def group_id(*, group_id: int, **options: Unpack[PageOptions]) -> None: ...

    @staticmethod
    def list_id(*, list_id: int, **options: Unpack[PageOptions]) -> None: ...

    @staticmethod
    def message_id(*, message_id: int, **options: Unpack[PageOptions]) -> None: ...

    @staticmethod
    def recipient_id(*, recipient_id: int, **options: Unpack[PageOptions]) -> None: ...

    @staticmethod
    def list_and_message(*, list_id: int, message_id: int, **options: Unpack[PageOptions]) -> None: ...

    @staticmethod
    def list_and_recipient(*, list_id: int, recipient_id: int, **options: Unpack[PageOptions]) -> None: ...
