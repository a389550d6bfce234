"""The functions for site code: none is dropped, the lists of their names agree, and importing them is cheap."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from django_mailup import services

# An addition is welcome. A removal breaks sites.
FROZEN = {
    "begin",
    "begin_again",
    "clear_expired_requests",
    "clear_refusal",
    "client_for",
    "client_for_site",
    "client_of",
    "complete",
    "connect_with_password",
    "connection_of",
    "disconnect",
    "find_registration",
    "hand_out_due",
    "import_csv",
    "keys_in_use",
    "refresh",
    "refresh_due",
    "refresh_many",
    "register",
    "rotate_keys",
    "rows_that_need_another_key",
    "status",
}


def imported_for_checkers() -> dict[str, str]:
    """Return what the TYPE_CHECKING block imports: from each public name to its dotted path below django_mailup."""
    tree = ast.parse(Path(services.__file__).read_text(encoding="utf-8"))
    (block,) = [
        node
        for node in tree.body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) == len(block.body)
    return {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in imports for alias in node.names}


def test_no_function_is_dropped() -> None:
    assert set(services.__all__) >= FROZEN


def test_the_lists_of_functions_agree() -> None:
    assert imported_for_checkers() == services._HOMES
    assert services.__all__ == sorted(services._HOMES)


@pytest.mark.parametrize("name", services.__all__)
def test_each_name_is_a_function_of_its_home_that_says_what_it_does(name: str) -> None:
    function = getattr(services, name)
    module, _, attribute = services._HOMES[name].rpartition(".")

    assert inspect.isfunction(function)
    assert (function.__module__, function.__name__) == (f"django_mailup.{module}", attribute)
    assert inspect.getdoc(function)


def test_the_docstring_lists_every_function() -> None:
    assert services.__doc__ is not None
    for name in services.__all__:
        assert name in services.__doc__


def test_importing_it_loads_nothing_behind_it() -> None:
    code = (
        "import sys, django_mailup.services\n"
        "loaded = {name for name in sys.modules if name.startswith('django_mailup.')}\n"
        "assert loaded == {'django_mailup.services'}, loaded\n"
        "assert not {'django.conf', 'requests', 'requests_oauthlib', 'cryptography', 'celery'} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        services.nothing  # noqa: B018


def test_dir_lists_every_function() -> None:
    code = "import django_mailup.services as services\nassert set(services.__all__) <= set(dir(services))"

    subprocess.run([sys.executable, "-c", code], check=True)
