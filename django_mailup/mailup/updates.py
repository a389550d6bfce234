"""Bodies of updates: MailUp's updates replace an object, so what the caller leaves out is sent as MailUp has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .parsing import find_key


def update_body(
    current: Mapping[str, Any], writable: Iterable[str], changes: Mapping[str, Any], arguments: Mapping[str, str]
) -> dict[str, Any]:
    """Return the JSON of an update: the object as MailUp has it, with some values changed.

    A value that MailUp doesn't give back isn't sent. The next update couldn't keep it, so it can't be changed either.

    Args:
        current: the object as MailUp has given it.
        writable: MailUp's names of the values that an update sends.
        changes: new values, by MailUp's names.
        arguments: the names of the caller's arguments by MailUp's names, for errors, where they differ.

    Raises:
        ValueError: MailUp doesn't give back a value that is to be changed; the message names the argument.
    """
    for name in changes:
        if find_key(current, name) is None:
            raise ValueError(
                f"{arguments.get(name, name)} can't be changed: MailUp doesn't give it back, so that the next update"
                " couldn't keep it. Nothing was changed."
            )
    found = {name: find_key(current, name) for name in writable}
    return {name: as_written(current[key]) for name, key in found.items() if key is not None} | dict(changes)


def as_written(value: Any) -> Any:
    """Return a value that MailUp has given, with the names in it as updates write them: they begin with a capital."""
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: as_written(each) for name, each in value.items()}
    return [as_written(each) for each in value] if isinstance(value, list) else value
