"""The OAuth 2 server: the login and consent page, and the token endpoint with its grants."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from werkzeug.wrappers import Request, Response

from . import html_pages
from .errors import OAuthError, error_response
from .hooks import Hooks
from .state import State
from .tokens import Pair

REQUEST_FIELDS: Final = (
    "client_id",
    "redirect_uri",
    "response_type",
    "state",
    "code_challenge",
    "code_challenge_method",
)
"""The parameters of an authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3)."""


def authorize(state: State, request: Request) -> Response:
    """Answer the authorization endpoint, `/Authorization/OAuth/LogOn` (RFC 6749 section 4.1.1).

    GET shows the login and consent page; its form sends POST, which redirects back to the client.
    """
    fields = request.form if request.method == "POST" else request.args
    request_fields = {name: fields.get(name, "") for name in REQUEST_FIELDS if name in fields}
    client_id, redirect_uri = request_fields.get("client_id", ""), request_fields.get("redirect_uri", "")
    # RFC 6749 section 4.1.2.1: no redirect to a URI that may not belong to the client.
    if client_id not in state.clients:
        return html_pages.error_page("No application has this client id.")
    if urlsplit(redirect_uri).scheme not in ("http", "https"):
        return html_pages.error_page("The redirect URI is missing or no web address.")
    if state.options.redirect_uri == "registered" and redirect_uri != state.registered_redirect_uris.get(client_id):
        return html_pages.error_page("The redirect URI is not the registered one.")
    if request_fields.get("response_type") != "code":
        return _redirect(state, request_fields, {"error": "unsupported_response_type"})
    pkce = _refusal_of_pkce(state, request_fields)
    if pkce is not None:
        return _redirect(state, request_fields, {"error": "invalid_request", "error_description": pkce})
    if request.method == "GET":
        return html_pages.login_page(request_fields)
    if fields.get("decision") == "deny":
        return _redirect(
            state, request_fields, {"error": "access_denied", "error_description": "The user denied access"}
        )
    user = state.authenticate(fields.get("username", ""), fields.get("password", ""))
    if user is None:
        return html_pages.login_page(request_fields, failed=True)
    challenge = request_fields.get("code_challenge", "")
    return _redirect(state, request_fields, {"code": state.issue_code(user, client_id, redirect_uri, challenge)})


def _refusal_of_pkce(state: State, request_fields: dict[str, str]) -> str | None:
    """Return why the authorization request is refused for its PKCE parameters; None if it isn't."""
    challenge = request_fields.get("code_challenge")
    if state.options.pkce == "refused" and challenge:
        return "The parameter code_challenge is unknown"
    if state.options.pkce == "required" and not (challenge and request_fields.get("code_challenge_method") == "S256"):
        return "A code challenge of the method S256 is needed"
    return None


def _redirect(state: State, request_fields: dict[str, str], answer: dict[str, str]) -> Response:
    if state.options.echo_state and "state" in request_fields:
        answer["state"] = request_fields["state"]
    redirect_uri = request_fields["redirect_uri"]
    separator = "&" if urlsplit(redirect_uri).query else "?"
    return Response(
        "", 302, headers={"Location": f"{redirect_uri}{separator}{urlencode(answer)}", "Cache-Control": "no-store"}
    )


def token(state: State, hooks: Hooks, request: Request) -> Response:
    """Answer the token endpoint, `/Authorization/OAuth/Token` (RFC 6749 section 3.2).

    By default it accepts what MailUp is known to accept: GET as well as POST; parameters in the query or the body;
    client credentials there or by HTTP Basic; and a code without any client credentials. See Options.
    """
    if request.method == "GET" and not state.options.token_by_get:
        return Response("", 405)
    lenient = state.options.client_authentication == "lenient"
    fields = {**(request.args.to_dict() if lenient else {}), **request.form.to_dict()}
    try:
        pair = _issue_pair(state, hooks, request, fields, lenient)
    except OAuthError as refused:
        return _error(state, refused)
    body: dict[str, Any] = {"access_token": pair.access_token}
    if state.options.expires_in != "missing":
        lifetime = state.options.access_lifetime
        number = int(lifetime) if lifetime == int(lifetime) else lifetime
        body["expires_in"] = str(number) if state.options.expires_in == "text" else number
    if state.options.rotate_refresh or fields.get("grant_type") != "refresh_token":
        body["refresh_token"] = pair.refresh_token
    if state.options.token_type:
        body["token_type"] = "bearer"
    return Response(json.dumps(body), 200, mimetype="application/json", headers={"Cache-Control": "no-store"})


def _issue_pair(state: State, hooks: Hooks, request: Request, fields: dict[str, str], lenient: bool) -> Pair:
    client_id = _authenticate_client(state, request, fields, lenient)
    grant_type = fields.get("grant_type")
    if grant_type == "authorization_code":
        if not fields.get("code"):
            raise OAuthError("invalid_request", "The code is missing")
        verifier = fields.get("code_verifier")
        if state.options.pkce == "refused" and verifier:
            raise OAuthError("invalid_request", "The parameter code_verifier is unknown")
        return state.redeem_code(fields["code"], client_id, fields.get("redirect_uri"), verifier)
    if grant_type not in ("password", "refresh_token"):
        raise OAuthError("unsupported_grant_type", "There is no such grant")
    if client_id is None:
        raise OAuthError("invalid_client", "Client credentials are invalid")
    if grant_type == "password":
        return state.redeem_password(fields.get("username", ""), fields.get("password", ""), client_id)
    if not fields.get("refresh_token"):
        raise OAuthError("invalid_request", "The refresh token is missing")
    return _refresh(state, hooks, fields["refresh_token"], client_id)


def _refresh(state: State, hooks: Hooks, refresh_token: str, client_id: str) -> Pair:
    if hooks.before_refresh is not None:
        hooks.before_refresh(refresh_token)
    pair = state.refresh(refresh_token, client_id)
    if hooks.after_refresh is not None:
        hooks.after_refresh(pair)
    return pair


def _authenticate_client(state: State, request: Request, fields: dict[str, str], lenient: bool) -> str | None:
    """Return the id of the authenticated client, or None if a code came without client and none is required.

    Raises:
        OAuthError: the credentials are wrong, missing or sent twice.
    """
    basic = request.authorization if request.authorization and request.authorization.type == "basic" else None
    in_fields = "client_id" in fields and "client_secret" in fields
    if not lenient and basic is not None and in_fields:
        raise OAuthError("invalid_request", "Client credentials were sent twice")
    if basic is not None:
        state.check_client(basic.username or "", basic.password or "")
        return basic.username
    if in_fields:
        state.check_client(fields["client_id"], fields["client_secret"])
        return fields["client_id"]
    if lenient and fields.get("grant_type") == "authorization_code":
        return fields.get("client_id")  # MailUp's own samples send no client secret with a code
    raise OAuthError("invalid_client", "Client credentials are invalid")


def _error(state: State, refused: OAuthError) -> Response:
    if state.options.error_shape == "mailup":
        about = {"invalid_client": "Client credentials are invalid"}.get(refused.error, refused.description)
        return error_response(400, f"Authorization error: {about}", "BadRequest", state.options)
    body = {"error": refused.error, "error_description": refused.description}
    return Response(json.dumps(body), 400, mimetype="application/json")
