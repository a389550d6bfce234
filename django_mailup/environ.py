"""The dict `MAILUP` from environment variables, for settings modules. It needs no configured Django."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environ import Env

from .settings_table import ROWS


def mailup_settings(env: Env, prefix: str = "MAILUP_") -> dict[str, Any]:
    """Return the dict for `settings.MAILUP`, with a key for each environment variable that is set.

    A variable has the name of its key behind the prefix, such as `MAILUP_BASE_URL`. `MAILUP_ENCRYPTION_KEYS` is a
    comma-separated list, newest key first. The system checks look at the values.

    Raises:
        django.core.exceptions.ImproperlyConfigured: a number can't be read as one.
    """
    found: dict[str, Any] = {}
    for name, row in ROWS.items():
        variable = prefix + name
        if variable in env.ENVIRON:
            try:
                found[name] = row.parse(env, variable)
            except ValueError:
                raise ImproperlyConfigured(f"The environment variable {variable} must be {row.expects}.") from None
    return found
