"""Transport: sends requests to MailUp's REST API, over one pool of connections for each process."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.exceptions import NewConnectionError
from urllib3.util import Retry

from ..exceptions import MailUpUnavailable, UnexpectedResponse
from ..frames import forgets_locals
from .tokens import AccessToken, is_token

Timeout = tuple[float, float]
"""Seconds to connect, and seconds for each read."""

POOL_SIZE: Final = 32

_pooled: BaseAdapter | None = None
_pooled_lock = threading.Lock()


@cache
def user_agent() -> str:
    """Return the User-Agent of every request: this package's name and version. Cached, because that takes 1 ms."""
    return f"django-mailup-connect/{version('django-mailup-connect')}"


def pooled_adapter() -> BaseAdapter:
    """Return this process's adapter for API calls. It tries to connect up to three times, and repeats nothing else."""
    global _pooled
    with _pooled_lock:
        if _pooled is None:
            retry = Retry(
                connect=2, read=0, redirect=0, status=0, other=0, backoff_factor=0.2, respect_retry_after_header=False
            )
            _pooled = HTTPAdapter(pool_maxsize=POOL_SIZE, max_retries=retry)
        return _pooled


def _forget_pool() -> None:
    """Drop the pool and its lock after a fork, because they belong to the parent process."""
    global _pooled, _pooled_lock
    _pooled, _pooled_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_forget_pool)


class BearerToken(requests.auth.AuthBase):
    """Adds an access token to a request (RFC 6750 section 2.1). Without an auth object, requests would use .netrc."""

    def __init__(self, access_token: AccessToken) -> None:
        self._access_token = access_token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if not is_token(self._access_token.value):  # the exception of a library would hold it
            raise UnexpectedResponse(reason="bad_token")
        request.headers["Authorization"] = f"Bearer {self._access_token.value}"
        return request


class Transport:
    """Sends API requests, once each, and returns the answers whatever they are.

    Args:
        timeout: seconds to connect, and seconds for each read.
        adapter: an adapter of requests that replaces the network, such as the sandbox's.
    """

    def __init__(self, *, timeout: Timeout, adapter: BaseAdapter | None = None) -> None:
        self._timeout = timeout
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": user_agent()})
        adapter = adapter or pooled_adapter()
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    @forgets_locals
    def send(
        self,
        method: str,
        url: str,
        access_token: AccessToken,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> requests.Response:
        """Send one request, and return MailUp's answer, whatever its status. Redirects are not followed.

        Args:
            timeout: seconds to connect, and for each read; by default the transport's.

        Raises:
            MailUpUnavailable: there was no answer. `may_have_arrived` is false if no connection was made.
        """
        try:
            return self._session.request(
                method,
                url,
                params=params,
                json=json,
                headers=headers,
                auth=BearerToken(access_token),
                timeout=self._timeout if timeout is None else (timeout, timeout),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise unavailable(error, may_have_arrived=not _never_connected(error)) from None


def _never_connected(error: requests.RequestException) -> bool:
    """Return whether there was no connection, so that no part of the request was sent."""
    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.SSLError)):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, NewConnectionError)


def unavailable(error: Exception, *, may_have_arrived: bool = True) -> MailUpUnavailable:
    """Return the MailUpUnavailable for an exception of requests, without its text, which may contain a URL."""
    reason = "timeout" if isinstance(error, requests.Timeout) else "connection"
    return MailUpUnavailable(reason=reason, cause=type(error).__name__, may_have_arrived=may_have_arrived)
