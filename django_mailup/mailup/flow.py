"""What a resource asks for, as data, so that a synchronous and an asynchronous client can serve the same resources."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict, TypeVar

from ..exceptions import UnexpectedResponse
from . import parsing

T = TypeVar("T")


class CallOptions(TypedDict, total=False):
    """What every method takes beside its own arguments."""

    timeout: float
    """Seconds to connect, and for each read of the answer; the client's unless given."""

    patience: float
    """Seconds that this call may wait for its turn, or after a 429; the client's unless given."""

    headers: Mapping[str, str]
    """Further request headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One REST call."""

    verb: str
    path: str
    params: Mapping[str, Any] | None = None
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    patience: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call, with status 200."""

    text: str
    """The body, which a page of many rows is parsed from piece by piece."""

    status: int
    headers: Mapping[str, str]

    @property
    def body(self) -> Any:
        """Return the decoded JSON: an object, a list, a number, text; None when the body is empty.

        Raises:
            UnexpectedResponse: it isn't JSON.
        """
        try:
            return parsing.load(self.text)
        except ValueError:
            raise self.unexpected() from None

    def unexpected(self) -> UnexpectedResponse:
        """Return the error that says that the body isn't JSON."""
        content_type = self.headers.get("Content-Type", "").partition(";")[0][:60]
        return UnexpectedResponse("MailUp's answer is not JSON.", status=self.status, content_type=content_type)


Steps = Generator[Call, Answer, T]
"""A resource's flow: it yields calls, is sent their answers, and returns its result. An error of a call is thrown into
it where it waits for the answer. It does no I/O itself."""
