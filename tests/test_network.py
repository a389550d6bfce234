"""The requests adapter that replaces the network."""

from __future__ import annotations

from django_mailup import network
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter


def test_nothing_takes_its_place_unless_told() -> None:
    assert network.replacement() is None


def test_what_was_in_place_is_returned_for_putting_it_back() -> None:
    first, second = SandboxAdapter(Sandbox()), SandboxAdapter(Sandbox())
    assert network.replace(first) is None
    assert network.replace(second) is first
    assert network.replacement() is second
    assert network.replace(None) is second
    assert network.replacement() is None
