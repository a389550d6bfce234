"""The connections that a process keeps open for API calls: as many as its threads need, and none of another process."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from django_mailup.mailup import AccessToken, Transport

from .raw_server import LONG, Server, answer

OK = answer(200, b"1")


class Answers:
    """A behaviour of Server that holds requests until a number of them are there, and remembers who sent each."""

    def __init__(self, together: int) -> None:
        self.senders: list[int] = []
        self._all_there = threading.Barrier(together)

    def __call__(self, connection: socket.socket) -> None:
        self.senders.append(connection.getpeername()[1])
        self._all_there.wait()
        OK(connection)


@pytest.fixture
def serve() -> Any:
    servers: list[Server] = []

    def start(behaviour: Callable[[socket.socket], None]) -> Server:
        servers.append(Server(behaviour))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def call(transport: Transport, server: Server) -> None:
    assert transport.send("GET", f"{server.url}/x", AccessToken("A1")).text == "1"


def calls_at_once(count: int, transports: list[Transport], server: Server) -> None:
    """Make this number of calls, of which none is answered before all have been sent."""
    with ThreadPoolExecutor(count) as pool:
        for job in [pool.submit(call, transports[number % len(transports)], server) for number in range(count)]:
            job.result()


def test_the_pool_grows_to_what_threads_need(serve: Any, caplog: Any) -> None:
    answers = Answers(together=50)
    server = serve(answers)
    transports = [Transport(timeout=(LONG, LONG), deadline=LONG) for _ in range(2)]
    for _ in range(3):
        calls_at_once(50, transports, server)

    assert set(Counter(answers.senders).values()) == {3}
    assert caplog.records == []


def test_it_grows_to_its_size(serve: Any, caplog: Any) -> None:
    answers = Answers(together=5)
    server = serve(answers)
    transport = Transport(timeout=(LONG, LONG), deadline=LONG, pool_size=3)
    for _ in range(2):
        calls_at_once(5, [transport], server)

    assert sorted(Counter(answers.senders).values()) == [1, 1, 1, 1, 2, 2, 2]
    assert {record.name for record in caplog.records} == {"urllib3.connectionpool"}


def test_one_thread_uses_one_connection(serve: Any) -> None:
    answers = Answers(together=1)
    server = serve(answers)
    for _ in range(3):
        call(Transport(timeout=(LONG, LONG)), server)

    assert len(set(answers.senders)) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # it has threads: those of the server
def test_a_client_of_before_a_fork_uses_no_socket_of_the_parent(serve: Any) -> None:
    answers = Answers(together=1)
    server = serve(answers)
    transport = Transport(timeout=(LONG, LONG), deadline=LONG)
    call(transport, server)
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # the parent's limit of time isn't the child's
        try:
            call(transport, server)
            call(transport, server)
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    call(transport, server)

    of_parent, of_child = answers.senders[0], answers.senders[1]
    assert answers.senders == [of_parent, of_child, of_child, of_parent]
    assert of_parent != of_child
