"""Serves a sandbox on a socket, while a block runs or until the process ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from .app import Sandbox


class _Handler(WSGIRequestHandler):
    """Logs no requests, because their paths contain authorization codes and OAuth states."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def log_error(self, format: str, *args: Any) -> None:
        pass

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        pass


def bind(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> BaseWSGIServer:
    """Return a server that listens and answers every connection in its own thread. Port 0 is any free port.

    It makes the socket itself, because werkzeug would print a message and exit if the port were taken.

    Raises:
        OSError: the port is taken.
    """
    with socket.create_server((host, port), backlog=1024) as listening:
        return make_server(host, port, sandbox, threaded=True, request_handler=_Handler, fd=listening.fileno())


@contextmanager
def serving(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve the sandbox while the block runs, in a thread. Yield its base URL. Raise OSError if the port is taken."""
    server = bind(sandbox, host, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.socket.getsockname()[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
