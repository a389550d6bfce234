"""Answers requests to the REST API: checks token, rate limit and terms, and calls the operation."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from ..accounts import User
from ..api_call import EMPTY, Call, JSONText
from ..dialect import changes_answers, spoken
from ..errors import APIError, error_response
from ..hooks import Hooks
from ..options import Options
from ..state import State
from . import (  # noqa: F401 - importing a module adds its operations to ROUTES
    account,
    attachments,
    fields,
    groups,
    images,
    imports,
    lists,
    messages,
    provisioning,
    recipients,
    sendings,
    sms,
    smtp_users,
    statistics,
    tags,
    templates,
    trusted_senders,
)
from .routes import ROUTES

PREFIX: Final = re.compile(r"/api/v1\.1/rest/(console|mailstatistics|public)service\.svc(?=/)", re.IGNORECASE)


def answer(state: State, hooks: Hooks, request: Request) -> Response:
    """Return the response to one request. The case of paths and of query parameters is ignored, as IIS does."""
    match = PREFIX.match(request.path)
    path, service = (request.path[match.end() :], match[1].casefold()) if match else (request.path, "")
    try:
        if service == "public":
            return _json_response(provisioning.answer(state, request, path), state.options)
        user = _authenticate(state, request)
        for route in ROUTES if _serves(service, path) else ():
            ids = route.pattern.fullmatch(path) if route.verb == request.method else None
            if ids is not None:
                _check_rate_limit(state, user, f"{route.verb} {route.path}")
                _check_terms(user)
                call = Call(state, request, user)
                if hooks.before_call is not None:
                    hooks.before_call(call)
                state.carry_out_imports(user.account)
                with state.lock:
                    state.counters["api_calls"] += 1
                    user.account.send_due(state.now())
                    body = route.operation(call, **ids.groupdict())
                return _json_response(body, state.options)
        raise APIError(404, "Endpoint not found.")
    except APIError as error:
        return _error_response(state, error)


def _serves(service: str, path: str) -> bool:
    """Return whether a path belongs to a service: those of the statistics are the ones without `/Console`.

    MailUp's page "Email Statistics" gives them so. A WCF service answers 404 for the paths of another one.
    """
    return path.casefold().startswith("/console/") == (service == "console")


def _json_response(body: Any, options: Options) -> Response:
    if body is EMPTY:
        return Response("", mimetype="application/json")
    if changes_answers(options):
        text = json.dumps(spoken(_without_json_text(body), options))
    elif isinstance(body, dict) and isinstance(body.get("Items"), list):
        # Items are encoded one by one: encoding a thousand recipients in one call would stop all other threads for
        # so long that the rate limit is measured wrongly.
        items = ", ".join(item if isinstance(item, JSONText) else json.dumps(item) for item in body["Items"])
        text = json.dumps({**body, "Items": []}).replace('"Items": []', f'"Items": [{items}]', 1)
    else:
        text = json.dumps(body)
    return Response(text.replace("/", "\\/"), mimetype="application/json")


def _without_json_text(body: Any) -> Any:
    """Return an answer whose items, if it is a page, are no JSON texts."""
    if isinstance(body, dict) and isinstance(body.get("Items"), list):
        items = [json.loads(item) if isinstance(item, JSONText) else item for item in body["Items"]]
        return {**body, "Items": items}
    return body


def _authenticate(state: State, request: Request) -> User:
    scheme, _, access_token = request.headers.get("Authorization", "").partition(" ")
    pair = state.find_pair(access_token.strip()) if scheme.casefold() == "bearer" else None
    if pair is None:
        status = state.options.malformed_token_status
        raise APIError(
            status, "Authorization error: Invalid access token", "Unauthorized" if status == 401 else "BadRequest"
        )
    if not state.is_live(pair):
        raise APIError(401, "Authorization error: Access token is expired", "Unauthorized")
    return pair.user


def _check_rate_limit(state: State, user: User, operation: str) -> None:
    actual = state.count_call(user.username, operation)
    if actual:
        limit = state.options.rate_limit
        raise APIError(
            429,
            "Authorization error (too_many_requests): Too many requests."
            f" Max:{limit} calls per second , actual:{actual}.",
        )


def _check_terms(user: User) -> None:
    if not user.accepted_terms:
        raise APIError(
            403, "Authorization error: Contract not signed, please login in console and accept terms of service."
        )


def _error_response(state: State, error: APIError) -> Response:
    form = state.options.error_body
    if form == "json":
        response = error_response(error.status, error.description, error.name, state.options)
    elif form == "html":
        response = Response("<html><body><h1>Error</h1></body></html>", error.status, mimetype="text/html")
    else:
        response = Response("", error.status)
    if error.status == 429 and state.options.retry_after:
        response.headers["Retry-After"] = "1"
    return response
