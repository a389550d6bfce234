"""How requests get to MailUp's REST API: over one pool of connections for each process."""

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

from ..exceptions import MailUpUnavailable
from .tokens import AccessToken

Timeout = tuple[float, float]
"""Seconds to connect, and for each read."""

POOL_SIZE: Final = 32

_pooled: BaseAdapter | None = None
_pooled_lock = threading.Lock()


@cache
def user_agent() -> str:
    """Return this package's name and version, the User-Agent of every request. Reading the version takes 1 ms."""
    return f"django-mailup-connect/{version('django-mailup-connect')}"


def pooled_adapter() -> BaseAdapter:
    """Return this process's adapter for API calls. It repeats attempts to connect (twice), and nothing else."""
    global _pooled
    with _pooled_lock:
        if _pooled is None:
            retry = Retry(
                connect=2, read=0, redirect=0, status=0, other=0, backoff_factor=0.2, respect_retry_after_header=False
            )
            _pooled = HTTPAdapter(pool_maxsize=POOL_SIZE, max_retries=retry)
        return _pooled


def _forget_pool() -> None:
    """Start without a pool after a fork: the parent's sockets and lock belong to the parent."""
    global _pooled, _pooled_lock
    _pooled, _pooled_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which doesn't fork
    os.register_at_fork(after_in_child=_forget_pool)


class BearerToken(requests.auth.AuthBase):
    """Puts an access token on a request (RFC 6750 section 2.1). As an auth object, so that no .netrc replaces it."""

    def __init__(self, access_token: AccessToken) -> None:
        self._access_token = access_token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._access_token.value}"
        return request


class Transport:
    """Sends API requests. It makes no decision: whoever calls it judges the answers.

    Args:
        timeout: seconds to connect, and for each read.
        adapter: takes the place of the network (the in-process sandbox).
    """

    def __init__(self, *, timeout: Timeout, adapter: BaseAdapter | None = None) -> None:
        self._timeout = timeout
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": user_agent()})
        adapter = adapter or pooled_adapter()
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

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
        """Send one request and return MailUp's answer, whatever its status. It follows no redirect: none is documented.

        Args:
            timeout: seconds to connect, and for each read; the transport's own unless given.

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
    """Return whether no connection was made, so that nothing of the request was sent."""
    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.SSLError)):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, NewConnectionError)


def unavailable(error: Exception, *, may_have_arrived: bool = True) -> MailUpUnavailable:
    """Return the MailUpUnavailable for an exception of requests. Its text may hold a URL, so it isn't repeated."""
    reason = "timeout" if isinstance(error, requests.Timeout) else "connection"
    return MailUpUnavailable(reason=reason, cause=type(error).__name__, may_have_arrived=may_have_arrived)
