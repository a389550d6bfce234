"""TLS contexts, shared by the calls of a process: which server is trusted, by whom, and what a call costs."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from django_mailup.exceptions import MailUpUnavailable
from django_mailup.mailup.guard import Guard
from django_mailup.mailup.guarded import GuardedAdapter
from django_mailup.mailup.tls import Files, shared_context
from tests.certificates import Authority, server_context

from .both_endpoints import ENDPOINTS, call
from .raw_server import LONG, Server, answer

PAIR = json.dumps({"access_token": "A1", "refresh_token": "R1", "expires_in": 900}).encode()
ANSWER = answer(200, PAIR, b"Connection: close")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture(autouse=True)
def _trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    trust(monkeypatch, authority.bundle)


def trust(monkeypatch: pytest.MonkeyPatch, bundle: Path) -> None:
    """Let all calls trust the certificates of a file or a folder, by requests' own environment variable."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))


@contextmanager
def serving(certificate: Path, *, clients_of: Authority | None = None) -> Iterator[Server]:
    server = Server(ANSWER, tls=server_context(certificate, clients_of=clients_of))
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    with serving(authority.issue()) as running:
        yield running


def refused(endpoint: str, url: str) -> None:
    """Check that a call isn't made, because TLS fails."""
    with pytest.raises(MailUpUnavailable) as caught:
        call(endpoint, url)
    assert caught.value.details()["cause"] == "SSLError"
    assert not caught.value.may_have_arrived


def get(url: str, *, adapter: GuardedAdapter | None = None, **options: Any) -> str:
    """Make a request with options of requests that the package itself doesn't set."""
    with requests.Session() as session, Guard(LONG):
        session.trust_env = False
        session.mount("https://", adapter or GuardedAdapter())
        return session.get(url, timeout=LONG, **options).text


@contextmanager
def counting(name: str) -> Iterator[list[str]]:
    """Collect the calls of a function written in C, by its name, in this thread and those that it starts."""
    found: list[str] = []

    def watch(frame: Any, event: str, called: Any) -> None:
        if event == "c_call" and called.__name__ == name:
            found.append(name)

    before = sys.getprofile(), threading.getprofile()
    threading.setprofile(watch)
    sys.setprofile(watch)
    try:
        yield found
    finally:
        sys.setprofile(before[0])
        threading.setprofile(before[1])  # type: ignore[arg-type]


def files(bundle: Path) -> Files:
    return Files(str(bundle), None, None, None)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_hundred_calls_load_the_bundle_once_and_each_has_a_connection_of_its_own(
    endpoint: str, server: Server
) -> None:
    with counting("load_verify_locations") as loaded:
        answers = {call(endpoint, server.url) for _ in range(100)}

    assert answers == {"A1"}
    assert len(loaded) == 1
    assert len(server.arrived) == 100


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_only_the_bundle_of_a_call_says_which_server_it_trusts(
    endpoint: str, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = Authority(tmp_path, "another")
    with ExitStack() as stack:
        for own, other in ((authority, another), (another, authority), (authority, another)):
            # Servers that no call has reached yet: requests 2.31 keeps one pool for all bundles of a host.
            trusted, stranger = (stack.enter_context(serving(each.issue())) for each in (own, other))
            trust(monkeypatch, own.bundle)
            assert call(endpoint, trusted.url) == "A1"
            refused(endpoint, stranger.url)
            assert len(trusted.arrived) == 1
            assert stranger.arrived == []


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_changed_bundle_is_noticed(
    endpoint: str, authority: Authority, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = Authority(tmp_path, "another")
    bundle = tmp_path / "bundle.pem"
    trust(monkeypatch, bundle)
    shutil.copy2(authority.bundle, bundle)
    assert call(endpoint, server.url) == "A1"

    bundle.write_bytes(another.bundle.read_bytes())
    refused(endpoint, server.url)

    shutil.copy2(authority.bundle, tmp_path / "new.pem")
    (tmp_path / "new.pem").replace(bundle)
    assert call(endpoint, server.url) == "A1"


def test_a_bundle_that_takes_the_place_of_one_as_old_and_as_long_is_noticed(
    authority: Authority, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    shutil.copy2(authority.bundle, bundle)
    before = shared_context(files(bundle))
    assert shared_context(files(bundle)) is before

    shutil.copy2(authority.bundle, tmp_path / "new.pem")
    (tmp_path / "new.pem").replace(bundle)
    assert shared_context(files(bundle)) is not before


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_folder_of_certificates_is_trusted_and_a_certificate_that_was_removed_is_not(
    endpoint: str, authority: Authority, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    trust(monkeypatch, folder)
    refused(endpoint, server.url)

    shutil.copy(authority.bundle, folder / authority.name_in_folder)
    assert call(endpoint, server.url) == "A1"

    (folder / authority.name_in_folder).unlink()
    refused(endpoint, server.url)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_certificate_that_has_expired_or_is_for_another_host_is_refused(endpoint: str, authority: Authority) -> None:
    for certificate in (
        authority.issue(ends_in=timedelta(hours=-1)),
        authority.issue("127.0.0.2"),
        authority.issue("mailup.example"),
    ):
        with serving(certificate) as server:
            refused(endpoint, server.url)
        assert server.arrived == []


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_host_is_checked_by_the_name_it_was_called_by(endpoint: str, authority: Authority) -> None:
    with serving(authority.issue("localhost")) as server:
        assert call(endpoint, server.url.replace("127.0.0.1", "localhost")) == "A1"
        refused(endpoint, server.url)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_without_the_environment_variable_only_the_bundle_of_requests_is_trusted(
    endpoint: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    refused(endpoint, server.url)
    refused(endpoint, server.url)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_bundle_without_certificates_refuses_every_server(
    endpoint: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("no certificate")
    trust(monkeypatch, bundle)
    refused(endpoint, server.url)


def test_who_does_not_verify_changes_nothing_for_others(tmp_path: Path, authority: Authority) -> None:
    unknown = Authority(tmp_path, "unknown")
    adapter = GuardedAdapter()
    with serving(unknown.issue("mailup.example")) as server:
        with pytest.warns(match="Unverified"):
            assert "A1" in get(server.url, adapter=adapter, verify=False)
        for verify in (str(authority.bundle), str(unknown.bundle)):
            with pytest.raises(requests.exceptions.SSLError):
                get(server.url, adapter=adapter, verify=verify)
    assert len(server.arrived) == 1


def test_only_the_call_with_a_client_certificate_sends_it(authority: Authority, tmp_path: Path) -> None:
    certificate = authority.issue("client")
    key = tmp_path / "key.pem"
    shutil.copy(certificate, key)
    bundle = str(authority.bundle)
    with serving(authority.issue(), clients_of=authority) as server:
        for given in (str(certificate), (str(certificate), str(key))):
            with counting("load_cert_chain") as loaded:
                assert all("A1" in get(server.url, verify=bundle, cert=given) for _ in range(3))
            assert len(loaded) == 1
            with pytest.raises(requests.ConnectionError):
                get(server.url, verify=bundle)
    assert len(server.arrived) == 6


def test_a_new_client_certificate_is_noticed(authority: Authority, tmp_path: Path) -> None:
    certificate = tmp_path / "client.pem"
    shutil.copy(Authority(tmp_path, "another").issue("client"), certificate)
    with serving(authority.issue(), clients_of=authority) as server:
        with pytest.raises(requests.ConnectionError):
            get(server.url, verify=str(authority.bundle), cert=str(certificate))
        authority.issue("client").replace(certificate)
        assert "A1" in get(server.url, verify=str(authority.bundle), cert=str(certificate))


def test_a_key_that_needs_a_password_is_refused_and_not_asked_for(authority: Authority, server: Server) -> None:
    certificate = str(authority.issue("client", password=b"secret"))
    for given in (certificate, (certificate, certificate)):
        with pytest.raises(requests.ConnectionError):
            get(server.url, verify=str(authority.bundle), cert=given)
    assert server.arrived == []


def tunnel_to(url: str) -> Callable[[socket.socket], None]:
    """Return the behaviour of a proxy that leads every tunnel to one server."""
    port = int(url.rpartition(":")[2])

    def behave(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as target:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                for ready in select.select([connection, target], [], [])[0]:
                    piece = ready.recv(65536)
                    if not piece:
                        return
                    (target if ready is connection else connection).sendall(piece)

    return behave


@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "tls"])
def test_the_server_behind_a_proxy_is_verified_by_its_own_name(
    over_tls: bool, authority: Authority, tmp_path: Path
) -> None:
    unknown = Authority(tmp_path, "unknown")
    bundle = str(authority.bundle)
    with (
        serving(authority.issue("mailup.example")) as target,
        serving(unknown.issue("mailup.example")) as impostor,
    ):
        proxy_context = server_context(authority.issue()) if over_tls else None
        proxy = Server(tunnel_to(target.url), tunnel_to(target.url), tunnel_to(impostor.url), tls=proxy_context)
        try:
            proxies = {"https": proxy.url}
            assert "A1" in get("https://mailup.example/", verify=bundle, proxies=proxies)
            for host in ("other.example", "mailup.example"):
                with pytest.raises(requests.exceptions.SSLError):
                    get(f"https://{host}/", verify=bundle, proxies=proxies)
        finally:
            proxy.close()
    assert len(target.arrived) == 1
    assert impostor.arrived == []


def test_a_proxy_over_tls_is_verified(authority: Authority, tmp_path: Path, server: Server) -> None:
    proxy = Server(tunnel_to(server.url), tls=server_context(Authority(tmp_path, "unknown").issue()))
    try:
        with pytest.raises(requests.ConnectionError):
            get(server.url, verify=str(authority.bundle), proxies={"https": proxy.url})
    finally:
        proxy.close()
    assert proxy.arrived == server.arrived == []


def test_what_urllib3_sets_on_the_context_changes_nothing_of_it(authority: Authority, tmp_path: Path) -> None:
    unknown = Authority(tmp_path, "unknown")
    shared = shared_context(files(authority.bundle))
    shared.verify_mode, shared.check_hostname = ssl.CERT_NONE, False
    shared.set_alpn_protocols(["h2"])
    assert not hasattr(shared, "load_verify_locations")
    assert not hasattr(shared, "load_cert_chain")
    for certificate in (authority.issue("mailup.example"), unknown.issue()):
        with serving(certificate) as server:
            refused("api", server.url)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # it has threads
def test_a_forked_process_makes_contexts_of_its_own(authority: Authority, server: Server) -> None:
    before = shared_context(files(authority.bundle))
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # the parent's limit of time isn't the child's
        try:
            made = shared_context(files(authority.bundle))
            os._exit(0 if made is not before and call("token", server.url) == "A1" else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert shared_context(files(authority.bundle)) is before


def test_threads_that_begin_together_make_one_context(authority: Authority) -> None:
    barrier = threading.Barrier(20)
    found: list[object] = []

    def ask() -> None:
        barrier.wait()
        found.append(shared_context(files(authority.bundle)))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    with counting("load_verify_locations") as loaded:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(loaded) == len(set(map(id, found))) == 1
