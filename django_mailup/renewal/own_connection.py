"""Run a callable in a worker thread on its own autocommit connection.

So a caller's rollback or interruption can't discard new tokens.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from ..exceptions import TransactionOpen
from . import preparation
from .preparation import Prepare

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


def is_plain(using: str) -> bool:
    """Return whether this thread's connection is Django's own and not open: nothing has given it a tenant.

    A site with a hook of its own may give it one as soon as it opens.
    """
    connection = connections[using]
    is_djangos = type(connection).__module__.startswith("django.db.backends.")
    return connection.connection is None and is_djangos and preparation.is_default()


class _ThisThread(threading.local):
    own: tuple[BaseDatabaseWrapper, Prepare] | None = None
    """In a thread of `run`: its connection, and what prepares it."""


_this_thread = _ThisThread()


def _prepare(sender: object, *, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Prepare a connection of `run` each time it has connected, also when it was lost. A receiver of Django's signal.

    If that fails, it is closed: the next statement connects again, instead of using what isn't prepared.
    """
    if _this_thread.own is None or connection is not _this_thread.own[0]:
        return
    try:
        _this_thread.own[1](connection)
    except BaseException:
        connection.close()
        raise


connection_created.connect(_prepare)


def run(using: str, call: Callable[[Caller], T]) -> T:
    """Run a callable apart from the caller's transaction, and return its result or raise its exception.

    It runs in a new thread, on a new, unpooled connection in autocommit. If the caller is interrupted meanwhile (by a
    soft time limit, or Ctrl-C), the thread still runs to its end. Inside a TestCase, whose rows no other connection can
    see, and in a thread that this function has started, the callable runs directly.

    The hook PREPARE_CONNECTION is called here, in the caller's thread, and what it returns in the new thread, each time
    the new connection has connected.

    Args:
        using: alias of the database.
        call: is told whether the caller has a transaction open.

    Raises:
        TransactionOpen: on SQLite, inside a transaction: once that has read, no other connection can write.
        Misconfigured: the hook PREPARE_CONNECTION can't be imported, or returns nothing that can be called.
    """
    if inside_test_case(using) or _this_thread.own is not None:
        return call(Caller.IN_AUTOCOMMIT)
    caller = Caller.IN_TRANSACTION if inside_transaction(using) else Caller.IN_AUTOCOMMIT
    if caller is Caller.IN_TRANSACTION and connections[using].vendor == "sqlite":
        raise TransactionOpen
    prepare = preparation.of(connections[using])
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
            _this_thread.own = (connection, prepare)
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
