"""Connect the users of a Django site to their MailUp accounts. Imports nothing, so that settings may import it."""

from __future__ import annotations


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("django-mailup-connect")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
