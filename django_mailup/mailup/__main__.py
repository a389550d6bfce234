"""`python -m django_mailup.mailup`: the operations of MailUp's REST API that this package knows, as a table."""

from __future__ import annotations

import importlib
import pkgutil

from . import provisioning, resources
from .operations import Operation


def operations() -> list[Operation]:
    """Return every operation, in the order of their names."""
    modules = [
        importlib.import_module(f"{resources.__name__}.{each.name}")
        for each in pkgutil.iter_modules(resources.__path__)
    ]
    found = {
        value.name: value
        for module in [*modules, provisioning]
        for value in vars(module).values()
        if isinstance(value, Operation)
    }
    return [found[name] for name in sorted(found)]


def main() -> None:
    """Print method, HTTP verb and path of each."""
    known = operations()
    width = max(len(each.name) for each in known)
    for each in known:
        print(f"{each.name:<{width}}  {each.verb:<6}  {each.path}")
    print(f"{len(known)} operations")


if __name__ == "__main__":
    main()
