"""Flows: what a client does for a REST call, as generators that do no I/O. `synchronous` drives them.

There are two levels, both of them plain generators, so that a synchronous and an asynchronous client can share them:

- The flow of a resource's method (`Flow`) yields `Call`s, gets their `Answer`s, and returns the method's result.
- The flow of one `Call` (`call_flow`) yields `Action`s (get the token, take a turn, send, pause ...) and returns the
  `Answer`. Its driver performs each action, and sends the result into the flow or throws the exception into it.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict, TypeVar

from ..exceptions import MailUpError, MailUpUnavailable, RateLimited, Unauthorized, UnexpectedResponse
from ..secret import Secret
from . import classify, decoding
from .tokens import AccessToken

T = TypeVar("T")

MAX_REPEATS_AFTER_429: Final = 5
MAX_REPEATS_AFTER_AN_OUTAGE: Final = 2
_NUMBERS: Final = re.compile(r"(?<=/)\d+(?=/|$)")


# ----------------------------------------------------------------- the flow of a resource's method


class CallOptions(TypedDict, total=False):
    """Options that every method takes by keyword."""

    timeout: float
    """Seconds to connect, and for each read; by default the client's. The deadline of a request is not earlier."""

    patience: float
    """Seconds that this call may wait for its turn, and after answers with status 429; by default the client's."""

    headers: Mapping[str, str]
    """Additional request headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One REST call, as data. `timeout` and `patience` are in seconds; None means the client's.

    `repeat_timeouts` is false if the caller does something better than to repeat a call that isn't answered in time.
    """

    verb: str
    path: str
    params: Mapping[str, Any] | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float | None = None
    patience: float | None = None
    repeat_timeouts: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """MailUp's answer to a Call, with status 200 and its text not decoded yet."""

    text: str = field(repr=False)
    status: int
    headers: Mapping[str, str] = field(repr=False)

    @property
    def body(self) -> Any:
        """The decoded JSON: an object, a list, a number or a text; None if the answer is empty. Decoded at each access.

        Raises:
            UnexpectedResponse: the text is not JSON.
        """
        try:
            return decoding.decode(self.text)
        except ValueError:
            raise self.unexpected() from None

    def unexpected(self) -> UnexpectedResponse:
        """Return the exception for a text that is not JSON."""
        return classify.unexpected(self.status, self.headers, reason="not_json")


Flow = Generator[Call, Answer, T]
"""The flow of a resource's method: it yields Calls, gets Answers, and returns a T."""


# ----------------------------------------------------------------------------- the flow of one call


@dataclass(frozen=True, slots=True)
class GetToken:
    """Get a valid access token. The result is an AccessToken."""


@dataclass(frozen=True, slots=True)
class RenewToken:
    """Get another access token than the refused one. The result is an AccessToken."""

    refused: AccessToken


@dataclass(frozen=True, slots=True)
class TakeTurn:
    """Wait until this operation may be called, for at most `patience` seconds. There is no result."""

    operation: str
    patience: float


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request once. The result is the answer, whatever its status: a `classify.HTTPResponse`."""

    call: Call
    url: str
    access_token: AccessToken


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for this number of seconds. There is no result."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ReadClock:
    """Read a clock that never goes back. The result is in seconds, a float."""


Action = GetToken | RenewToken | TakeTurn | Send | Pause | ReadClock


def call_flow(call: Call, *, url: str, patience: float) -> Generator[Action, Any, Answer]:
    """Return the answer to a call; yield the actions that lead to it.

    Repeats only requests that can't have had an effect: once after status 401 (or 400 with an authorization error),
    with a renewed token; up to five times after status 429, after the seconds of Retry-After (1 by default) and at most
    half a second more; twice after a connection error before anything was sent, and a GET twice after any connection
    error and after status 502, 503 or 504. No repeat begins after `patience`.

    Args:
        call: the call.
        url: its URL.
        patience: the seconds to wait for turns and in pauses at most, unless the call has its own `patience`.

    Raises:
        MailUpUnavailable: there was no answer, or MailUp answers with an outage. `may_have_arrived` is about this
            request: it is false if the access token could not be had, before the request was sent or after MailUp had
            refused the request's token.
        RateLimited: the operation may not be called, or MailUp answers with status 429, for longer than `patience`.
        MailUpError: the status is not 200; see `classify.api_error` for the class.
    """
    patience = patience if call.patience is None else call.patience
    operation = f"{call.verb} {_NUMBERS.sub('{}', call.path)}"
    access_token = yield from _token(GetToken())
    give_up_at: float = (yield ReadClock()) + patience
    used, repeats = [access_token], 0
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
            if len(used) == 1 and classify.refuses_access_token(response):
                try:
                    access_token = yield from _token(RenewToken(access_token))
                except Unauthorized:  # it isn't renewed, so the answer stands
                    raise classify.api_error(response, secrets=[Secret(each.value) for each in used]) from None
                used.append(access_token)
                continue
            failure = classify.api_error(response, secrets=[Secret(each.value) for each in used])
        pause = _pause_before_repeat(call.verb, failure, repeats)
        if is_timeout(failure) and not call.repeat_timeouts:
            pause = None
        if pause is None or (yield ReadClock()) + pause > give_up_at:
            raise failure
        repeats += 1
        yield Pause(pause)


def is_timeout(failure: MailUpError) -> bool:
    """Return whether a call failed because MailUp, or a gateway before it, had no answer in time."""
    return failure.status == 504 or (isinstance(failure, MailUpUnavailable) and failure.reason == "timeout")


def _token(action: GetToken | RenewToken) -> Generator[Action, Any, AccessToken]:
    """Return an access token. Make a MailUpUnavailable say that the request has not arrived: it is not sent then."""
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
    """Return the seconds to wait before a call is repeated; None if it must not be repeated."""
    if isinstance(failure, RateLimited):
        return float(failure.retry_after) + random.random() / 2 if repeats < MAX_REPEATS_AFTER_429 else None
    if not isinstance(failure, MailUpUnavailable) or repeats >= MAX_REPEATS_AFTER_AN_OUTAGE:
        return None
    is_safe = verb == "GET" or not failure.may_have_arrived
    return 0.2 * (repeats + 1) if is_safe and failure.status in (0, 502, 503, 504) else None
