"""A thread with a database connection of its own, so that no caller's transaction or interruption loses a pair."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import connections

from ..exceptions import TransactionOpen

T = TypeVar("T")


def inside_test_case(using: str) -> bool:
    """Say whether the outermost transaction is one that a TestCase opened: its rows are visible nowhere else."""
    connection = connections[using]
    return connection.in_atomic_block and bool(getattr(connection.atomic_blocks[0], "_from_testcase", False))


def inside_block(using: str) -> bool:
    """Say whether a rollback of the caller's could undo what is written now."""
    connection = connections[using]
    if connection.in_atomic_block:
        return not inside_test_case(using)
    return not connection.get_autocommit()


class _Here(threading.local):
    apart = False


_here = _Here()


def run_apart(using: str, call: Callable[[bool], T]) -> T:
    """Run a call where no rollback and no interruption of the caller's undoes what it writes, and return its result.

    That is a thread of its own, on a fresh, unpooled connection in autocommit. Whatever interrupts the caller meanwhile
    (a soft time limit, Ctrl-C), the thread goes on to its end. In a test case, whose rows only the caller's connection
    can see, and in a thread that this function has started, the call is simply made.

    Args:
        using: the database.
        call: is told whether the caller has a transaction open, which may hold the locks that the call wants.

    Raises:
        TransactionOpen: on SQLite the caller's transaction locks every other connection out, once it has read.
    """
    if inside_test_case(using) or _here.apart:
        return call(False)
    beside = inside_block(using)
    if beside and connections[using].vendor == "sqlite":
        raise TransactionOpen
    outcome: list[T] = []
    failure: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            connection = connections.create_connection(using)
            connection.settings_dict = copy.deepcopy(connection.settings_dict)
            connection.settings_dict["AUTOCOMMIT"] = True
            connection.settings_dict.get("OPTIONS", {}).pop("pool", None)
            connections[using] = connection
            _here.apart = True
            try:
                outcome.append(call(beside))
            finally:
                connections.close_all()  # receivers of signals may have used other databases
        except BaseException as error:  # handed over to the caller, whatever it is
            failure.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="mailup-refresh").start()
    # Not join(): an interrupted join() marks a running thread as finished.
    done.wait()
    if failure:
        raise failure[0]
    return outcome[0]
