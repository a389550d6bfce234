"""`python -m django_mailup.mailup` prints a table of the operations of MailUp's REST API that this package calls."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

from . import provisioning, resources
from .operations import Operation, Source


def operations() -> list[Operation[Any]]:
    """Return all operations, ordered by name."""
    modules = [
        importlib.import_module(f"{resources.__name__}.{each.name}")
        for each in pkgutil.iter_modules(resources.__path__)
    ]
    found = {each.name: each for module in [*modules, provisioning] for each in _operations_in(module)}
    return [found[name] for name in sorted(found)]


def _operations_in(module: Any) -> Iterator[Operation[Any]]:
    """Yield the operations of a module: its constants, and the operations of its classes' Methods."""
    for value in vars(module).values():
        if isinstance(value, Operation):
            yield value
        elif isinstance(value, type) and value.__module__ == module.__name__:
            members = (getattr(member, "operation", None) for member in vars(value).values())
            yield from (each for each in members if isinstance(each, Operation))


def markdown() -> str:
    """Return the tables of docs/api.md: the operations, and the meanings of their sources."""
    rows = [f"| `{each.name}` | {each.verb} | `{each.path}` | {each.source.value} |" for each in operations()]
    words = [f"| {each.value} | {each.explanation} |" for each in Source]
    head, legend = (
        ["| method | verb | path | source |", "| --- | --- | --- | --- |"],
        ["| source | meaning |", "| --- | --- |"],
    )
    return "\n".join([*head, *rows, "", *legend, *words])


def main() -> None:
    """Print the client's method, the HTTP verb, the path and the source of each operation."""
    parser = argparse.ArgumentParser(prog="python -m django_mailup.mailup", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print the tables of docs/api.md")
    if parser.parse_args().markdown:
        print(markdown())
        return
    known = operations()
    name, path = max(len(each.name) for each in known), max(len(each.path) for each in known)
    for each in known:
        print(f"{each.name:<{name}}  {each.verb:<6}  {each.path:<{path}}  {each.source.value}")
    print(f"{len(known)} operations")


if __name__ == "__main__":
    main()
