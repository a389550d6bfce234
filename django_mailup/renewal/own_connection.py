"""Run a callable in a worker thread on its own autocommit connection.

So a caller's rollback or interruption can't discard new tokens.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from django.db import connections

from ..exceptions import TransactionOpen

T = TypeVar("T")


class Caller(Enum):
    """Whether the caller of `run` has a transaction open, which may hold the locks that the callable wants."""

    IN_TRANSACTION = "in transaction"
    IN_AUTOCOMMIT = "in autocommit"


def inside_test_case(using: str) -> bool:
    """Return whether the outermost transaction is a TestCase's: no other connection can see its rows."""
    connection = connections[using]
    return connection.in_atomic_block and bool(getattr(connection.atomic_blocks[0], "_from_testcase", False))


def inside_transaction(using: str) -> bool:
    """Return whether a rollback of the caller's could undo what is written now."""
    connection = connections[using]
    if connection.in_atomic_block:
        return not inside_test_case(using)
    return not connection.get_autocommit()


class _ThisThread(threading.local):
    has_own_connection = False


_this_thread = _ThisThread()


def run(using: str, call: Callable[[Caller], T]) -> T:
    """Run a callable apart from the caller's transaction, and return its result or raise its exception.

    It runs in a new thread, on a new, unpooled connection in autocommit. If the caller is interrupted meanwhile (by a
    soft time limit, or Ctrl-C), the thread still runs to its end. Inside a TestCase, whose rows no other connection can
    see, and in a thread that this function has started, the callable runs directly.

    Args:
        using: alias of the database.
        call: is told whether the caller has a transaction open.

    Raises:
        TransactionOpen: on SQLite, inside a transaction: once that has read, no other connection can write.
    """
    if inside_test_case(using) or _this_thread.has_own_connection:
        return call(Caller.IN_AUTOCOMMIT)
    caller = Caller.IN_TRANSACTION if inside_transaction(using) else Caller.IN_AUTOCOMMIT
    if caller is Caller.IN_TRANSACTION and connections[using].vendor == "sqlite":
        raise TransactionOpen
    result: list[T] = []
    failure: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        try:
            connection = connections.create_connection(using)
            connection.settings_dict = copy.deepcopy(connection.settings_dict)
            connection.settings_dict["AUTOCOMMIT"] = True
            connection.settings_dict.get("OPTIONS", {}).pop("pool", None)
            connections[using] = connection
            _this_thread.has_own_connection = True
            try:
                result.append(call(caller))
            finally:
                connections.close_all()  # receivers of signals may have used other databases
        except BaseException as error:  # handed to the caller, whatever it is
            failure.append(error)
        finally:
            done.set()

    threading.Thread(target=work, name="mailup-renewal").start()
    # Not join(): an interrupted join() marks a running thread as finished.
    done.wait()
    if failure:
        raise failure[0]
    return result[0]
