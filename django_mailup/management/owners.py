"""Find the user whose connection a command is about."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from ..text import printable


def find_user(name: str) -> Any:
    """Return the user of this site with this user name. Raise CommandError if there is none."""
    users = get_user_model()
    user = users._default_manager.filter(**{users.USERNAME_FIELD: name}).first()
    if user is None:
        raise CommandError(printable(f"This site has no user “{name}”."))
    return user
