"""An audit passes only if its data was there: a local server stands for the source of vulnerabilities."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("audit.py")
Audit = Callable[[str], subprocess.CompletedProcess[str]]


class Source(BaseHTTPRequestHandler):
    """Answers as OSV does: `{}` for a package without known vulnerabilities."""

    url: str
    vulnerable: frozenset[str]
    status = 200

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = query["package"]["name"]
        affected = [{"package": {"name": name, "ecosystem": "PyPI"}}]
        found = {"vulns": [{"id": f"TEST-{name}", "summary": "a fault", "affected": affected}]}
        body = json.dumps(found if name in self.vulnerable else {}).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Write nothing."""


@pytest.fixture
def source() -> Iterator[type[Source]]:
    """The handler class of a server that runs during the test, at the URL `source.url`."""
    with HTTPServer(("127.0.0.1", 0), type("Handler", (Source,), {"vulnerable": frozenset({"jinja2"})})) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        server.RequestHandlerClass.url = f"http://127.0.0.1:{server.server_port}/"
        yield server.RequestHandlerClass
        server.shutdown()
        thread.join()


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """A function that audits two packages with the data of a URL."""
    packages = tmp_path / "packages.txt"
    packages.write_text("requests==2.31.0\nurllib3==2.0.2\n", encoding="utf-8")

    def run(url: str) -> subprocess.CompletedProcess[str]:
        # -P: the script's folder, whose `typing` would hide Python's own, stays off the path.
        command = [sys.executable, "-P", str(SCRIPT), str(packages), "--osv-url", url]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


def test_it_passes_if_each_package_was_looked_up(audit: Audit, source: type[Source]) -> None:
    ended = audit(source.url)

    assert (ended.returncode, ended.stdout) == (0, "2 packages were audited; none has a known vulnerability.\n")


def test_it_names_what_is_vulnerable(audit: Audit, source: type[Source]) -> None:
    source.vulnerable |= {"urllib3"}
    ended = audit(source.url)

    assert (ended.returncode, ended.stderr) == (1, "urllib3: TEST-urllib3\n")


def test_a_source_that_knows_nothing_is_no_clean_audit(audit: Audit, source: type[Source]) -> None:
    source.vulnerable = frozenset()
    ended = audit(source.url)

    assert ended.returncode == 1
    assert ended.stderr.startswith("NOT AUDITED: the vulnerability data knows nothing")


def test_a_source_that_fails_is_no_clean_audit(audit: Audit, source: type[Source]) -> None:
    source.status = 503
    ended = audit(source.url)

    assert ended.returncode == 1
    assert ended.stderr.startswith("NOT AUDITED: could not reach the vulnerability data")


def test_a_source_that_is_out_of_reach_is_no_clean_audit(audit: Audit) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    ended = audit(f"http://127.0.0.1:{port}/")

    assert ended.returncode == 1
    assert ended.stderr.startswith("NOT AUDITED: could not reach the vulnerability data")
    assert not ended.stdout
