"""Guard: the deadline of a call, and its socket."""

from __future__ import annotations

import socket
import threading

import pytest
import requests
from urllib3.exceptions import ReadTimeoutError

from django_mailup.mailup.guard import Guard, current


def test_after_its_end_a_guard_lets_nothing_be_sent() -> None:
    guard = Guard(5)
    guard.watch(None)
    guard.end()

    with pytest.raises(TimeoutError):
        guard.watch(None)


def test_after_the_deadline_nothing_is_sent_either() -> None:
    with pytest.raises(TimeoutError):
        Guard(-1).watch(None)


def test_the_end_wakes_up_who_reads() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        guard = Guard(5)
        guard.watch(ours)
        threading.Timer(0.05, guard.end).start()

        assert ours.recv(1) == b""
    assert not guard.release()


def test_a_socket_that_was_let_go_is_not_shut() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        guard = Guard(5)
        guard.watch(ours)
        assert guard.release()
        guard.end()
        theirs.sendall(b"x")

        assert ours.recv(1) == b"x"
        assert not guard.is_over


def test_a_guard_belongs_to_its_context_and_its_thread() -> None:
    found: list[object] = []

    def look() -> None:
        try:
            found.append(current())
        except LookupError:
            found.append(None)

    with Guard(5) as outer:
        with Guard(5) as inner:
            assert current() is inner
        assert current() is outer
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    look()

    assert found == [None, None]
    assert outer.is_done


@pytest.mark.parametrize(
    ("error", "seconds", "reason"),
    [
        (requests.ReadTimeout(), 5, "timeout"),
        (ReadTimeoutError(None, "", ""), 5, "timeout"),  # type: ignore[arg-type]
        (TimeoutError(), 5, "timeout"),
        (requests.ConnectionError(), 5, "connection"),
        (requests.ConnectionError(), -1, "timeout"),
    ],
)
def test_an_error_says_whether_it_was_time(error: Exception, seconds: float, reason: str) -> None:
    guard = Guard(seconds)
    assert (guard.unavailable(error).reason, guard.unavailable(error).may_have_arrived) == (reason, False)
    guard.sent = True
    assert guard.unavailable(error).may_have_arrived
