"""The token call in its thread: its deadline, and the errors of calls that fail."""

from __future__ import annotations

import socket
import threading
import traceback
from concurrent.futures import wait
from typing import Any

import pytest

from django_mailup.exceptions import ClientRejected, MailUpError, MailUpUnavailable, RateLimited, UnexpectedResponse
from django_mailup.mailup import Endpoints, OAuthClient
from django_mailup.mailup.deadline import PendingCall
from django_mailup.mailup.guard import Guard
from django_mailup.sandbox import Sandbox

from .raw_server import LONG
from .token_calls import PASSWORD, TOKEN, with_error


@pytest.mark.parametrize("kind", ["drop", "drop_after", "half"])
def test_broken_answers_on_a_socket(sandbox: Sandbox, on_socket: Any, kind: str) -> None:
    sandbox.fail_with(kind, path=TOKEN)
    error = with_error(on_socket(), PASSWORD)

    assert isinstance(error, MailUpUnavailable)
    assert error.may_have_arrived


@pytest.mark.parametrize("fault", [{"kind": "slow", "seconds": 5.0}, {"kind": "drip", "seconds": 0.05}])
def test_the_deadline_is_for_the_whole_call(sandbox: Sandbox, on_socket: Any, fault: Any) -> None:
    """Without it these calls would succeed."""
    sandbox.fail_with(path=TOKEN, **fault)
    error = with_error(on_socket(deadline=1.0), PASSWORD)

    assert isinstance(error, MailUpUnavailable)
    assert error.may_have_arrived


def test_trickled_headers_meet_the_deadline_too() -> None:
    over = threading.Event()

    def trickle(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not over.wait(0.05):
                    connection.sendall(b"X-More: of the same\r\n")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        client = OAuthClient(
            "id", "secret", endpoints=Endpoints(f"http://127.0.0.1:{server.getsockname()[1]}"), deadline=0.5
        )
        error = with_error(client, PASSWORD)
        over.set()
        thread.join()

    assert isinstance(error, MailUpUnavailable)


def test_a_refused_connection_surely_did_not_arrive() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = with_error(OAuthClient("id", "secret", endpoints=Endpoints(f"http://127.0.0.1:{port}")), PASSWORD)

    assert isinstance(error, MailUpUnavailable)
    assert not error.may_have_arrived


@pytest.mark.parametrize(
    ("fault", "spent"),
    [
        ({"kind": "drop"}, True),
        ({"kind": "half"}, True),
        ({"kind": "huge"}, True),
        ({"kind": "garbage"}, True),
        ({"kind": "html", "status": 503}, True),
        ({"kind": "status", "status": 408}, True),
        ({"kind": "status", "status": 429}, False),
        ({"kind": "html", "status": 400}, False),
        ({"kind": "redirect", "status": 302, "location": "/"}, False),
        ({"kind": "slow", "seconds": 5.0}, True),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_failure_says_whether_the_grant_may_be_spent(
    sandbox: Sandbox, on_socket: Any, fault: dict[str, Any], spent: bool
) -> None:
    sandbox.fail_with(path=TOKEN, **fault)
    error = with_error(on_socket(deadline=1.0 if fault["kind"] == "slow" else LONG), PASSWORD)

    assert isinstance(error, (MailUpUnavailable, UnexpectedResponse))
    assert error.grant_may_be_spent is spent


@pytest.mark.parametrize(("status", "spent"), [(0, True), (200, True), (302, False), (404, False)])
def test_so_does_an_answer_that_is_not_understood(status: int, spent: bool) -> None:
    """Status 0 is an answer that no library could read: MailUp may have sent a pair in it."""

    def call() -> None:
        raise UnexpectedResponse(reason="token_unreadable", status=status)

    with pytest.raises(UnexpectedResponse) as caught:
        PendingCall.start(Guard(LONG), call).result()
    assert caught.value.grant_may_be_spent is spent


def test_a_grant_that_was_not_sent_is_not_spent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    for deadline in (LONG, -1.0):  # a refused connection; a deadline that has already passed
        error = with_error(OAuthClient("id", "secret", endpoints=Endpoints(url), deadline=deadline), PASSWORD)

        assert isinstance(error, MailUpUnavailable)
        assert not error.grant_may_be_spent


@pytest.mark.parametrize(
    "error",
    [RateLimited(retry_after=60), UnexpectedResponse(reason="redirect", status=302), ClientRejected()],
    ids=repr,
)
def test_an_answer_that_came_in_time_is_told_although_it_is_asked_for_later(error: MailUpError) -> None:
    def call() -> None:
        raise error

    guard = Guard(0)
    guard.sent = True
    pending = PendingCall.start(guard, call)
    wait([pending.ended], 5)

    with pytest.raises(type(error)) as caught:
        pending.result()
    assert caught.value is error
    assert not getattr(error, "grant_may_be_spent", False)


def test_an_answer_that_was_cut_off_is_too_late() -> None:
    shut = threading.Event()

    def call() -> None:
        shut.wait(5)
        raise UnexpectedResponse(reason="token_form", status=200)

    class Watched(Guard):
        def end(self) -> None:
            super().end()
            shut.set()

    with pytest.raises(MailUpUnavailable, match="in time"):
        PendingCall.start(Watched(0.05), call).result()


def test_making_a_call_does_nothing_until_it_is_started() -> None:
    asked: list[str] = []
    call = PendingCall(Guard(LONG), lambda: asked.append("constructor"))

    assert not call.ended.done()
    assert PendingCall.start(Guard(LONG), lambda: asked.append("start") or 7).result() == 7
    assert asked == ["start"]
    assert not call.ended.done()


def test_calls_at_once_keep_to_their_own_deadlines(sandbox: Sandbox, on_socket: Any) -> None:
    """Each call has a guard of its own, which is passed to it and not kept per thread."""
    sandbox.fail_with("slow", seconds=3.0, path=TOKEN, times=2)
    patient, hasty = on_socket(deadline=LONG).begin(PASSWORD), on_socket(deadline=0.3).begin(PASSWORD)

    with pytest.raises(MailUpUnavailable):
        hasty.result()
    assert patient.result().access_token


def test_a_call_may_have_less_time_than_its_client(sandbox: Sandbox, on_socket: Any) -> None:
    sandbox.fail_with("slow", seconds=3.0, path=TOKEN)

    with pytest.raises(MailUpUnavailable):
        on_socket(deadline=LONG).exchange(PASSWORD, deadline=0.3)


def test_a_fault_in_the_thread_of_a_call_says_nothing_of_it() -> None:
    def call() -> None:
        code = "planted"
        try:
            int(code[:0])
        except ValueError:
            raise KeyError  # noqa: B904 - a bug of ours: neither the error nor its context was converted

    with pytest.raises(KeyError) as caught:
        PendingCall.start(Guard(LONG), call).result()

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][1:]
    assert "planted" not in repr([frame.f_locals for frame in frames])
