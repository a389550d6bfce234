"""What happens in one REST call, as generators that do no I/O. `synchronous` drives them; resources yield `Call`s.

There are two levels, both plain generators, so that a synchronous and an asynchronous client can share them:

- A resource's flow (`Flow`) yields a `Call`, gets an `Answer`, and returns the method's result.
- `call_flow` is the flow of one `Call`: it yields `Action`s (get the token, take a turn, send, pause ...) and returns
  the `Answer`. Whoever drives it performs each action, and sends back the result or throws in the exception.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict, TypeVar

from ..exceptions import MailUpError, MailUpUnavailable, RateLimited, UnexpectedResponse
from . import classify, parsing
from .tokens import AccessToken

T = TypeVar("T")

MAX_REPEATS_AFTER_429: Final = 5
MAX_REPEATS_OF_A_GET: Final = 2
_NUMBERS: Final = re.compile(r"(?<=/)\d+(?=/|$)")


# -------------------------------------------------------------------- what a resource asks for


class CallOptions(TypedDict, total=False):
    """Options that every method takes by keyword."""

    timeout: float
    """Seconds to connect, and for each read; the client's unless given."""

    patience: float
    """Seconds that this call may wait for its turn, and after MailUp's 429s; the client's unless given."""

    headers: Mapping[str, str]
    """Further request headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One REST call, as data. `timeout` and `patience` are in seconds; None: as the client says."""

    verb: str
    path: str
    params: Mapping[str, Any] | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float | None = None
    patience: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a Call: MailUp's answer with status 200, its text not parsed yet."""

    text: str = field(repr=False)
    status: int
    headers: Mapping[str, str] = field(repr=False)

    @property
    def body(self) -> Any:
        """The JSON of the text, decoded each time: an object, a list, a number, text; None when it is empty.

        Raises:
            UnexpectedResponse: it isn't JSON.
        """
        try:
            return parsing.decode(self.text)
        except ValueError:
            raise self.unexpected() from None

    def unexpected(self) -> UnexpectedResponse:
        """Return the exception that says that the text isn't JSON."""
        return classify.unexpected(self.status, self.headers, reason="not_json")


Flow = Generator[Call, Answer, T]
"""A resource's flow: it yields Calls, gets Answers, and returns T."""


# ----------------------------------------------------------------------------- the flow of one call


@dataclass(frozen=True, slots=True)
class GetToken:
    """Get an access token that is good for now (an AccessToken)."""


@dataclass(frozen=True, slots=True)
class RenewToken:
    """Get another access token than the refused one (an AccessToken)."""

    refused: AccessToken


@dataclass(frozen=True, slots=True)
class TakeTurn:
    """Wait until this operation may be called, for at most `patience` seconds."""

    operation: str
    patience: float


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request once, and get the answer whatever its status (a `classify.HTTPResponse`)."""

    call: Call
    url: str
    access_token: AccessToken


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ReadClock:
    """Get the seconds of a clock that never goes back (a float)."""


Action = GetToken | RenewToken | TakeTurn | Send | Pause | ReadClock


def call_flow(call: Call, *, url: str, patience: float) -> Generator[Action, Any, Answer]:
    """Return the answer to a call, by yielding what has to be done for it.

    Repeats only requests that can't have had an effect: once after a 401 (or a 400 that says so), with a renewed token;
    after a 429, up to five times, as many seconds later as Retry-After says (1 by default) and up to half a second
    more; a GET twice after a connection error, 502, 503 or 504.

    Args:
        call: what to send.
        url: where to.
        patience: seconds it may wait for a turn, and in pauses, unless the call says otherwise.

    Raises:
        MailUpUnavailable: no answer, or an outage. `may_have_arrived` speaks of this request: it is false if it was
            the token that couldn't be had, before the request was sent or after MailUp had refused its token.
        RateLimited: there is no turn, or MailUp answers 429, for longer than patience allows.
        MailUpError: another status than 200, as `classify.api_error` tells them apart.
    """
    patience = patience if call.patience is None else call.patience
    operation = f"{call.verb} {_NUMBERS.sub('{}', call.path)}"
    access_token = yield from _token(GetToken())
    give_up_at: float = (yield ReadClock()) + patience
    renewed, repeats = False, 0
    while True:
        yield TakeTurn(operation, patience)
        failure: MailUpError
        try:
            response: classify.HTTPResponse = yield Send(call, url, access_token)
        except MailUpUnavailable as outage:
            failure = outage
        else:
            if response.status_code == 200:
                return Answer(classify.decode_text(response), response.status_code, response.headers)
            if not renewed and classify.refuses_access_token(response):
                access_token, renewed = (yield from _token(RenewToken(access_token))), True
                continue
            failure = classify.api_error(response)
        pause = _pause_before_repeat(call.verb, failure, repeats)
        if pause is None or (yield ReadClock()) + pause > give_up_at:
            raise failure
        repeats += 1
        yield Pause(pause)


def _token(action: GetToken | RenewToken) -> Generator[Action, Any, AccessToken]:
    """Return an access token. An outage meanwhile says that the request didn't arrive: MailUp did nothing with it."""
    try:
        access_token: AccessToken = yield action
    except MailUpUnavailable as outage:
        if not outage.may_have_arrived:
            raise
        not_arrived = copy.copy(outage)
        not_arrived.may_have_arrived = False
        raise not_arrived from outage
    return access_token


def _pause_before_repeat(verb: str, failure: MailUpError, repeats: int) -> float | None:
    """Return how many seconds to wait before a call is repeated; None when it must not be."""
    if isinstance(failure, RateLimited):
        return float(failure.retry_after) + random.random() / 2 if repeats < MAX_REPEATS_AFTER_429 else None
    if verb == "GET" and repeats < MAX_REPEATS_OF_A_GET and isinstance(failure, MailUpUnavailable):
        return 0.2 * (repeats + 1) if failure.status in (0, 502, 503, 504) else None
    return None
