"""Functions for PREPARE_CONNECTION."""

from __future__ import annotations

from typing import Any

from django_mailup.renewal.preparation import Prepare


def forget_the_tenant(connection: Any) -> Prepare:
    """Prepare nothing, as a site would that has set the wrong function."""
    return lambda new: None
