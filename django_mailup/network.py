"""How this process reaches MailUp: over the network, unless `testing.use_sandbox` puts a sandbox in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

_replacement: BaseAdapter | None = None


def replacement() -> BaseAdapter | None:
    """Return the requests adapter that takes the place of the network in all threads, or None if none does."""
    return _replacement


def replace(adapter: BaseAdapter | None) -> BaseAdapter | None:
    """Put an adapter in place of the network, or with None the network back. Return what was in place before.

    Clients that were made before keep what they have.
    """
    global _replacement
    before, _replacement = _replacement, adapter
    return before
