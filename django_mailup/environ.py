"""The `MAILUP` setting from environment variables, for settings modules that want it so. Imports no settings."""

from __future__ import annotations

from typing import Any

from environ import Env

_NUMBERS = (
    "RATE_PATIENCE",
    "REFRESH_MARGIN",
    "REFRESH_PERIOD",
    "REFRESH_RATE",
    "STATE_LIFETIME",
    "TIMEOUT",
    "TOKEN_DEADLINE",
)
_COUNTS = ("RATE_LIMIT", "REFRESH_BATCH_SIZE", "REFRESH_CONCURRENCY")
_TEXTS = ("BASE_URL", "CACHE_ALIAS", "CLIENT_AUTHENTICATION", "STATE_IN", "CONNECTED_URL")


def mailup_settings(env: Env, prefix: str = "MAILUP_") -> dict[str, Any]:
    """Return the dict for `settings.MAILUP`, of those variables that are set.

    Each key of the dict is a variable of the same name behind the prefix, such as `MAILUP_BASE_URL`; times are
    seconds, `MAILUP_ENCRYPTION_KEYS` is a comma-separated list, newest key first.

    Raises:
        django.core.exceptions.ImproperlyConfigured: a number isn't one.
    """
    found: dict[str, Any] = {}
    for key in _TEXTS:
        if prefix + key in env.ENVIRON:
            found[key] = env.str(prefix + key)
    for key in _NUMBERS:
        if prefix + key in env.ENVIRON:
            found[key] = _number(env, prefix + key, env.float)
    for key in _COUNTS:
        if prefix + key in env.ENVIRON:
            found[key] = _number(env, prefix + key, env.int)
    if prefix + "ENCRYPTION_KEYS" in env.ENVIRON:
        found["ENCRYPTION_KEYS"] = [key.strip() for key in env.list(prefix + "ENCRYPTION_KEYS") if key.strip()]
    return found


def _number(env: Env, name: str, read: Any) -> Any:
    from django.core.exceptions import ImproperlyConfigured

    try:
        return read(name)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number.") from None
