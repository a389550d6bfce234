"""Faults: wrong answers, slow answers and dropped connections that a test asks for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from .errors import error_response
from .options import Options

KINDS: Final = (
    "status",
    "html",
    "empty",
    "garbage",
    "half",
    "huge",
    "drop",
    "drop_after",
    "slow",
    "drip",
    "redirect",
    "body",
)


@dataclass
class Fault:
    """A fault for the next `times` requests whose path contains `path`; if `times` is -1, for all until it is cleared.

    Attributes:
        kind: one of
            `status`: MailUp's error with the status `status`, with a Retry-After of `retry_after` seconds unless 0;
            `html`: an HTML page with the status `status`, as IIS sends;
            `empty`: an empty body with the status `status`;
            `garbage`: plain text with the status 200;
            `half`: a body that is shorter than its Content-Length;
            `huge`: 100 MB of spaces;
            `drop`: the connection is closed, and the request has no effect;
            `drop_after`: the request is carried out, then the connection is closed without an answer;
            `slow`: the right answer, after `seconds`;
            `drip`: one space every `seconds` (1 if unset), ten minutes long at one a second;
            `redirect`: to `location`, with the status `status`;
            `body`: `body` with the status `status` and the type `content_type`.
    """

    kind: str
    path: str = "/"
    times: int = 1
    status: int = 500
    seconds: float = 0.0
    location: str = ""
    body: str = ""
    content_type: str = "application/json"
    retry_after: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no fault {self.kind!r}; there are {', '.join(KINDS)}")


class ConnectionDropped(Exception):
    """The sandbox closes the connection without an answer."""


class Faults:
    """The faults that wait for a request, oldest first. Its methods may be called from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._pending.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._pending.clear()

    def take(self, request: Request) -> Fault | None:
        """Return the oldest fault whose path matches, or None. It is removed when it has been taken `times` times."""
        with self._lock:
            for fault in self._pending:
                if fault.path.casefold() in request.path.casefold():
                    if fault.times > 0:
                        fault.times -= 1
                        if fault.times == 0:
                            self._pending.remove(fault)
                    return fault
            return None

    def summary(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._pending]


def make_response(fault: Fault, options: Options) -> Response | None:
    """Return the wrong response, or None for `slow` (after a pause) and `drop_after`, which need the right response.

    An error of MailUp's has the dialect of the options.

    Raises:
        ConnectionDropped: the fault is `drop`.
    """
    if fault.kind == "drop":
        raise ConnectionDropped
    if fault.kind == "slow":
        time.sleep(fault.seconds)
        return None
    if fault.kind == "status":
        response = error_response(fault.status, f"Simulated error {fault.status}.", "Simulated", options)
        if fault.retry_after:
            response.headers["Retry-After"] = str(fault.retry_after)
        return response
    if fault.kind == "html":
        page = f"<!DOCTYPE html><html><body><h1>Server Error {fault.status}</h1></body></html>"
        return Response(page, fault.status, mimetype="text/html")
    if fault.kind == "empty":
        return Response("", fault.status)
    if fault.kind == "garbage":
        return Response("the quick brown fox", 200, mimetype="text/plain")
    if fault.kind == "half":
        return Response([b'{"access_token":"A1'], 200, mimetype="application/json", headers={"Content-Length": "300"})
    if fault.kind == "huge":
        return Response((b" " * 65536 for _ in range(1600)), 200, mimetype="application/json")
    if fault.kind == "drip":
        return Response(_drip(fault.seconds or 1.0), 200, mimetype="application/json")
    if fault.kind == "redirect":
        return Response("", fault.status, headers={"Location": fault.location})
    if fault.kind == "body":
        return Response(fault.body, fault.status, content_type=fault.content_type)
    return None


def _drip(pause: float) -> Iterator[bytes]:
    for _ in range(600):
        yield b" "
        time.sleep(pause)
