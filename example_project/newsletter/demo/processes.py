"""The demo's child processes, which end when this process does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
CHILD = Path(__file__).with_name("child.py")


class ChildFailed(Exception):
    """A child process ended early or did not start to listen in time; or no port is free."""


class Children:
    """The processes of one demo. The standard input of each is a pipe from this process; each ends when it closes."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = {**os.environ, **env, "PYTHONUNBUFFERED": "1"}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, *arguments: str) -> int:
        """Run a module or script to its end. Return its exit status."""
        child = self._start(*arguments, quiet=False)
        try:
            return child.wait()
        finally:
            self._end(child)

    def start(self, name: str, *arguments: str, log: Path) -> None:
        """Start a module or script that runs until `end`. Its output goes to a log."""
        with log.open("wb") as output:
            self._running[name] = self._start(*arguments, output=output)

    def _start(self, *arguments: str, quiet: bool = True, output: object = None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, str(CHILD), *arguments],
            cwd=PROJECT,
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=output if quiet else None,  # type: ignore[arg-type]
            stderr=subprocess.STDOUT if quiet else None,
            start_new_session=True,  # Ctrl-C reaches this process alone, which ends the others in order
        )

    def wait_for_port(self, name: str, host: str, port: int, *, seconds: float = 30) -> None:
        """Wait until a child listens on a port.

        Raises:
            ChildFailed: a child ended, or nothing listens after this many seconds.
        """
        give_up_at = time.monotonic() + seconds
        while time.monotonic() < give_up_at:
            self.check()
            try:
                socket.create_connection((host, port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise ChildFailed(f"{name} does not listen on {host}:{port} after {seconds:.0f} seconds")

    def check(self) -> None:
        """Raise ChildFailed if a started child has ended."""
        for name, child in self._running.items():
            status = child.poll()
            if status is not None:
                raise ChildFailed(f"{name} ended with status {status}")

    def end(self) -> None:
        """End all children, the last one started first."""
        while self._running:
            _, child = self._running.popitem()
            self._end(child)

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        if child.stdin is not None:
            child.stdin.close()
        try:
            child.wait(timeout=8)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def free_port(host: str, wanted: int) -> int:
    """Return the wanted port if it is free, else another. Raise ChildFailed if none is."""
    for port in (wanted, 0):
        try:
            with socket.create_server((host, port)) as server:
                return int(server.getsockname()[1])
        except OSError:
            continue
    raise ChildFailed(f"no port of {host} is free")
