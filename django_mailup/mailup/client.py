"""MailUpClient: MailUp's REST API for one connection. It performs what `flow` and the resources ask for."""

from __future__ import annotations

import functools
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from functools import cached_property
from typing import Any, Protocol, TypeVar, Unpack

from .classify import safe_headers
from .endpoints import Endpoints
from .flow import (
    Action,
    Answer,
    Call,
    CallOptions,
    GetToken,
    Pause,
    ReadClock,
    RenewToken,
    Response,
    Send,
    Steps,
    TakeTurn,
    call_flow,
)
from .paging import Page, Paged
from .resources.account import Account
from .resources.attachments import Attachments
from .resources.fields import Fields
from .resources.groups import Groups
from .resources.images import Images
from .resources.imports import Imports
from .resources.lists import Lists
from .resources.messages import Messages
from .resources.recipients import Recipients
from .resources.sendings import Sendings
from .resources.sms import Sms
from .resources.smtp_users import SmtpUsers
from .resources.statistics import Statistics
from .resources.tags import Tags
from .resources.templates import Templates
from .resources.trusted_senders import TrustedSenders
from .tokens import AccessToken
from .transport import Transport

T = TypeVar("T")
Asked = TypeVar("Asked")
Got = TypeVar("Got")


class TokenSource(Protocol):
    """Where a client gets its access token: a row of a database, or a value in a script."""

    def get(self) -> AccessToken:
        """Return an access token that is good for now; renew it first when it is about to run out."""

    def renew(self, refused: AccessToken) -> AccessToken:
        """Return another access token than the refused one, by a renewal unless somebody made one meanwhile."""


class Throttle(Protocol):
    """Keeps calls within MailUp's limit, which counts each operation for itself."""

    def wait(self, operation: str, *, patience: float) -> None:
        """Return when an operation (`GET /Console/List/{}/Groups`) may be called.

        Raises:
            RateLimited: that takes more than `patience` seconds.
        """


class _SynchronousClient(ABC):
    """The resources, and the loop that drives their flows. Subclasses say how one call is answered."""

    @abstractmethod
    def _answer(self, call: Call) -> Answer:
        """Return MailUp's answer to a call, or raise a MailUpError."""

    @abstractmethod
    def _succeeded(self) -> None:
        """Take note that a flow came to its end."""

    def run(self, steps: Steps[T]) -> T:
        """Drive the flow of a resource's method to its end, and return its result.

        Raises:
            MailUpError: as a call failed, unless the flow caught it. Other exceptions are those of the flow.
        """
        result = _drive(steps, self._answer)
        self._succeeded()
        return result

    def pages(self, page: Callable[[int], Steps[Page[T]]]) -> Paged[T]:
        """Return an iterator over the items of all pages, which asks for each page when it is needed.

        Args:
            page: gets a page number, from zero, and returns the flow that gets this page.
        """
        return Paged(lambda number: self.run(page(number)))

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        timeout: float | None = None,
        patience: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Call one REST operation and return its decoded JSON body: an object, a list, a number, text; None when empty.

        Retries only requests that can't have had an effect: once after a 401 (or a 400 that says so), with a renewed
        token; after a 429, following Retry-After (1 s by default, plus at most 0.5 s), up to `patience`; a GET twice
        after a connection error, 502, 503 or 504.

        Args:
            method: `GET`, `POST`, `PUT` or `DELETE`.
            path: below the service, such as `/Console/List/1/Groups`.
            params: query parameters.
            json: the body, if any.
            timeout: seconds to connect, and for each read; the client's unless given.
            patience: seconds that this call may wait for its turn, and after 429s; the client's unless given.
            headers: further request headers.

        Raises:
            ReauthorizationRequired: the connection is dead.
            MailUpUnavailable: no answer, or an outage: try again later. `may_have_arrived` says whether MailUp may
                have got the request; it is false when the access token could not be renewed.
            RateLimited: MailUp's limit of calls leaves no turn within `patience`.
            TermsNotAccepted: the MailUp user has not accepted the terms of service.
            APIError: MailUp refused; it is Unauthorized when MailUp refuses even a renewed token.
            UnexpectedResponse: the answer is neither a success in JSON nor a documented error.
            ValueError: the path belongs to no service; nothing was sent.
        """
        call = Call(
            verb=method,
            path=path,
            params=params,
            json=json,
            headers=headers or {},
            timeout=timeout,
            patience=patience,
        )
        return self.run(_body(call))

    @cached_property
    def account(self) -> Account:
        """Who this connection acts as."""
        return Account(self)

    @cached_property
    def lists(self) -> Lists:
        """The lists this MailUp user may see."""
        return Lists(self)

    @cached_property
    def groups(self) -> Groups:
        """The groups of lists."""
        return Groups(self)

    @cached_property
    def fields(self) -> Fields:
        """The personal fields of recipients."""
        return Fields(self)

    @cached_property
    def recipients(self) -> Recipients:
        """Recipients, one by one."""
        return Recipients(self, self._field_names, self.imports)

    @cached_property
    def imports(self) -> Imports:
        """Recipients, many at once."""
        return Imports(self, self._field_names)

    @cached_property
    def messages(self) -> Messages:
        """E-mail messages."""
        return Messages(self)

    @cached_property
    def templates(self) -> Templates:
        """Templates of messages."""
        return Templates(self)

    @cached_property
    def tags(self) -> Tags:
        """Tags of messages."""
        return Tags(self)

    @cached_property
    def attachments(self) -> Attachments:
        """Attachments of messages."""
        return Attachments(self)

    @cached_property
    def images(self) -> Images:
        """Images that messages may show."""
        return Images(self)

    @cached_property
    def sendings(self) -> Sendings:
        """Sending messages."""
        return Sendings(self, self._field_names)

    @cached_property
    def sms(self) -> Sms:
        """Text messages."""
        return Sms(self, self._field_names)

    @cached_property
    def statistics(self) -> Statistics:
        """What became of messages."""
        return Statistics(self)

    @cached_property
    def trusted_senders(self) -> TrustedSenders:
        """Addresses that may stand as sender."""
        return TrustedSenders(self)

    @cached_property
    def smtp_users(self) -> SmtpUsers:
        """SMTP+ users of lists."""
        return SmtpUsers(self)

    @property
    def _field_names(self) -> Fields:
        """The personal fields by which names are looked up, once for each client."""
        return self.fields


class MailUpClient(_SynchronousClient):
    """What a site calls MailUp with. Threads may share it.

    Args:
        source: gives access tokens.
        endpoints: where MailUp is.
        transport: sends requests.
        throttle: is asked before each request that is sent; None: MailUp's 429 is the only limit.
        patience: how many seconds a call may wait for its turn, and after MailUp's 429s, before it raises RateLimited.
        on_success: called once, after the first method that succeeded.
    """

    def __init__(
        self,
        source: TokenSource,
        *,
        endpoints: Endpoints | None = None,
        transport: Transport,
        throttle: Throttle | None = None,
        patience: float = 30.0,
        on_success: Callable[[MailUpClient], None] | None = None,
    ) -> None:
        self._source = source
        self._endpoints = endpoints or Endpoints()
        self._transport = transport
        self._throttle = throttle
        self._patience = patience
        self._on_success = on_success

    @property
    def with_response(self) -> WithResponse:
        """The same methods, each of which returns a Response: its result with the status and headers of the answer."""
        return WithResponse(self)

    def _answer(self, call: Call) -> Answer:
        url = self._endpoints.service(call.path)
        return _drive(call_flow(call, url=url, patience=self._patience), self._perform)

    def _succeeded(self) -> None:
        if self._on_success is not None:
            once, self._on_success = self._on_success, None
            once(self)

    def _perform(self, action: Action) -> Any:
        """Perform one action of a call's flow and return what came of it."""
        match action:
            case GetToken():
                return self._source.get()
            case RenewToken():
                return self._source.renew(action.refused)
            case TakeTurn():
                if self._throttle is not None:
                    self._throttle.wait(action.operation, patience=action.patience)
                return None
            case Send(call=call):
                return self._transport.send(
                    call.verb,
                    action.url,
                    action.access_token,
                    params=call.params,
                    json=call.json,
                    headers=call.headers,
                    timeout=call.timeout,
                )
            case Pause():
                return time.sleep(action.seconds)
            case ReadClock():
                return time.monotonic()


def _body(call: Call) -> Steps[Any]:
    """Return the decoded body of a call's answer."""
    answer = yield call
    return answer.body


def _drive(flow: Generator[Asked, Got, T], perform: Callable[[Asked], Got]) -> T:
    """Run a flow to its end and return its result: perform what it yields, send back the result or throw the error."""
    try:
        asked = next(flow)
        while True:
            try:
                got = perform(asked)
            except Exception as error:
                asked = flow.throw(error)
            else:
                asked = flow.send(got)
    except StopIteration as end:
        result: T = end.value
        return result


# -------------------------------------------------------------------------- the answer beside the result


class WithResponse:
    """A client whose methods return a Response: `client.with_response.lists.get(list_id=1).headers`.

    Where a method follows pages, the result is the first Page. The Response tells of the last answer that the method
    got, and has status 0 when it made no call. (Type checkers see `Response[Any]`.)
    """

    def __init__(self, client: MailUpClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> ResourceWithResponse:
        if not isinstance(getattr(MailUpClient, name, None), cached_property):
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
        """Call one REST operation, as `MailUpClient.request`."""
        recorder = _Recorder(self._client)
        return recorder.response(recorder.request(method, path, params=params, json=json, **options))


class ResourceWithResponse:
    """A resource whose methods return a Response."""

    def __init__(self, client: MailUpClient, name: str) -> None:
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


class _Recorder(_SynchronousClient):
    """A client for a single call of a method, which keeps the last answer: threads share the client behind it."""

    def __init__(self, client: MailUpClient) -> None:
        self._client = client
        self._last = Answer("", 0, {})

    def _answer(self, call: Call) -> Answer:
        self._last = self._client._answer(call)
        return self._last

    def _succeeded(self) -> None:
        self._client._succeeded()

    @property
    def _field_names(self) -> Fields:
        return self._client.fields

    def response(self, result: T) -> Response[T]:
        """Return a result with the last answer."""
        return Response(result, self._last.status, safe_headers(self._last.headers))
