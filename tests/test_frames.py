"""Exceptions that leave without local variables: those of the function, of what it called, and of their causes."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from django_mailup.frames import forgets_locals


def variables_of(error: BaseException | None) -> str:
    """Return the local variables of all frames below this module's tests, of an exception and of its causes."""
    shown = []
    while error is not None:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        shown += [repr(frame.f_locals) for frame in frames if not frame.f_code.co_name.startswith("test_")]
        error = error.__cause__ or error.__context__
    return "\n".join(shown)


def inner(secret: str) -> None:
    copied = secret * 2
    raise KeyError(len(copied))


@forgets_locals
def plain(secret: str) -> None:
    inner(secret)


@forgets_locals
def chained(secret: str) -> None:
    try:
        inner(secret)
    except KeyError as error:
        raise ValueError from error


@forgets_locals
def in_context(secret: str) -> None:
    try:
        inner(secret)
    except KeyError:
        raise ValueError  # noqa: B904


@forgets_locals
def grouped(secret: str) -> None:
    try:
        inner(secret)
    except KeyError as error:
        raise ExceptionGroup("several", [error]) from None


@pytest.mark.parametrize("function", [plain, chained, in_context, grouped])
@pytest.mark.parametrize("by_name", [False, True])
def test_no_frame_keeps_its_variables(function: Any, by_name: bool) -> None:
    with pytest.raises(Exception) as caught:
        function(secret="planted") if by_name else function("planted")

    assert "planted" not in variables_of(caught.value)
    if isinstance(caught.value, ExceptionGroup):
        assert "planted" not in variables_of(caught.value.exceptions[0])
    assert "raise KeyError(len(copied))" in "".join(traceback.format_exception(caught.value)) or function is grouped


def test_without_the_decorator_they_would() -> None:
    with pytest.raises(KeyError) as caught:
        plain.__wrapped__("planted")  # type: ignore[attr-defined]

    assert "planted" in variables_of(caught.value)


def test_what_the_caller_was_handling_is_left_alone() -> None:
    def handle(note: str) -> None:
        try:
            inner(note)
        except KeyError:
            plain("planted")

    with pytest.raises(KeyError) as caught:
        handle("the caller's")

    assert caught.value.__context__ is not None
    assert "the caller's" in variables_of(caught.value.__context__)


def test_a_generator_of_the_callers_goes_on() -> None:
    def numbers() -> Iterator[int]:
        try:
            inner("the caller's")
        except KeyError:
            with pytest.raises(KeyError):
                plain("planted")
            yield 1
        yield 2

    assert list(numbers()) == [1, 2]


def test_results_and_names_stay() -> None:
    @forgets_locals
    def add(one: int, *, two: int = 2) -> int:
        return one + two

    assert add(1) == 3
    assert add.__name__ == "add"
