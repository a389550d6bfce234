"""Whose connection a command is about. Commands import it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError


def find_user(name: str) -> Any:
    """Return the user of this site with a user name. Raises CommandError when there is none."""
    users = get_user_model()
    user = users._default_manager.filter(**{users.USERNAME_FIELD: name}).first()
    if user is None:
        raise CommandError(f"This site has no user “{name}”.")
    return user
