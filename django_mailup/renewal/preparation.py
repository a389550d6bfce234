"""Prepare a renewal's own database connection, so that it sees the rows that the caller's connection sees."""

from __future__ import annotations

from collections.abc import Callable

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.module_loading import import_string

from ..conf import app_settings
from ..exceptions import Misconfigured

Prepare = Callable[[BaseDatabaseWrapper], object]
"""Prepares a connection that has just been made."""


def of(connection: BaseDatabaseWrapper) -> Prepare:
    """Return what prepares a new connection like this one, from the hook that PREPARE_CONNECTION names.

    Raises:
        Misconfigured: the hook can't be imported, or returns nothing that can be called.
    """
    try:
        hook: Callable[[BaseDatabaseWrapper], object] = import_string(app_settings.PREPARE_CONNECTION)
    except ImportError as error:
        raise Misconfigured(reason="hook") from error
    prepare = hook(connection)
    if not callable(prepare):
        raise Misconfigured(reason="hook_result")
    return prepare


def is_default() -> bool:
    """Return whether the hook is `copy_tenant`: the site has said nothing of its own about connections."""
    default = f"{__name__}.{copy_tenant.__name__}"
    return bool(default == app_settings.PREPARE_CONNECTION)


def copy_tenant(connection: BaseDatabaseWrapper) -> Prepare:
    """Return what gives a new connection the tenant of this one, or on PostgreSQL its search path.

    A tenant is known from a database backend with `tenant` and `set_tenant`, such as that of django-tenants. A
    connection that isn't open has no search path of its own yet. The default of PREPARE_CONNECTION.
    """
    tenant = getattr(connection, "tenant", None)
    if tenant is not None and hasattr(connection, "set_tenant"):
        with_public = getattr(connection, "include_public_schema", True)
        return lambda new: new.set_tenant(tenant, with_public)  # type: ignore[attr-defined]
    if connection.vendor != "postgresql" or connection.connection is None:
        return lambda new: None
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        path = cursor.fetchone()

    def set_search_path(new: BaseDatabaseWrapper) -> None:
        with new.cursor() as cursor:
            # What is equal stays untouched: behind a pool, a connection that is set may be somebody else's next.
            cursor.execute(
                "SELECT set_config('search_path', %s, false) WHERE current_setting('search_path') <> %s", path * 2
            )

    return set_search_path
