"""Child processes that live and die with this one."""

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
    """A child process ended although it was to go on, or never got ready."""


class Children:
    """The processes of one demo. Each has a pipe to this process as its standard input, and ends when that closes."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = {**os.environ, **env, "PYTHONUNBUFFERED": "1"}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, *arguments: str) -> int:
        """Run one to its end and return its exit status."""
        child = self._start(*arguments, quiet=False)
        try:
            return child.wait()
        finally:
            self._end(child)

    def start(self, name: str, *arguments: str, log: Path) -> None:
        """Start one that goes on. What it prints goes to a log."""
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
            start_new_session=True,  # Ctrl-C is for this process, which then ends its children in order
        )

    def wait_for_port(self, name: str, host: str, port: int, *, seconds: float = 30) -> None:
        """Wait until a child listens.

        Raises:
            ChildFailed: it ended, or it took too long.
        """
        give_up_at = time.monotonic() + seconds
        while time.monotonic() < give_up_at:
            self.check()
            try:
                socket.create_connection((host, port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise ChildFailed(f"{name} did not get ready on {host}:{port}")

    def check(self) -> None:
        """Raise ChildFailed when a child has ended."""
        for name, child in self._running.items():
            status = child.poll()
            if status is not None:
                raise ChildFailed(f"{name} ended with status {status}")

    def end(self) -> None:
        """End all, the last one started first."""
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
    """Return the wanted port if it is free, else another one."""
    for port in (wanted, 0):
        try:
            with socket.create_server((host, port)) as server:
                return int(server.getsockname()[1])
        except OSError:
            continue
    raise ChildFailed(f"no port of {host} is free")
