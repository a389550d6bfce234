"""A record of the signals that are sent during a test."""

from __future__ import annotations

from typing import Any

import pytest
from django.dispatch import Signal

from django_mailup import signals


@pytest.fixture
def heard() -> Any:
    """The name and arguments of each signal that was sent, oldest first."""
    said: list[tuple[str, dict[str, Any]]] = []
    names = [name for name in dir(signals) if isinstance(getattr(signals, name), Signal)]

    def receiver_of(name: str) -> Any:
        return lambda **kwargs: said.append((name, kwargs))

    receivers = {name: receiver_of(name) for name in names}
    for name, receiver in receivers.items():
        getattr(signals, name).connect(receiver)
    yield said
    for name, receiver in receivers.items():
        getattr(signals, name).disconnect(receiver)
