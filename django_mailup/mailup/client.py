"""MailUpClient: MailUp's REST API for one connection. It performs the actions of each call's flow."""

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
    """Gives a client its access token: from the database, or, in a script, from a constant."""

    def get(self) -> AccessToken:
        """Return a valid access token. Renew it first if it is about to expire."""

    def renew(self, refused: AccessToken) -> AccessToken:
        """Return another access token than the refused one. Renew it unless that has been done meanwhile."""


class Throttle(Protocol):
    """Delays calls so that they keep MailUp's limit, which counts each operation separately."""

    def wait(self, operation: str, *, patience: float) -> None:
        """Wait until an operation, such as `GET /Console/List/{}/Groups`, may be called.

        Raises:
            RateLimited: the wait would take more than `patience` seconds.
        """


class MailUpClient(SynchronousClient):
    """A client that calls MailUp's REST API for one connection. Threads may share it.

    Args:
        source: gives access tokens.
        endpoints: MailUp's URLs; by default those in production.
        transport: sends requests.
        throttle: called before each request; with None the client sends requests without delay.
        patience: the seconds that a call may wait because of MailUp's limit, before it raises RateLimited.
        on_success: called with the client once, after the first method that succeeded.
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
        """The same resources, but each method returns a Response: its result, with the answer's status and headers."""
        return WithResponse(self)

    def _answer(self, call: Call) -> Answer:
        url = self._endpoints.service(call.path)
        return drive(call_flow(call, url=url, patience=self._patience), self._perform)

    def _note_success(self) -> None:
        if self._on_success is not None:
            once, self._on_success = self._on_success, None
            once(self)

    def _perform(self, action: Action) -> Any:
        """Perform one action of a call's flow, and return its result."""
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
