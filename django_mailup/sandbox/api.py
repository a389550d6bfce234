"""The REST API: who calls, the limit of calls, the operation, and MailUp's way of answering."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from . import console, mail, recipients, sending, sms, statistics
from .calls import EMPTY, OPERATIONS, Call, Failed, Written
from .faults import error_answer
from .state import State, User

PREFIX: Final = re.compile(r"/api/v1\.1/rest/(console|mailstatistics|public)service\.svc(?=/)", re.IGNORECASE)
SERVED: Final = (console, mail, recipients, sending, sms, statistics)
"""Modules that enter their operations into the table when they are imported."""


def answer(state: State, request: Request) -> Response:
    """Answer one REST request. Paths and query parameters are read in any letter case, as IIS does."""
    match = PREFIX.match(request.path)
    path = request.path[match.end() :] if match else request.path
    try:
        if match and match[1].casefold() == "public":
            return _answered(_public(state, request, path))
        user = _authenticate(state, request)
        for verb, template, pattern, operation in OPERATIONS:
            holes = pattern.fullmatch(path) if verb == request.method else None
            if holes is not None:
                _limit(state, user, f"{verb} {template}")
                if not user.accepted_terms:
                    raise Failed(
                        403,
                        "Authorization error: Contract not signed,"
                        " please login in console and accept terms of service.",
                    )
                with state.lock:
                    state.counters["api_calls"] += 1
                    user.account.memory.settle(state.clock())
                    body = operation(Call(state, request, user), **holes.groupdict())
                return _answered(body)
        raise Failed(404, "Endpoint not found.")
    except Failed as failed:
        return _failure(state, failed)


def _answered(body: Any) -> Response:
    if body is EMPTY:
        return Response("", mimetype="application/json")
    if isinstance(body, dict) and isinstance(body.get("Items"), list):
        # A thousand recipients at once would keep every other thread waiting, and so bend the limit of calls.
        items = ", ".join(item if isinstance(item, Written) else json.dumps(item) for item in body["Items"])
        text = json.dumps({**body, "Items": []}).replace('"Items": []', f'"Items": [{items}]', 1)
    else:
        text = json.dumps(body)
    return Response(text.replace("/", "\\/"), mimetype="application/json")


def _public(state: State, request: Request, path: str) -> Any:
    """The service for new accounts: by the client's own credentials. What is asked for is ready at the second look."""
    credentials = request.authorization
    if credentials is None or credentials.type != "basic":
        raise Failed(401, "Authorization error: client credentials are missing.", "Unauthorized")
    if state.clients.get(credentials.username or "") != credentials.password:
        raise Failed(401, "Authorization error: client credentials are invalid.", "Unauthorized")
    if not state.options.provisioning:
        raise Failed(403, "Authorization error: this client may not activate accounts.")
    try:
        body = json.loads(request.get_data() or b"null")
    except ValueError:
        raise Failed(400, "The request body is not formatted well.") from None
    if request.method == "POST" and path.casefold() == "/console/trialactivation":
        missing = [name for name in ("NameAndSurname", "Company", "Email", "PhoneNumber") if not body.get(name)]
        if missing:
            raise Failed(400, f"{missing[0]} is mandatory.")
        number = str(len(state.trials) + 1)
        state.trials[number] = 0
        return {"Id": number, "Hash": f"hash-{number}"}
    if request.method == "POST" and path.casefold() == "/console/trialactivationstatus":
        number = str(body.get("Id"))
        if number not in state.trials or body.get("Hash") != f"hash-{number}":
            raise Failed(404, "There is no such activation.")
        state.trials[number] += 1
        done = state.trials[number] > 1
        return {"Code": 2 if done else 5, "Description": "Activated" if done else "In progress"}
    raise Failed(404, "Endpoint not found.")


def _authenticate(state: State, request: Request) -> User:
    scheme, _, access_token = request.headers.get("Authorization", "").partition(" ")
    pair = state.find_access(access_token.strip()) if scheme.casefold() == "bearer" else None
    if pair is None:
        status = state.options.malformed_token_status
        raise Failed(
            status, "Authorization error: Invalid access token", "Unauthorized" if status == 401 else "BadRequest"
        )
    if not state.is_live(pair):
        raise Failed(401, "Authorization error: Access token is expired", "Unauthorized")
    return pair.user


def _limit(state: State, user: User, operation: str) -> None:
    actual = state.over_limit(user.username, operation)
    if actual:
        limit = state.options.rate_limit
        raise Failed(
            429,
            "Authorization error (too_many_requests): Too many requests."
            f" Max:{limit} calls per second , actual:{actual}.",
        )


def _failure(state: State, failed: Failed) -> Response:
    body = state.options.error_body
    if body == "json":
        response = error_answer(failed.status, failed.description, failed.name)
    elif body == "html":
        response = Response("<html><body><h1>Error</h1></body></html>", failed.status, mimetype="text/html")
    else:
        response = Response("", failed.status)
    if failed.status == 429 and state.options.retry_after:
        response.headers["Retry-After"] = "1"
    return response
