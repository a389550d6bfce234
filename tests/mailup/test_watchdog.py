"""The deadline of API calls: whatever is slow, in one thread, after a fork, and under gevent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from django_mailup.exceptions import MailUpUnavailable
from django_mailup.mailup import AccessToken, Transport
from django_mailup.mailup.guard import Guard
from django_mailup.mailup.watchdog import Watchdog

from .raw_server import LONG, Server, answer, silence

NAME = "mailup-watchdog"


def trickle(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """Return a behaviour that sends a piece every 0.02 seconds until the client closes the connection."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(0.02)

    return behave


@contextmanager
def running(*behaviours: Callable[[socket.socket], None]) -> Iterator[Server]:
    server = Server(*behaviours)
    try:
        yield server
    finally:
        server.close()


def send(url: str, method: str = "GET", *, deadline: float = LONG, **options: Any) -> bytes:
    transport = Transport(timeout=(LONG, LONG), deadline=deadline)
    return transport.send(method, f"{url}/x", AccessToken("A1"), **options).content


def late(url: str, *, deadline: float = 0.3, **options: Any) -> MailUpUnavailable:
    """Return the error of a call that ends at its deadline."""
    started = time.monotonic()
    with pytest.raises(MailUpUnavailable, match="did not answer in time") as caught:
        send(url, deadline=deadline, **options)
    assert time.monotonic() - started >= deadline
    assert caught.value.reason == "timeout"
    return caught.value


def sent_but_late(server: Server, **options: Any) -> MailUpUnavailable:
    """Return the error of a call that was sent and ended at its deadline.

    On a busy machine a short deadline may pass before the call is sent. Then the next call has a longer one.
    """
    for deadline in (0.3, 3, LONG):
        error = late(server.url, deadline=deadline, **options)
        if error.may_have_arrived:
            break
    return error


SLOW = {
    "silence": silence,
    "body": trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b" "),
    "until closed": trickle(b"HTTP/1.1 200 OK\r\n\r\n1", b"1"),
    "chunks": trickle(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "size of a chunk": trickle(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "trailer": trickle(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
    "headers": trickle(b"HTTP/1.1 200 OK\r\n", b"X"),
    "status": trickle(b"HTTP/1.1 ", b"2"),
    "continue": trickle(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW)
def test_whatever_is_slow_ends_at_the_deadline(slow: Callable[[socket.socket], None], method: str) -> None:
    with running(slow) as server:
        assert sent_but_late(server, method=method).may_have_arrived
    assert len(server.arrived) == 1


def test_so_does_a_slow_handshake_before_anything_was_sent() -> None:
    def shake(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            try:
                trickle(b"\x16\x03\x03\x40\x00", b"\x00")(connection)  # the first bytes of a long record of TLS
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=shake, args=(server,))
        thread.start()
        error = late(f"https://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert not error.may_have_arrived


def test_so_does_a_slow_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(SLOW["headers"]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        error = late("https://mailup.example", deadline=1.0)
    assert proxy.arrived[0].startswith(b"CONNECT mailup.example:443 ")
    assert not error.may_have_arrived


def test_the_deadline_holds_on_a_connection_that_was_kept() -> None:
    with running(answer(200, b"1"), SLOW["body"]) as server:
        assert send(server.url) == b"1"
        sent_but_late(server)
        assert len(server._connections) == 1


def test_a_connection_that_was_shut_is_not_used_again() -> None:
    with running(SLOW["body"], answer(200, b"1")) as server:
        sent_but_late(server)
        assert send(server.url) == b"1"
        assert len(server._connections) == 2


def test_the_deadline_of_a_call_that_has_ended_shuts_no_connection() -> None:
    """The second call uses the connection of the first, past the first one's deadline."""

    past_it = threading.Event()

    def slowly(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n2")
        past_it.wait()
        connection.sendall(b"2")

    with running(answer(200, b"1"), slowly) as server:
        timer = threading.Timer(2.5, past_it.set)
        assert send(server.url, deadline=2) == b"1"
        timer.start()
        assert send(server.url) == b"22"
        assert len(server._connections) == 1


def test_a_timeout_of_the_call_that_is_longer_is_its_deadline() -> None:
    with running(SLOW["body"]) as server:
        started = time.monotonic()
        late(server.url, deadline=0.01, timeout=0.5)
        assert time.monotonic() - started > 0.4


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("kept", [False, True], ids=["new", "kept"])
def test_a_read_that_times_out_is_said_to_be_too_late(method: str, kept: bool) -> None:
    with running(*([answer(200, b"1")] if kept else []), silence) as server:
        if kept:
            send(server.url)
        with pytest.raises(MailUpUnavailable, match="did not answer in time") as caught:
            send(server.url, method, timeout=0.1)
    assert (caught.value.reason, caught.value.cause) == ("timeout", "ReadTimeout")


def test_one_thread_watches_all_calls_and_ends_with_the_last() -> None:
    watchdog, before = Watchdog(), _threads()
    guards = [Guard(seconds) for seconds in (LONG, 0.2, LONG, 0.1)]
    for guard in guards:
        watchdog.watch(guard)
    (thread,) = _threads() - before
    assert thread.daemon

    for guard in guards:
        guard.release()
    thread.join()
    watchdog.watch(patient := Guard(LONG))
    (thread,) = _threads() - before
    watchdog.watch(next_one := Guard(0.05))
    patient.release()
    thread.join()
    assert next_one.is_over


def _threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == NAME}


def test_calls_at_once_keep_to_their_own_deadlines() -> None:
    with ThreadPoolExecutor(13) as pool, running(SLOW["body"]) as server:
        patient = pool.submit(send, server.url)
        calls = [pool.submit(late, server.url, deadline=deadline) for deadline in [0.5, 0.8, 1.1] * 4]
        for call in calls:
            call.result()
        assert len(_threads()) == 1
        assert not patient.done()


def test_a_call_that_begins_later_may_end_earlier() -> None:
    with ThreadPoolExecutor(1) as pool, running(SLOW["body"]) as server:
        patient = pool.submit(send, server.url)
        while not server.arrived:
            time.sleep(0.01)
        late(server.url)
        assert not patient.done()
    assert isinstance(patient.exception(), MailUpUnavailable)  # the server has closed the connection


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # it has threads: that is what is tested
def test_a_child_process_has_a_watchdog_of_its_own() -> None:
    with running(SLOW["body"]) as server, ThreadPoolExecutor(1) as pool:
        of_parent = pool.submit(late, server.url, deadline=2.0)
        while not server.arrived:
            time.sleep(0.01)
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # the parent's limit of time isn't the child's
            try:
                late(server.url)
            except BaseException:
                os._exit(1)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert of_parent.result().reason == "timeout"


UNDER_GEVENT = """
from gevent import monkey; monkey.patch_all()
import sys, time, gevent
from django_mailup.exceptions import MailUpUnavailable
from django_mailup.mailup import AccessToken, Endpoints, OAuthClient, Password, Transport

def call(deadline):
    try:
        Transport(timeout=(3600, 3600), deadline=deadline).send("GET", sys.argv[1] + "/x", AccessToken("A1"))
    except MailUpUnavailable as error:
        return error.reason, time.monotonic() - started

def token(deadline):
    try:
        OAuthClient("id", "secret", endpoints=Endpoints(sys.argv[1]), deadline=deadline).exchange(Password("u", "p"))
    except MailUpUnavailable as error:
        return error.reason, time.monotonic() - started

started = time.monotonic()
patient = gevent.spawn(call, 3600)
jobs = [gevent.spawn(call, 0.3), gevent.spawn(call, 0.9), gevent.spawn(call, 0.3), gevent.spawn(token, 0.6)]
gevent.joinall(jobs)
print([job.value for job in jobs], patient.ready(), sep="\\n")
"""


def test_it_works_under_gevent() -> None:
    with running(SLOW["body"]) as server:
        done = subprocess.run(
            [sys.executable, "-c", UNDER_GEVENT, server.url], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    told, patient_ended = done.stdout.splitlines()
    found = eval(told)  # noqa: S307
    assert [reason for reason, _ in found] == ["timeout"] * 4
    for (_, taken), deadline in zip(found, (0.3, 0.9, 0.3, 0.6), strict=True):
        assert taken >= deadline
    assert patient_ended == "False"
