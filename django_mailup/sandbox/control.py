"""The sandbox's control page, and its actions as JSON for programs in other processes. MailUp has no such page."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from . import html_pages
from .faults import Fault, Faults
from .state import State

PREFIX: Final = "/_sandbox/"


def answer(state: State, faults: Faults, request: Request, action: str) -> Response:
    """Return the response to a request for an action, which is the path after PREFIX.

    GET returns the page, or the state as JSON; POST does an action. Other websites can make a browser send a form here,
    but not JSON, so a form can do only what the buttons of the page do.
    """
    if request.method == "GET" and action == "":
        companies = {name: user.account.company for name, user in state.users.items()}
        return html_pages.control_page(asdict(state.options), state.summary(), companies)
    if request.method == "GET" and action == "state":
        return _json({"options": asdict(state.options), "faults": faults.summary(), **state.summary()})
    if request.method != "POST":
        return Response("", 404)
    values: dict[str, Any] = request.get_json() if request.is_json else request.form.to_dict()
    try:
        if action == "options" and request.is_json:
            state.change_options(values)
        elif action == "fault" and request.is_json:
            faults.add(Fault(**values))
        elif action == "client" and request.is_json:
            state.clients[values["client_id"]] = values["client_secret"]
            if "redirect_uri" in values:
                state.registered_redirect_uris[values["client_id"]] = values["redirect_uri"]
        elif action == "recipients" and request.is_json:
            state.add_recipients(values["username"], int(values["list_id"]), int(values["count"]))
        elif action == "results" and request.is_json:
            counts = {name: value for name, value in values.items() if name not in ("username", "message_id")}
            state.set_results(values["username"], int(values["message_id"]), **counts)
        elif action == "revoke":
            state.revoke(username=values.get("username"))
        elif action == "expire":
            state.expire_access(username=values.get("username"))
        elif action == "outage":
            for path in ("/Authorization/OAuth/Token", "/API/"):
                faults.add(Fault("status", status=503, times=-1, path=path))
        elif action == "recover":
            faults.clear()
        else:
            return Response("", 404)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return _json({"error": str(error)}, status=400)
    return _json(state.summary()) if request.is_json else Response("", 303, headers={"Location": PREFIX})


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")
