"""Keeps secrets that other libraries log out of every log. Imports none of these libraries."""

from __future__ import annotations

import logging


class _NoSecrets(logging.Filter):
    """Drops DEBUG records: requests-oauthlib writes codes, tokens and the client secret there (its issue 536)."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


def silence_library_secrets() -> None:
    """Keep DEBUG records of requests-oauthlib, which hold tokens and the client secret, out of every log."""
    logger = logging.getLogger("requests_oauthlib.oauth2_session")
    if not any(isinstance(existing, _NoSecrets) for existing in logger.filters):
        logger.addFilter(_NoSecrets())
