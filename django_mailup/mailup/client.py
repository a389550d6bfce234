"""MailUpClient: MailUp's REST API for one connection. It performs what the flow of each call asks for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from .endpoints import Endpoints
from .flow import Action, Answer, Call, GetToken, Pause, ReadClock, RenewToken, Send, TakeTurn, call_flow
from .synchronous import SynchronousClient, drive
from .tokens import AccessToken
from .transport import Transport
from .with_response import WithResponse


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


class MailUpClient(SynchronousClient):
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
        return drive(call_flow(call, url=url, patience=self._patience), self._perform)

    def _note_success(self) -> None:
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
