"""Which servers answer on this machine. Tests that need another one are skipped, with the reason.

With `REQUIRE_SERVERS` in the environment they fail instead. Settings import this module, so it imports no Django.
"""

from __future__ import annotations

import importlib.util
import os
import socket
from urllib.parse import urlsplit

DRIVERS = {"postgres": "psycopg", "mysql": "MySQLdb", "redis": "redis", "amqp": "amqp"}
PORTS = {"postgres": 5432, "mysql": 3306, "redis": 6379, "amqp": 5672}
REQUIRED = bool(os.environ.get("REQUIRE_SERVERS"))


def missing(url: str) -> str:
    """Return why the server of a URL can't be used; empty if it can, or if the URL needs no server."""
    parts = urlsplit(url)
    driver = DRIVERS.get(parts.scheme)
    if driver is None:
        return ""
    if importlib.util.find_spec(driver) is None:
        return f"{driver} is not installed"
    host, port = parts.hostname or "127.0.0.1", parts.port or PORTS[parts.scheme]
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError as error:
        return f"no {parts.scheme} server answers at {host}:{port}: {error}"
    return ""
