"""The public service, which creates trial accounts. It takes the client id and secret instead of a token."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request

from ..api_call import decode_body
from ..errors import APIError
from ..state import State


def answer(state: State, request: Request, path: str) -> dict[str, Any]:
    """Return the answer to a request, as JSON. An activation is done when its status is asked for the second time.

    Raises:
        APIError: the credentials are missing or wrong (401), the client may not activate accounts (403), the body is
            malformed or incomplete (400), or there is no such path or activation (404).
    """
    credentials = request.authorization
    if credentials is None or credentials.type != "basic":
        raise APIError(401, "Authorization error: client credentials are missing.", "Unauthorized")
    if state.clients.get(credentials.username or "") != credentials.password:
        raise APIError(401, "Authorization error: client credentials are invalid.", "Unauthorized")
    if not state.options.provisioning:
        raise APIError(403, "Authorization error: this client may not activate accounts.")
    body = decode_body(request)
    if request.method == "POST" and path.casefold() == "/console/trialactivation":
        return _activate(state, body)
    if request.method == "POST" and path.casefold() == "/console/trialactivationstatus":
        return _report_status(state, body)
    raise APIError(404, "Endpoint not found.")


def _activate(state: State, body: dict[str, Any]) -> dict[str, Any]:
    missing = [name for name in ("NameAndSurname", "Company", "Email", "PhoneNumber") if not body.get(name)]
    if missing:
        raise APIError(400, f"{missing[0]} is mandatory.")
    number = str(len(state.trials) + 1)
    state.trials[number] = 0
    return {"Id": number, "Hash": f"hash-{number}"}


def _report_status(state: State, body: dict[str, Any]) -> dict[str, Any]:
    number = str(body.get("Id"))
    if number not in state.trials or body.get("Hash") != f"hash-{number}":
        raise APIError(404, "There is no such activation.")
    state.trials[number] += 1
    done = state.trials[number] > 1
    return {"Code": 2 if done else 5, "Description": "Activated" if done else "In progress"}
