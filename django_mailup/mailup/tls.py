"""TLS contexts: one for each CA bundle and client certificate, made once a process and never changed afterwards.

urllib3 makes a context for each connection, and parses all certificates of the bundle again: 30 ms of CPU. If it is
given a context instead, it loads into it whatever bundle a call names, which every other call would then trust too.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
from typing import Final, NamedTuple

from urllib3.util.ssl_ import create_urllib3_context


class Files(NamedTuple):
    """The paths of what a context is made from. Each may be None.

    Attributes:
        bundle: a file of CA certificates.
        folder: a folder of CA certificates, which OpenSSL finds by the hashes in their names.
        certificate: the client's certificate.
        key: the key of that certificate; None if it is in the same file.
    """

    bundle: str | None
    folder: str | None
    certificate: str | None
    key: str | None


class SharedContext:
    """A TLS context as urllib3 may use it: to wrap a socket. It has no method that loads certificates.

    Attributes:
        verify_mode, check_hostname, hostname_checks_common_name: those of the context. urllib3 sets the first for each
            connection; here that changes nothing of the context.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self.verify_mode = context.verify_mode
        self.check_hostname = context.check_hostname
        self.hostname_checks_common_name = context.hostname_checks_common_name

    def set_alpn_protocols(self, protocols: list[str]) -> None:
        """Do nothing: urllib3 names its protocols for each connection, and the context has them."""

    def wrap_socket(self, sock: socket.socket, server_hostname: str | None = None) -> ssl.SSLSocket:
        """Return the socket with TLS, after the handshake. Raise ssl.SSLError if the server isn't to be trusted."""
        return self._context.wrap_socket(sock, server_hostname=server_hostname)


Stamp = tuple[tuple[int, int, int, int] | None, ...]

_contexts: dict[Files, tuple[Stamp, SharedContext]] = {}
_lock = threading.Lock()


def shared_context(files: Files) -> SharedContext:
    """Return this process's context for these files, which requires and verifies a certificate of the server.

    It is made anew if one of the files was changed or replaced since then. Of a folder, that is adding and removing.

    Raises:
        OSError: a file can't be read.
        ssl.SSLError: a file isn't PEM, or holds a key that needs a password.
    """
    stamp = _stamp(files)  # before reading, so that a change meanwhile is noticed the next time
    made = _contexts.get(files)
    if made is None or made[0] != stamp:
        with _lock:
            made = _contexts.get(files)
            if made is None or made[0] != stamp:
                made = _contexts[files] = stamp, SharedContext(_make(files))
    return made[1]


def _stamp(files: Files) -> Stamp:
    """Return what differs once a file was changed, or another one took its place."""
    found = [None if path is None else os.stat(path) for path in files]
    return tuple(each and (each.st_dev, each.st_ino, each.st_size, each.st_mtime_ns) for each in found)


_PROTOCOLS: Final = ["http/1.1"]


def _make(files: Files) -> ssl.SSLContext:
    context = create_urllib3_context()
    context.load_verify_locations(files.bundle, files.folder)
    if files.certificate is not None:
        # A password, or OpenSSL would ask for that of an encrypted key in the terminal.
        context.load_cert_chain(files.certificate, files.key, password="")
    context.set_alpn_protocols(_PROTOCOLS)
    return context


def _forget() -> None:
    """Begin anew after a fork, where another thread of the parent may hold the lock."""
    global _contexts, _lock
    _contexts, _lock = {}, threading.Lock()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_forget)
