"""Ways to send a hostile request, and what came of it: through Django's handler, or over a socket."""

from __future__ import annotations

import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
from django.core.signals import got_request_exception
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import Client

import django_mailup

from .hostile_requests import HostileRequest

PACKAGE: Final = Path(django_mailup.__file__).parent
SANDBOX: Final = PACKAGE / "sandbox"


@dataclass(frozen=True)
class Fault:
    """An exception that nobody caught: what it was, where it was raised, and whether a frame of ours was on the way."""

    ours: bool
    text: str


@dataclass
class Faults:
    """Collects the exceptions behind answers of 500."""

    found: list[Fault] = field(default_factory=list)

    def note(self, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        files = [Path(frame.filename) for frame in frames]
        ours = any(PACKAGE in file.parents and SANDBOX not in file.parents for file in files)
        last = frames[-1]
        self.found.append(
            Fault(ours, f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno} {last.name}")
        )

    def take(self) -> list[Fault]:
        """Return what was collected since the last time."""
        found, self.found = self.found, []
        return found


@contextmanager
def watching_for_faults() -> Iterator[Faults]:
    """Collect every exception that becomes an answer of 500 during the block, in all threads."""
    faults = Faults()

    def receive(**kwargs: Any) -> None:
        error = sys.exc_info()[1]
        assert error is not None
        faults.note(error)

    got_request_exception.connect(receive)
    try:
        yield faults
    finally:
        got_request_exception.disconnect(receive)


@dataclass(frozen=True)
class Reply:
    """Status and Location of an answer; status 0 if there was none."""

    status: int
    location: str


class InProcess:
    """Sends through Django's handler, with all middlewares but without the check of CSRF."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.client = Client(raise_request_exception=False)

    def send(self, request: HostileRequest) -> Reply:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
            "QUERY_STRING": request.query.decode("latin-1"),
            "wsgi.input": BytesIO(request.body),
            "HTTP_COOKIE": "",
        }
        for name, value in request.headers:
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value.decode("latin-1")
        try:
            response = self.client.request(**environ)
        except Exception as error:  # outside of Django's handler, which catches its own
            self.faults.note(error)
            return Reply(500, "")
        return Reply(response.status_code, response.get("Location", ""))


class OnSocket:
    """Writes requests as bytes on a socket, to Django's development server in a thread of this process."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address

    def send(self, request: HostileRequest) -> Reply:
        return self.send_bytes(request.on_the_wire())

    def send_bytes(self, content: bytes) -> Reply:
        received = b""
        with socket.create_connection(self.address, timeout=60) as connection:
            try:
                connection.sendall(content)
                with suppress(OSError):  # it has answered, and closed the connection already
                    connection.shutdown(socket.SHUT_WR)
                while chunk := connection.recv(65536):
                    received += chunk
            except ConnectionError:  # the server may close a connection before it has read everything
                pass
        head = received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        status = head[0].split(" ")[1] if head[0].startswith("HTTP/") else "0"
        locations = [line.partition(":")[2].strip() for line in head if line.lower().startswith("location:")]
        return Reply(int(status), "".join(locations[:1]))


@contextmanager
def on_socket(faults: Faults) -> Iterator[OnSocket]:
    """Run a server during the block. It answers one request at a time: with an answer its rows are final."""

    application = get_wsgi_application()

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        try:
            return application(environ, start_response)
        except Exception as error:
            faults.note(error)
            raise

    class Handler(WSGIRequestHandler):
        def log_message(self, *args: Any) -> None:
            """Write nothing."""

        def get_stderr(self) -> Any:
            return StringIO()

    class Server(WSGIServer):
        def handle_error(self, *args: Any) -> None:
            error = sys.exc_info()[1]
            if error is not None and not isinstance(error, ConnectionError):
                faults.note(error)

    def serve() -> None:
        server.serve_forever(poll_interval=0.05)
        connections.close_all()

    server = Server(("127.0.0.1", 0), Handler, ipv6=False)
    server.set_app(watched)
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield OnSocket(server.server_address[:2])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
