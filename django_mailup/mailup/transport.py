"""Transport: sends requests to MailUp's REST API, over one pool of connections for each process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from functools import cache, partial
from http.client import HTTPException
from importlib.metadata import version
from typing import Any, Final

import requests
from requests.adapters import BaseAdapter
from requests.auth import HTTPBasicAuth
from requests.exceptions import InvalidHeader, InvalidJSONError
from urllib3.exceptions import HTTPError

from ..exceptions import UnexpectedResponse
from ..frames import forgets_locals
from . import watchdog
from .bounded import ACCEPT_ENCODING, read_body
from .guard import Guard
from .guarded import GuardedAdapter
from .tokens import AccessToken, is_token

Timeout = tuple[float, float]
"""Seconds to connect, and seconds for each read."""

DEADLINE: Final = 60.0
"""Seconds for one try of an API call by default."""

ANSWER_LIMIT: Final = 32 * 1024 * 1024
"""The largest answer of the API that is read by default, in bytes."""

POOL_SIZE: Final = 100
"""How many connections for API calls a process keeps open by default."""

_pools: dict[int, BaseAdapter] = {}
_pools_lock = threading.Lock()


@cache
def user_agent() -> str:
    """Return the User-Agent of every request: this package's name and version. Cached, because that takes 1 ms."""
    return f"django-mailup-connect/{version('django-mailup-connect')}"


def pooled_adapter(size: int = POOL_SIZE) -> BaseAdapter:
    """Return this process's adapter for API calls. It repeats nothing.

    Args:
        size: how many connections are kept open at most. There are no more than were used at the same time.
    """
    with _pools_lock:
        if size not in _pools:
            _pools[size] = GuardedAdapter(pool_maxsize=size)
        return _pools[size]


def _forget_pools() -> None:
    """Drop the pools and their lock after a fork, because they belong to the parent process."""
    global _pools, _pools_lock
    _pools, _pools_lock = {}, threading.Lock()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_forget_pools)


class BearerToken(requests.auth.AuthBase):
    """Adds an access token to a request (RFC 6750 section 2.1). Without an auth object, requests would use .netrc."""

    def __init__(self, access_token: AccessToken) -> None:
        self._access_token = access_token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if not is_token(self._access_token.value):  # the exception of a library would hold it
            raise UnexpectedResponse(reason="bad_token")
        request.headers["Authorization"] = f"Bearer {self._access_token.value}"
        return request


def basic_auth(client_id: str, client_secret: str) -> HTTPBasicAuth:
    """Return the client's HTTP basic authentication, in UTF-8 (RFC 6749 section 2.3.1).

    requests would encode in Latin-1, and raise an exception that holds the secret if it can't.
    """
    return HTTPBasicAuth(client_id.encode(errors="surrogatepass"), client_secret.encode(errors="surrogatepass"))


class _Session(requests.Session):
    def __init__(self, adapter: Callable[[], BaseAdapter]) -> None:
        super().__init__()
        self._adapter = adapter

    def get_adapter(self, url: str | bytes) -> BaseAdapter:
        """Return the adapter for a request. After a fork it is another one, with sockets of the child's own."""
        return self._adapter()

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Return the request as it will be sent. Raise ValueError if a header or the JSON can't be sent."""
        try:
            return super().prepare_request(request)
        except (InvalidHeader, InvalidJSONError):  # OSErrors, as if MailUp had failed; the text has the header's value
            raise ValueError("A header of this call, or a number in its JSON, can't be sent.") from None

    def get_redirect_target(self, response: requests.Response) -> None:
        """Return None: requests would read the whole body of a redirect, and parse its URL, to be able to follow it."""


class Transport:
    """Sends API requests, once each, and returns the answers whatever they are.

    Args:
        timeout: seconds to connect, and for each read.
        deadline: seconds for a request in all: to connect, to send it, and to read the whole answer. Name resolution
            can't be interrupted; if it takes longer, nothing is sent.
        answer_limit: the largest answer that is read, in bytes, before and after inflating.
        pool_size: how many connections the process keeps open for the calls of all transports with this size. When as
            many are in use, a call opens one for itself, and urllib3 logs that its pool is full.
        adapter: an adapter of requests that replaces the network, such as the sandbox's. The deadline does not apply
            to it.
    """

    def __init__(
        self,
        *,
        timeout: Timeout,
        deadline: float = DEADLINE,
        answer_limit: int = ANSWER_LIMIT,
        pool_size: int = POOL_SIZE,
        adapter: BaseAdapter | None = None,
    ) -> None:
        self._timeout = timeout
        self._deadline = deadline
        self._answer_limit = answer_limit
        self._is_replaced = adapter is not None
        self._session = _Session(partial(pooled_adapter, pool_size) if adapter is None else lambda: adapter)
        self._session.headers.update(
            {"Accept": "application/json", "Accept-Encoding": ACCEPT_ENCODING, "User-Agent": user_agent()}
        )

    @forgets_locals
    def send(
        self,
        method: str,
        url: str,
        auth: AccessToken | requests.auth.AuthBase,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> requests.Response:
        """Send one request, and return MailUp's answer, whatever its status. Redirects are not followed.

        Args:
            auth: the access token, or an auth object of requests.
            timeout: seconds to connect, and for each read; by default the transport's. The deadline is not earlier.

        Raises:
            MailUpUnavailable: there was no answer, or not within the deadline. `may_have_arrived` is false if no part
                of the request was sent.
            UnexpectedResponse: the answer is too large, or is compressed in another way than by gzip once.
            ValueError: a header or the JSON can't be sent.
        """
        connect, read = self._timeout if timeout is None else (timeout, timeout)
        deadline = self._deadline if timeout is None else max(timeout, self._deadline)
        guard = Guard(deadline)
        guard.sent = self._is_replaced  # only a GuardedAdapter's connections set it
        watchdog.watch(guard)
        try:
            with guard:
                response = self._session.request(
                    method,
                    url,
                    params=params,
                    json=json,
                    headers=headers,
                    auth=BearerToken(auth) if isinstance(auth, AccessToken) else auth,
                    timeout=(min(connect, deadline), read),
                    allow_redirects=False,
                    stream=True,
                )
                read_body(response, limit=self._answer_limit, guard=guard)
        except (HTTPError, HTTPException, OSError) as error:  # every exception of requests is an OSError
            raise guard.unavailable(error) from None
        return response
