"""Sandbox: the WSGI application that puts OAuth 2 server, REST API, faults and control page together."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from werkzeug.wrappers import Request, Response

from . import api, oauth, pages
from .faults import Dropped, Fault, Faults, answer
from .options import Options
from .state import CLIENT_ID, CLIENT_SECRET, State


class Sandbox:
    """A MailUp in a box. It is a WSGI application; `client_id` and `client_secret` are those of its one application.

    Args:
        options: how it is to behave.
        clock: seconds, as `time.time`; a test may move it.
    """

    client_id = CLIENT_ID
    client_secret = CLIENT_SECRET

    def __init__(self, options: Options | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self.state = State(clock)
        self.state.options = options or Options()
        self.faults = Faults()

    def configure(self, **values: Any) -> None:
        """Turn switches, by the names in Options."""
        self.state.options = self.state.options.changed(values)

    def fail_with(self, kind: str = "status", **details: Any) -> None:
        """Let the next request fail; see Fault for kinds and details."""
        self.faults.add(Fault(kind, **details))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        try:
            response = self._answer(request)
        except Dropped:
            connection = environ.get("werkzeug.socket")
            if connection is None:
                raise  # the in-process adapter turns it into what a broken connection looks like
            connection.shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError("dropped on demand") from None
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        path = request.path.casefold()
        if path == "/":
            return Response("", 302, headers={"Location": "/_sandbox/"})
        if path.startswith("/_sandbox/"):
            return self._control(request, path.removeprefix("/_sandbox/"))
        fault = self.faults.take(request)
        if fault is not None:
            wrong = answer(fault)
            if wrong is not None:
                return wrong
        if path in ("/authorization/oauth/logon", "/authorization/oauth/authorization"):
            return oauth.logon(self.state, request)
        is_token = path == "/authorization/oauth/token"
        time.sleep(self.state.options.token_latency if is_token else self.state.options.latency)
        if is_token:
            right = oauth.token(self.state, request)
        elif api.PREFIX.match(request.path):
            right = api.answer(self.state, request)
        else:
            return Response("", 404)
        if fault is not None and fault.kind == "drop_after":
            raise Dropped
        return right

    def _control(self, request: Request, action: str) -> Response:
        """The sandbox's own door, for its control page and programs in other processes. Nothing of it is MailUp's."""
        state = self.state
        if request.method == "GET" and action == "":
            users = {name: user.account.company for name, user in state.users.items()}
            return pages.control(asdict(state.options), state.summary(), users)
        if request.method == "GET" and action == "state":
            return _json({"options": asdict(state.options), "faults": self.faults.summary(), **state.summary()})
        if request.method != "POST":
            return Response("", 404)
        # A page of another site can send forms here, but neither JSON nor this header. Forms only press buttons.
        values: dict[str, Any] = request.get_json() if request.is_json else request.form.to_dict()
        try:
            if action == "options" and request.is_json:
                self.configure(**values)
            elif action == "fault" and request.is_json:
                self.faults.add(Fault(**values))
            elif action == "client" and request.is_json:
                state.clients[values["client_id"]] = values["client_secret"]
            elif action == "recipients" and request.is_json:
                state.add_recipients(values["username"], int(values["list_id"]), int(values["count"]))
            elif action == "revoke":
                state.revoke(username=values.get("username"))
            elif action == "expire":
                state.expire_access(username=values.get("username"))
            elif action == "outage":
                for below in ("/Authorization/OAuth/Token", "/API/"):
                    self.fail_with("status", status=503, times=-1, path=below)
            elif action == "recover":
                self.faults.clear()
            else:
                return Response("", 404)
        except (KeyError, TypeError, ValueError) as error:
            return _json({"error": str(error)}, status=400)
        return _json(state.summary()) if request.is_json else Response("", 303, headers={"Location": "/_sandbox/"})


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")
