"""How this process reaches MailUp: over the network, or through an adapter that `testing.use_sandbox` sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

_replacement: BaseAdapter | None = None


def replacement() -> BaseAdapter | None:
    """Return the adapter of requests that replaces the network in all threads, or None."""
    return _replacement


def replace(adapter: BaseAdapter | None) -> BaseAdapter | None:
    """Replace the network by an adapter of requests; with None, use the network again. Return the previous replacement.

    Clients that were made before are not affected.
    """
    global _replacement
    before, _replacement = _replacement, adapter
    return before
