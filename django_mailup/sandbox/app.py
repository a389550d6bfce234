"""Sandbox: a WSGI application of the OAuth 2 server, the REST API, the faults and the control page."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from . import control, oauth
from .api import dispatch
from .faults import ConnectionDropped, Fault, Faults, make_response
from .hooks import Hooks
from .options import Options
from .state import CLIENT_ID, CLIENT_SECRET, State

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Sandbox:
    """A local MailUp, as a WSGI application.

    Args:
        options: how it behaves where MailUp's documents are silent or unclear.
        clock: returns the current time in seconds; see the attribute `clock`.

    Attributes:
        client_id: the id of the client that every sandbox knows.
        client_secret: the secret of that client.
        state: what it remembers between requests: users and their accounts, clients, pairs, counters.
        faults: the faults that wait for requests; `fail_with` adds one.
        hooks: functions that are called in the middle of an answer. Assign to its attributes; see Hooks.
    """

    client_id = CLIENT_ID
    client_secret = CLIENT_SECRET

    def __init__(self, options: Options | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self.state = State(clock)
        self.state.options = options or Options()
        self.faults = Faults()
        self.hooks = Hooks()

    @property
    def clock(self) -> Callable[[], float]:
        """The clock that expiry, imports and sendings follow: a function that returns seconds since 1970.

        Assign another one to change the time, as in `sandbox.clock = lambda: time.time() + 3600`. Pauses
        (`Options.latency`, slow faults) don't follow it. `Options.clock_error` is added to it.
        """
        return self.state.clock

    @clock.setter
    def clock(self, clock: Callable[[], float]) -> None:
        self.state.clock = clock

    def configure(self, **values: Any) -> None:
        """Change options, by their names in Options. Raise ValueError for an unknown name or an unusable value."""
        self.state.change_options(values)

    def fail_with(self, kind: str = "status", **details: Any) -> None:
        """Make the next request fail. See Fault for kinds and details. Raise ValueError for an unknown kind."""
        self.faults.add(Fault(kind, **details))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        try:
            response = self._answer(request)
        except ConnectionDropped:
            connection = environ.get("werkzeug.socket")
            if connection is None:
                raise  # in process: the adapter turns it into requests.ConnectionError
            connection.shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError("dropped on demand") from None
        response.headers.setdefault("Date", http_date(self.state.now()))
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        path = request.path.casefold()
        if path == "/":
            return Response("", 302, headers={"Location": control.PREFIX})
        if path.startswith(control.PREFIX):
            return control.answer(self.state, self.faults, request, path.removeprefix(control.PREFIX))
        fault = self.faults.take(request)
        if fault is not None:
            wrong = make_response(fault, self.state.options)
            if wrong is not None:
                request.get_data()  # the server would wait for an unread body before it closes the connection
                return wrong
        if path in ("/authorization/oauth/logon", "/authorization/oauth/authorization"):
            return oauth.authorize(self.state, request)
        is_token = path == "/authorization/oauth/token"
        time.sleep(self.state.options.token_latency if is_token else self.state.options.latency)
        if is_token:
            right = oauth.token(self.state, self.hooks, request)
        elif dispatch.PREFIX.match(request.path):
            right = dispatch.answer(self.state, self.hooks, request)
        else:
            return Response("", 404)
        if fault is not None and fault.kind == "drop_after":
            raise ConnectionDropped
        return right
