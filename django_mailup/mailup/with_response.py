"""WithResponse: a client whose methods return the status and headers of MailUp's answer with their result."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, Unpack

from .classify import safe_headers
from .flow import Answer, Call, CallOptions
from .paging import Paged
from .resources.fields import Fields
from .synchronous import SynchronousClient

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Response(Generic[T]):
    """The result of a method, with the status and headers of the last answer that the method got.

    `status` is 0 if there was no call. Headers that may hold a secret (`Set-Cookie`, `Location` ...) are left out.
    """

    result: T
    status: int
    headers: Mapping[str, str]


class WithResponse:
    """A client whose methods return a Response: `client.with_response.lists.get(list_id=1).headers`.

    The result of a paged method is its first Page. (Type checkers see `Response[Any]`.)
    """

    def __init__(self, client: SynchronousClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> ResourceWithResponse:
        if not isinstance(getattr(SynchronousClient, name, None), cached_property):
            raise AttributeError(f"MailUpClient has no resource {name!r}.")
        return ResourceWithResponse(self._client, name)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        **options: Unpack[CallOptions],
    ) -> Response[Any]:
        """Call a REST operation. Arguments and errors are those of `MailUpClient.request`."""
        recorder = _Recorder(self._client)
        return recorder.response(recorder.request(method, path, params=params, json=json, **options))


class ResourceWithResponse:
    """A resource whose methods return a Response."""

    def __init__(self, client: SynchronousClient, name: str) -> None:
        self._client = client
        self._name = name

    def __getattr__(self, name: str) -> Callable[..., Response[Any]]:
        if name.startswith("_"):
            raise AttributeError(name)

        @functools.wraps(getattr(getattr(self._client, self._name), name))
        def call(*args: Any, **kwargs: Any) -> Response[Any]:
            recorder = _Recorder(self._client)
            result = getattr(getattr(recorder, self._name), name)(*args, **kwargs)
            return recorder.response(result.page() if isinstance(result, Paged) else result)

        return call


class _Recorder(SynchronousClient):
    """A client for one call of a method. It keeps the last answer; the client behind it, which threads share, can't."""

    def __init__(self, client: SynchronousClient) -> None:
        self._client = client
        self._last = Answer("", 0, {})

    def _answer(self, call: Call) -> Answer:
        self._last = self._client._answer(call)
        return self._last

    def _note_success(self) -> None:
        self._client._note_success()

    @property
    def _field_names(self) -> Fields:
        return self._client.fields

    def response(self, result: T) -> Response[T]:
        """Return a result with the status and headers of the last answer."""
        return Response(result, self._last.status, safe_headers(self._last.headers))
