"""The sandbox on a real socket, in a thread of this process or for ever."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from .app import Sandbox


class _Handler(WSGIRequestHandler):
    """Says nothing of single requests: their lines would hold codes and states."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def log_error(self, format: str, *args: Any) -> None:
        pass

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        pass


def bind(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> BaseWSGIServer:
    """Return a server that listens and has a thread for every connection. Port 0: any free one.

    Raises:
        OSError: the port is taken. (The library would print and exit, so the socket is made here.)
    """
    with socket.create_server((host, port), backlog=1024) as listening:
        return make_server(host, port, sandbox, threaded=True, request_handler=_Handler, fd=listening.fileno())


@contextmanager
def serving(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve while the block runs; yields the base URL."""
    server = bind(sandbox, host, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.socket.getsockname()[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
