"""MailUpClient: MailUp's REST API for one connection. It performs the actions of each call's flow."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Protocol, Self, TypedDict, Unpack

from requests.adapters import BaseAdapter

from .endpoints import Endpoints
from .flow import Action, Answer, Call, GetToken, Pause, ReadClock, RenewToken, Send, TakeTurn, call_flow
from .grants import Password
from .oauth import OAuthClient
from .synchronous import SynchronousClient, drive
from .token_memory import TokenMemory
from .tokens import MAX_LIFETIME, AccessToken, TokenSet
from .transport import Transport
from .with_response import WithResponse

PATIENCE: Final = 30.0
TIMEOUT: Final = 30.0


class Network(TypedDict, total=False):
    """How a client without Django reaches MailUp."""

    endpoints: Endpoints
    """MailUp's URLs; by default those in production."""

    timeout: float
    """Seconds to connect, and for each read, of an API call; 30 by default."""

    patience: float
    """Seconds that a call may wait because of MailUp's limit, before it raises RateLimited; 30 by default."""

    adapter: BaseAdapter
    """An adapter of requests that replaces the network, such as the sandbox's."""


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
        patience: float = PATIENCE,
        on_success: Callable[[MailUpClient], None] | None = None,
    ) -> None:
        self._source = source
        self._endpoints = endpoints or Endpoints()
        self._transport = transport
        self._throttle = throttle
        self._patience = patience
        self._on_success = on_success

    @classmethod
    def from_token(
        cls, *, client_id: str, client_secret: str, refresh_token: str, access_token: str = "",
        expires_at: datetime | None = None, on_renewal: Callable[[TokenSet], object] | None = None,
        **network: Unpack[Network],
    ) -> Self:  # fmt: skip
        """Return a client that begins with a stored pair and renews it in memory, for scripts without Django.

        Makes no call. The client's methods may also raise what `OAuthClient.exchange` raises, such as
        ReauthorizationRequired if MailUp refuses the refresh token.

        Args:
            client_id, client_secret: as shown in MailUp's console.
            refresh_token, access_token: the pair. Without an access token the first call renews.
            expires_at: when the access token expires, an aware datetime. If that isn't known, the token is renewed when
                MailUp refuses it.
            on_renewal: called with each new pair. Store it: MailUp's refresh tokens work only once.
            network: see Network.

        Raises:
            ValueError: `expires_at` has no time zone.
        """
        now = datetime.now(UTC)
        if expires_at is not None and expires_at.tzinfo is None:
            raise ValueError("expires_at must be a datetime with a time zone.")
        if not access_token:
            expires_at = now
        tokens = TokenSet(access_token, refresh_token, received_at=now, expires_at=expires_at or now + MAX_LIFETIME)
        source = TokenMemory(_oauth(client_id, client_secret, network), tokens=tokens, on_renewal=on_renewal)
        return cls._with_memory(source, network)

    @classmethod
    def from_password(
        cls, *, client_id: str, client_secret: str, username: str, password: str,
        on_renewal: Callable[[TokenSet], object] | None = None, **network: Unpack[Network],
    ) -> Self:  # fmt: skip
        """Return a client that logs in by name and password at its first call, for scripts without Django.

        If MailUp refuses the refresh token, it logs in again. The client's methods may also raise what
        `OAuthClient.exchange` raises, such as LoginRefused. Other arguments are those of `from_token`.

        Args:
            username, password: those of the MailUp user.
        """
        source = TokenMemory(
            _oauth(client_id, client_secret, network), password=Password(username, password), on_renewal=on_renewal
        )
        return cls._with_memory(source, network)

    @classmethod
    def _with_memory(cls, source: TokenMemory, network: Network) -> Self:
        timeout = network.get("timeout", TIMEOUT)
        transport = Transport(timeout=(timeout, timeout), adapter=network.get("adapter"))
        return cls(
            source, endpoints=network.get("endpoints"), transport=transport, patience=network.get("patience", PATIENCE)
        )

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


def _oauth(client_id: str, client_secret: str, network: Network) -> OAuthClient:
    """Return the OAuth client. Raise TypeError if an option of the network is unknown."""
    for name in network:
        if name not in Network.__annotations__:
            raise TypeError(f"A client got an unexpected keyword argument {name!r}.")
    endpoints, adapter = network.get("endpoints"), network.get("adapter")
    return OAuthClient(client_id, client_secret, endpoints=endpoints, adapter=adapter)
