"""Faults on demand: what the next answers are to be instead of right ones. Knows werkzeug, and nothing of MailUp."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from werkzeug.wrappers import Request, Response

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
    """One fault, for the next `times` requests whose path contains `path` (-1: until cleared).

    Kinds: `status` (MailUp's error shape with that status, and a Retry-After of so many seconds if `retry_after` is
    given), `html` (an IIS page), `empty`, `garbage` (200 with text),
    `half` (a body shorter than promised), `huge` (100 MB), `drop` (the connection is closed before the request is
    acted on), `drop_after` (after), `slow` (waits `seconds`, then acts), `drip` (a byte a second), `redirect` (to
    `location`), `body` (this body with this status and content type).
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


class Dropped(Exception):
    """The connection is to be closed without an answer."""


class Faults:
    """The faults that wait for a request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, request: Request) -> Fault | None:
        """Return the first fault that is meant for this request, and count it."""
        with self._lock:
            for fault in self._waiting:
                if fault.path.casefold() in request.path.casefold():
                    if fault.times > 0:
                        fault.times -= 1
                        if fault.times == 0:
                            self._waiting.remove(fault)
                    return fault
            return None

    def summary(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting]


def answer(fault: Fault) -> Response | None:
    """Return the wrong answer, or None when the right one is still to be made. Raises Dropped."""
    if fault.kind == "drop":
        raise Dropped
    if fault.kind == "slow":
        time.sleep(fault.seconds)
        return None
    if fault.kind == "status":
        response = error_answer(fault.status, f"Simulated error {fault.status}.", "Simulated")
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


def error_answer(status: int, description: str, name: str | None) -> Response:
    """MailUp's four-field error: ErrorCode is a string, ErrorName may be null."""
    body = {"ErrorCode": str(status), "ErrorDescription": description, "ErrorName": name, "ErrorStack": None}
    return Response(json.dumps(body), status, mimetype="application/json")


def _drip(pause: float) -> Iterator[bytes]:
    for _ in range(600):
        yield b" "
        time.sleep(pause)
