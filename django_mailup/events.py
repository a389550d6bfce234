"""The events of the logger `django_mailup`: stable names, and no secrets."""

from __future__ import annotations

import logging
from enum import Enum
from typing import Final
from uuid import UUID

from .frames import forget_locals

logger: Final = logging.getLogger("django_mailup")


class Event(Enum):
    """An event: its name and its level. A log record has the name as `event` and the fields, a dict, as `mailup`."""

    ACCOUNT_CONNECTED = ("mailup.account_connected", logging.INFO)
    ACCOUNT_DISCONNECTED = ("mailup.account_disconnected", logging.INFO)
    ACCOUNT_UNKNOWN = ("mailup.account_unknown", logging.WARNING)
    ACTION_REFUSED = ("mailup.action_refused", logging.WARNING)
    AUTHORIZATION_DROPPED = ("mailup.authorization_dropped", logging.WARNING)
    AUTHORIZATION_RESTARTED = ("mailup.authorization_restarted", logging.INFO)
    CACHE_SCRIPT_REFUSED = ("mailup.cache_script_refused", logging.WARNING)
    CACHE_UNAVAILABLE = ("mailup.cache_unavailable", logging.WARNING)
    CALLBACK_REJECTED = ("mailup.callback_rejected", logging.WARNING)
    CLIENT_ACCEPTED = ("mailup.client_accepted", logging.INFO)
    CLIENT_REJECTED = ("mailup.client_rejected", logging.ERROR)
    REFRESH_CRASHED = ("mailup.refresh_crashed", logging.ERROR)
    TOKEN_REFRESH_FAILED = ("mailup.token_refresh_failed", logging.WARNING)
    TOKENS_NOT_FOUND = ("mailup.tokens_not_found", logging.WARNING)
    TOKEN_REFRESHED = ("mailup.token_refreshed", logging.INFO)

    def log(self, *, cause: BaseException | None = None, **fields: str | int | bool | UUID) -> None:
        """Log the event with its fields: keys of rows, slugs, codes and counts, never anything that a server sent.

        Args:
            cause: an exception whose message and traceback are logged with it. The frames in it lose their variables.
        """
        if cause is not None:
            forget_locals(cause)
        name, level = self.value
        fields = {key: str(value) if isinstance(value, UUID) else value for key, value in fields.items()}
        text = " ".join([name, *(f"{key}={value}" for key, value in fields.items())])
        logger.log(level, "%s", text, exc_info=cause, extra={"event": name, "mailup": fields})
