"""OAuthClient: it makes the URL of the consent page, and exchanges grants for tokens. Based on requests-oauthlib."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Literal

import requests
from oauthlib.oauth2 import InsecureTransportError, LegacyApplicationClient, WebApplicationClient
from requests.adapters import BaseAdapter
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from ..exceptions import MailUpError, Misconfigured, UnexpectedResponse
from . import transport
from .classify import parse_token_answer
from .deadline import Guard, GuardedAdapter, PendingCall
from .endpoints import Endpoints
from .grants import Grant, Password, RefreshToken
from .tokens import TokenSet

ClientAuthentication = Literal["body", "basic"]
DEADLINE: Final = 15.0
"""Seconds for a whole token call by default."""


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
            Misconfigured: the base URL is http and OAUTHLIB_INSECURE_TRANSPORT isn't set.
        """
        challenge = {}
        if code_verifier:
            digest = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest())
            challenge = {"code_challenge": digest.decode().rstrip("="), "code_challenge_method": "S256"}
        with OAuth2Session(self._client_id, redirect_uri=redirect_uri, scope=scope or None) as session:
            try:
                url, _ = session.authorization_url(self._endpoints.authorization, state=state, **challenge)
            except InsecureTransportError:
                raise _insecure() from None
        return str(url)

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
            Misconfigured: the base URL is http and OAUTHLIB_INSECURE_TRANSPORT isn't set.
        """
        return self.begin(grant, deadline=deadline).result()

    def begin(self, grant: Grant, *, deadline: float | None = None) -> PendingCall[TokenSet]:
        """Start to exchange a grant in a thread. The call's `result` returns or raises what `exchange` does."""
        guard = Guard(min(deadline if deadline is not None else self._deadline, self._deadline))
        return PendingCall.start(guard, lambda: self._exchange(grant, guard))

    def _exchange(self, grant: Grant, guard: Guard) -> TokenSet:
        answers: list[dict[str, Any]] = []

        def read(response: requests.Response) -> requests.Response:
            """Check status and body, which oauthlib doesn't, and give oauthlib a body that it accepts."""
            answers.append(parse_token_answer(response, grant))
            response._content = json.dumps(
                {"access_token": answers[-1]["access_token"], "token_type": "Bearer"}
            ).encode()
            return response

        kind = LegacyApplicationClient if isinstance(grant, Password) else WebApplicationClient
        fields = grant.form()
        adapter = self._adapter or GuardedAdapter(guard)
        guard.watch(None)
        guard.sent = self._adapter is not None  # only a GuardedAdapter sets it
        with OAuth2Session(client=kind(self._client_id), redirect_uri=fields.pop("redirect_uri", None)) as session:
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            session.max_redirects = 0  # a redirect could send the client secret over plain http
            session.headers["User-Agent"] = transport.user_agent()
            try:
                self._send(session, grant, fields, read, guard)
            except InsecureTransportError:
                raise _insecure() from None
            except requests.TooManyRedirects:
                raise UnexpectedResponse(reason="redirect", status=302) from None
            except MailUpError:
                raise
            except requests.RequestException as error:
                raise transport.unavailable(error, may_have_arrived=guard.sent) from None
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
        read: Callable[[requests.Response], requests.Response],
        guard: Guard,
    ) -> None:
        basic = self._authentication == "basic"
        # Without an auth object, requests would use credentials of .netrc.
        auth = HTTPBasicAuth(self._client_id, self._client_secret) if basic else _leave_alone
        timeout = max(guard.left(), 0.001)
        if isinstance(grant, RefreshToken):
            credentials = {} if basic else {"client_id": self._client_id, "client_secret": self._client_secret}
            session.register_compliance_hook("refresh_token_response", read)
            session.refresh_token(self._endpoints.token, grant.refresh_token, auth=auth, timeout=timeout, **credentials)
        else:
            fields.pop("grant_type")
            session.register_compliance_hook("access_token_response", read)
            session.fetch_token(
                self._endpoints.token,
                auth=auth,
                timeout=timeout,
                include_client_id=not basic,
                client_secret=self._client_secret,
                **fields,
            )


def _leave_alone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _insecure() -> Misconfigured:
    return Misconfigured("MailUp's base URL is plain http; for a local sandbox, set OAUTHLIB_INSECURE_TRANSPORT=1.")
