"""Methods that are declared by their operation: those whose arguments are the ids of its path and nothing else."""

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
    """A method of a resource that calls one operation.

    Args:
        operation: what it calls.
        like: a function with its signature.
        paged: whether it returns a Paged.
        summary: what it does. It gets the operation's verb and path and becomes the docstring.
    """

    def __init__(self, operation: Operation[Any], *, like: Callable[P, None], paged: bool, summary: str) -> None:
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        signature = inspect.signature(like)
        signature = signature.replace(parameters=[own, *signature.parameters.values()])

        def method(*args: Any, **arguments: Any) -> Any:
            bound = signature.bind(*args, **arguments).arguments  # a TypeError, as any other method has it
            resource, options = bound.pop("self"), bound.pop("options", {})
            return (resource._pages if paged else resource._call)(operation, options=options, **bound)

        vars(method)["__signature__"] = signature
        method.__doc__ = f"{summary}\n\n{operation.description}"
        self.operation, self._method = operation, method

    def __set_name__(self, owner: type, name: str) -> None:
        self._method.__name__, self._method.__qualname__ = name, f"{owner.__qualname__}.{name}"

    def __get__(self, resource: object, owner: type) -> Callable[P, T]:
        return cast(Callable[P, T], self._method.__get__(resource, owner))


def called(like: Callable[P, None], operation: Operation[T], summary: str) -> Method[P, T]:
    """Declare a method that calls an operation once."""
    return Method(operation, like=like, paged=False, summary=summary)


def paged(like: Callable[P, None], operation: Operation[R], summary: str) -> Method[P, Paged[R]]:
    """Declare a method that yields the rows of a paged operation."""
    return Method(operation, like=like, paged=True, summary=summary)


class By:
    """Signatures of methods that call an operation once, by the ids that it takes."""

    @staticmethod
    def nothing(**options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def list(*, list_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def group(*, list_id: int, group_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def running_import(*, import_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def list_and_message(*, list_id: int, message_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def list_and_recipient(*, list_id: int, recipient_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def group_and_recipient(*, group_id: int, recipient_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def message(*, message_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def recipient(*, recipient_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def sending(*, sending_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def tag(*, list_id: int, tag_id: int, **options: Unpack[CallOptions]) -> None: ...

    @staticmethod
    def template(*, list_id: int, template_id: int, **options: Unpack[CallOptions]) -> None: ...


class Rows:
    """Signatures of methods that yield rows, by the ids that the operation takes."""

    @staticmethod
    def of_all(**options: Unpack[PageOptions]) -> None: ...

    @staticmethod
    def of_group(*, group_id: int, **options: Unpack[PageOptions]) -> None: ...

    @staticmethod
    def of_list(*, list_id: int, **options: Unpack[PageOptions]) -> None: ...

    @staticmethod
    def of_list_and_message(*, list_id: int, message_id: int, **options: Unpack[PageOptions]) -> None: ...

    @staticmethod
    def of_list_and_recipient(*, list_id: int, recipient_id: int, **options: Unpack[PageOptions]) -> None: ...

    @staticmethod
    def of_message(*, message_id: int, **options: Unpack[PageOptions]) -> None: ...

    @staticmethod
    def of_recipient(*, recipient_id: int, **options: Unpack[PageOptions]) -> None: ...
