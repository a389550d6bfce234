"""PendingCall: a token call in a thread of its own, with one deadline for everything, name resolution included."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Final, Generic, TypeVar

from ..exceptions import MailUpError, MailUpUnavailable, UnexpectedResponse
from .guard import Guard

T = TypeVar("T")

_AFTER_SHUTDOWN: Final = (MailUpUnavailable, UnexpectedResponse)
"""What a call may raise because its socket was shut down."""


class PendingCall(Generic[T]):
    """A token call in its own thread. `start` starts it; it ends at its guard's deadline at the latest.

    Name resolution can't be interrupted. If it is under way at the deadline, the thread goes on, but sends nothing.

    Attributes:
        ended: a future that is done when the call has ended, to wait for several calls at once. Use `result` to get
            the call's result.
    """

    def __init__(self, guard: Guard, call: Callable[[], T]) -> None:
        self._guard, self._call = guard, call
        self.ended: Future[T] = Future()

    @classmethod
    def start(cls, guard: Guard, call: Callable[[], T]) -> PendingCall[T]:
        """Start a thread that makes a call, and return the pending call at once.

        Args:
            guard: the call's deadline.
            call: a function that makes the call with that guard, and returns its result.
        """
        pending = cls(guard, call)
        threading.Thread(target=pending._run, name="mailup-token-call", daemon=True).start()
        return pending

    def _run(self) -> None:
        try:
            self.ended.set_result(self._call())
        except BaseException as error:  # `result` raises it in the caller's thread
            self.ended.set_exception(error)

    def seconds_left(self) -> float:
        """Return the seconds until the deadline, 0 after it. `result` waits at most 0.2 s longer."""
        return max(self._guard.left(), 0.0)

    def result(self) -> T:
        """Wait for the end of the call and return its result, or raise its exception.

        Raises:
            MailUpUnavailable: the deadline passed, or the call raised it. `grant_may_be_spent` says whether MailUp may
                have used up the grant.
            UnexpectedResponse: the call raised it. `grant_may_be_spent` as above.
            MailUpError: the call raised it.
        """
        wait([self.ended], self.seconds_left())
        if not self.ended.done():
            self._guard.end()
            wait([self.ended], 0.2)  # the thread wakes up at once, and may have an answer that has just come
        has_ended = self.ended.done()
        failure = self.ended.exception() if has_ended else None
        if has_ended and failure is None:
            return self.ended.result()
        # Shutting the socket down can make the call raise an outage or an unexpected answer, but never a refusal.
        was_shut = self._guard.is_over and isinstance(failure, _AFTER_SHUTDOWN)
        is_answer = isinstance(failure, MailUpError) and not was_shut
        if failure is None or not (is_answer or self._guard.left() > 0):
            failure = MailUpUnavailable(reason="timeout", may_have_arrived=self._guard.sent)
        if isinstance(failure, UnexpectedResponse):
            failure.grant_may_be_spent = failure.status in (0, 200)  # 0: the answer could not be read
        elif isinstance(failure, MailUpUnavailable):
            failure.grant_may_be_spent = failure.may_have_arrived
        # Remove the tracebacks of that thread: their local variables hold codes, passwords and tokens.
        failure.__cause__ = failure.__context__ = None
        raise failure.with_traceback(None)
