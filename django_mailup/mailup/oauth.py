"""OAuthClient: it makes the URL of the consent page, and exchanges grants for tokens. Based on requests-oauthlib."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import requests
from oauthlib.oauth2 import BackendApplicationClient
from requests.adapters import BaseAdapter
from requests_oauthlib import OAuth2Session

from ..exceptions import MailUpError, UnexpectedResponse
from . import transport
from .bounded import ACCEPT_ENCODING, read_body
from .classify import parse_token_answer
from .deadline import PendingCall
from .endpoints import Endpoints
from .grants import Grant, RefreshToken
from .guard import Guard
from .guarded import GuardedAdapter
from .tokens import TokenSet

ClientAuthentication = Literal["body", "basic"]
DEADLINE: Final = 15.0
"""Seconds for a whole token call by default."""
ANSWER_LIMIT: Final = 1024 * 1024
"""The largest answer of the token endpoint that is read, in bytes, before and after inflating."""


class OAuthClient:
    """A client of MailUp's OAuth 2 server, with the id and secret of one registration.

    Args:
        client_id, client_secret: as shown in MailUp's console.
        endpoints: MailUp's URLs; by default those in production.
        authentication: how the client id and secret are sent: in the form's `body`, as MailUp documents, or by HTTP
            `basic` authentication.
        deadline: seconds for a whole token call: name resolution, connection, request and answer.
        adapter: an adapter of requests that replaces the network, such as the sandbox's.
        clock: returns the current time as an aware datetime.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        endpoints: Endpoints | None = None,
        authentication: ClientAuthentication = "body",
        deadline: float = DEADLINE,
        adapter: BaseAdapter | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._endpoints = endpoints or Endpoints()
        self._authentication = authentication
        self._deadline = deadline
        self._adapter = adapter
        self._clock = clock

    def authorization_url(self, *, redirect_uri: str, state: str, scope: str = "", code_verifier: str = "") -> str:
        """Return the URL of MailUp's login and consent page (RFC 6749 section 4.1.1). It never holds the client secret.

        Args:
            redirect_uri: where MailUp is to send the browser.
            state: what MailUp is to send back with it.
            scope: the scopes to ask for, separated by spaces; none by default.
            code_verifier: the secret of PKCE (RFC 7636), which is sent with the code later; the URL has its hash.

        Raises:
            Misconfigured: the base URL is plain http to a host for which that is refused.
        """
        challenge = {}
        if code_verifier:
            digest = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest())
            challenge = {"code_challenge": digest.decode().rstrip("="), "code_challenge_method": "S256"}
        endpoint = self._endpoints.authorization
        with OAuth2Session(self._client_id, redirect_uri=redirect_uri, scope=scope or None) as session:
            url, _ = session.authorization_url(_as_https(endpoint), state=state, **challenge)
        return urlsplit(endpoint).scheme + str(url).removeprefix("https")

    def exchange(self, grant: Grant, *, deadline: float | None = None) -> TokenSet:
        """Exchange a grant at the token endpoint. The POST is sent once, and no redirect is followed.

        Args:
            grant: the grant.
            deadline: seconds for this call, if fewer than the client's.

        Raises:
            MailUpError: MailUp refuses the grant; the class is `grant.refused`.
            ClientRejected: MailUp refuses the client id or secret.
            TermsNotAccepted: the MailUp user has not accepted the terms of service.
            MailUpUnavailable: there was no answer within the deadline, or its status is 408, 429 (RateLimited)
                or 5xx. `grant_may_be_spent` says whether MailUp may have used up the grant.
            UnexpectedResponse: any other answer; `grant_may_be_spent` as above.
            Misconfigured: the base URL is plain http to a host for which that is refused.
        """
        return self.begin(grant, deadline=deadline).result()

    def begin(self, grant: Grant, *, deadline: float | None = None) -> PendingCall[TokenSet]:
        """Start to exchange a grant in a thread. The call's `result` returns or raises what `exchange` does."""
        guard = Guard(min(deadline if deadline is not None else self._deadline, self._deadline))
        return PendingCall.start(guard, lambda: self._exchange(grant, guard))

    def _exchange(self, grant: Grant, guard: Guard) -> TokenSet:
        answers: list[dict[str, Any]] = []

        def read(response: requests.Response, **kwargs: Any) -> requests.Response:
            """Read the body and check it and the status, which oauthlib doesn't. Give oauthlib a body that it accepts.

            As a hook of requests it comes before redirects are followed and before OAuth2Session logs the body.
            """
            read_body(response, limit=ANSWER_LIMIT, guard=guard)
            if response.is_redirect:
                raise UnexpectedResponse(reason="redirect", status=response.status_code)
            answers.append(parse_token_answer(response, grant))
            response._content = json.dumps(
                {"access_token": answers[-1]["access_token"], "token_type": "Bearer"}
            ).encode()
            response.encoding = "utf-8"
            return response

        fields = grant.form()
        # oauthlib has a client for each grant. This one sends the fields of any grant as they are.
        client = BackendApplicationClient(self._client_id)
        client.grant_type = fields.pop("grant_type")
        # A new adapter for each call: the server may have just closed a connection from a pool, and it would be unknown
        # then whether the refresh token was used.
        adapter = self._adapter or GuardedAdapter()
        if urlsplit(self._endpoints.token).scheme == "http":
            adapter = _PlainHTTP(adapter)
        guard.watch(None)
        guard.sent = self._adapter is not None  # only a GuardedAdapter's connections set it
        redirect_uri = fields.pop("redirect_uri", None)
        with guard, OAuth2Session(client=client, redirect_uri=redirect_uri) as session:
            session.mount("https://", adapter)
            session.headers.update({"Accept-Encoding": ACCEPT_ENCODING, "User-Agent": transport.user_agent()})
            session.hooks["response"].append(read)
            try:
                self._send(session, grant, fields, guard)
            except MailUpError:
                raise
            except requests.RequestException as error:
                raise guard.unavailable(error) from None
            except Exception as error:
                # Other exceptions of oauthlib and urllib3 may have the body in their text, so only the name is kept.
                raise UnexpectedResponse(reason="token_unreadable", cause=type(error).__name__) from None
        used = grant.refresh_token if isinstance(grant, RefreshToken) else ""
        return TokenSet.from_answer(answers[0], received_at=self._clock(), refresh_token=used)

    def _send(
        self,
        session: OAuth2Session,
        grant: Grant,
        fields: dict[str, str],
        guard: Guard,
    ) -> None:
        basic = self._authentication == "basic"
        # Without an auth object, requests would use credentials of .netrc.
        auth = transport.basic_auth(self._client_id, self._client_secret) if basic else _leave_alone
        timeout = max(guard.left(), 0.001)
        url = _as_https(self._endpoints.token)
        if isinstance(grant, RefreshToken):
            credentials = {} if basic else {"client_id": self._client_id, "client_secret": self._client_secret}
            session.refresh_token(url, grant.refresh_token, auth=auth, timeout=timeout, **credentials)
        else:
            session.fetch_token(
                url,
                auth=auth,
                timeout=timeout,
                include_client_id=not basic,
                client_secret=self._client_secret,
                **fields,
            )


def _leave_alone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _as_https(url: str) -> str:
    """Return a URL with https instead of http.

    oauthlib refuses http, unless an environment variable allows it to all code of the process that uses oauthlib.
    `Endpoints` has checked the URL already.
    """
    return urlsplit(url)._replace(scheme="https").geturl()


class _PlainHTTP(BaseAdapter):
    """Sends requests over plain http, whose URLs `_as_https` has changed.

    Args:
        adapter: the adapter that sends them.
    """

    def __init__(self, adapter: BaseAdapter) -> None:
        super().__init__()
        self._adapter = adapter

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = urlsplit(request.url or "")._replace(scheme="http").geturl()
        return self._adapter.send(request, *args, **kwargs)

    def close(self) -> None:
        self._adapter.close()
