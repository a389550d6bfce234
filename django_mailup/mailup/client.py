"""MailUpClient: MailUp's REST API for one connection. Asks a TokenSource for the token and repeats once after a 401."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Protocol

import requests

from ..exceptions import UnexpectedResponse
from . import classify
from .endpoints import Endpoints
from .resources.account import Account
from .resources.lists import Lists
from .tokens import AccessToken
from .transport import Transport


class TokenSource(Protocol):
    """Where a client gets its access token: a row of a database, or a value in a script."""

    def get(self) -> AccessToken:
        """Return an access token that is good for now; renew it first when it is about to run out."""

    def renew(self, refused: AccessToken) -> AccessToken:
        """Return another access token than the refused one, by a renewal unless somebody made one meanwhile."""


class MailUpClient:
    """What a site calls MailUp with.

    Args:
        source: gives access tokens.
        endpoints: where MailUp is.
        transport: how to get there.
        on_success: called once, after the first call that succeeded.
    """

    def __init__(
        self,
        source: TokenSource,
        *,
        endpoints: Endpoints | None = None,
        transport: Transport,
        on_success: Callable[[MailUpClient], None] | None = None,
    ) -> None:
        self._source = source
        self._endpoints = endpoints or Endpoints()
        self._transport = transport
        self._on_success = on_success

    @cached_property
    def account(self) -> Account:
        """Who this connection acts as."""
        return Account(self)

    @cached_property
    def lists(self) -> Lists:
        """The lists this MailUp user may see, and their groups."""
        return Lists(self)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Call one REST operation and return its decoded JSON body: an object, a list, a number, text; None when empty.

        When MailUp refuses the access token (401, or a 400 that says so), it is renewed once, the call repeated once.

        Args:
            method: `GET`, `POST`, `PUT` or `DELETE`.
            path: below the service, such as `/Console/List/1/Groups`.
            params: query parameters.
            json: the body, if any.
            headers: further request headers.

        Raises:
            ReauthorizationRequired: the connection is dead.
            MailUpUnavailable, RateLimited: try again later.
            APIError: MailUp refused; Unauthorized when even a renewed token is.
            TermsNotAccepted, UnexpectedResponse: as they say.
            ValueError: the path belongs to no service.
        """
        url = self._endpoints.service(path)
        access_token = self._source.get()
        response = self._transport.send(method, url, access_token, params=params, json=json, headers=headers)
        if classify.refuses_access_token(response):
            access_token = self._source.renew(access_token)
            response = self._transport.send(method, url, access_token, params=params, json=json, headers=headers)
        if response.status_code != 200:
            raise classify.api_error(response)
        body = _decode(response)
        if self._on_success is not None:
            once, self._on_success = self._on_success, None
            once(self)
        return body


def _decode(response: requests.Response) -> Any:
    if not response.content.strip():
        return None  # how MailUp says that there is nothing to say
    try:
        return response.json()
    except ValueError:
        content_type = response.headers.get("Content-Type", "").partition(";")[0][:60]
        raise UnexpectedResponse(
            "MailUp's answer is not JSON.", status=response.status_code, content_type=content_type
        ) from None
