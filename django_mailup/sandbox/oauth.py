"""The OAuth 2 server: the login and consent page, and the token endpoint for its three grants."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from werkzeug.wrappers import Request, Response

from . import pages
from .faults import error_answer
from .state import Pair, Refused, State


def logon(state: State, request: Request) -> Response:
    """GET shows the login page of `/Authorization/OAuth/LogOn`; POST, which its form sends, ends with a redirect."""
    fields = request.form if request.method == "POST" else request.args
    request_fields = {
        name: fields.get(name, "") for name in ("client_id", "redirect_uri", "response_type", "state") if name in fields
    }
    client_id, redirect_uri = request_fields.get("client_id", ""), request_fields.get("redirect_uri", "")
    # RFC 6749 section 4.1.2.1: never redirect to an address that may not be the client's own.
    if client_id not in state.clients:
        return pages.refusal("No application has this client id.")
    if urlsplit(redirect_uri).scheme not in ("http", "https"):
        return pages.refusal("The redirect URI is missing or no web address.")
    if state.options.redirect_uri == "registered" and redirect_uri != state.registered_redirect_uris.get(client_id):
        return pages.refusal("The redirect URI is not the registered one.")
    if request_fields.get("response_type") != "code":
        return _back(state, request_fields, {"error": "unsupported_response_type"})
    if request.method == "GET":
        return pages.login(request_fields)
    if fields.get("decision") == "deny":
        return _back(state, request_fields, {"error": "access_denied", "error_description": "The user denied access"})
    user = state.log_in(fields.get("username", ""), fields.get("password", ""))
    if user is None:
        return pages.login(request_fields, failed=True)
    return _back(state, request_fields, {"code": state.issue_code(user, client_id, redirect_uri)})


def _back(state: State, request_fields: dict[str, str], answer: dict[str, str]) -> Response:
    if state.options.echo_state and "state" in request_fields:
        answer["state"] = request_fields["state"]
    redirect_uri = request_fields["redirect_uri"]
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return Response(
        "", 302, headers={"Location": f"{redirect_uri}{joint}{urlencode(answer)}", "Cache-Control": "no-store"}
    )


def token(state: State, request: Request) -> Response:
    """The token endpoint. Lenient by default, as MailUp was seen to be: GET, query, body, Basic, or no client."""
    if request.method == "GET" and not state.options.token_by_get:
        return Response("", 405)
    lenient = state.options.client_authentication == "lenient"
    fields = {**(request.args.to_dict() if lenient else {}), **request.form.to_dict()}
    try:
        pair = _grant(state, request, fields, lenient)
    except Refused as refused:
        return _refusal(state, refused)
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


def _grant(state: State, request: Request, fields: dict[str, str], lenient: bool) -> Pair:
    client_id = _client(state, request, fields, lenient)
    grant_type = fields.get("grant_type")
    if grant_type == "authorization_code":
        if not fields.get("code"):
            raise Refused("invalid_request", "The code is missing")
        return state.redeem_code(fields["code"], client_id, fields.get("redirect_uri"))
    if grant_type not in ("password", "refresh_token"):
        raise Refused("unsupported_grant_type", "There is no such grant")
    if client_id is None:
        raise Refused("invalid_client", "Client credentials are invalid")
    if grant_type == "password":
        return state.redeem_password(fields.get("username", ""), fields.get("password", ""), client_id)
    if not fields.get("refresh_token"):
        raise Refused("invalid_request", "The refresh token is missing")
    return state.refresh(fields["refresh_token"], client_id)


def _client(state: State, request: Request, fields: dict[str, str], lenient: bool) -> str | None:
    """Return the client that authenticated itself, or None where none did and none is asked for."""
    basic = request.authorization if request.authorization and request.authorization.type == "basic" else None
    in_fields = "client_id" in fields and "client_secret" in fields
    if not lenient and basic is not None and in_fields:
        raise Refused("invalid_request", "Client credentials were sent twice")
    if basic is not None:
        state.check_client(basic.username or "", basic.password or "")
        return basic.username
    if in_fields:
        state.check_client(fields["client_id"], fields["client_secret"])
        return fields["client_id"]
    if lenient and fields.get("grant_type") == "authorization_code":
        return fields.get("client_id")  # MailUp's own samples exchange a code without any client authentication
    raise Refused("invalid_client", "Client credentials are invalid")


def _refusal(state: State, refused: Refused) -> Response:
    if state.options.error_shape == "mailup":
        about = {"invalid_client": "Client credentials are invalid"}.get(refused.error, refused.description)
        return error_answer(400, f"Authorization error: {about}", "BadRequest")
    body = {"error": refused.error, "error_description": refused.description}
    return Response(json.dumps(body), 400, mimetype="application/json")
