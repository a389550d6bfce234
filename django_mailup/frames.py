"""Forget the local variables of the frames that an exception came through, because crash reporters send them away.

Where the exception was raised can still be seen. Django's `sensitive_variables` is heeded by Django alone, and by its
debug page not at all.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def forget_locals(error: BaseException, *, up_to: BaseException | None = None) -> None:
    """Clear the local variables of every frame that has ended in an exception's traceback, and in those of its causes.

    Args:
        error: the exception.
        up_to: an exception that was being handled before, whose frames are somebody else's.
    """
    seen = {id(up_to)}
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        traceback.clear_frames(each.__traceback__)
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions


def forgets_locals(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function that handles secrets: an exception leaves it without its arguments and local variables."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        before = sys.exception()
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            forget_locals(error, up_to=before)
            raise

    return call
