"""Keeps the secrets that other libraries log out of all logs. Imports none of these libraries."""

from __future__ import annotations

import logging


class _NoSecrets(logging.Filter):
    """Drops DEBUG records. requests-oauthlib writes codes, tokens and the client secret into them (its issue 536)."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


def silence_library_secrets() -> None:
    """Drop the DEBUG records of requests-oauthlib, which contain tokens and the client secret. Call it once or more."""
    logger = logging.getLogger("requests_oauthlib.oauth2_session")
    if not any(isinstance(existing, _NoSecrets) for existing in logger.filters):
        logger.addFilter(_NoSecrets())
