"""What the app does when Django starts."""

from __future__ import annotations

import logging

import pytest
from django.apps import apps
from django.core.checks.registry import registry
from requests_oauthlib import oauth2_session


def test_the_system_checks_are_registered() -> None:
    modules = {check.__module__ for check in registry.get_checks()}

    assert "django_mailup.checks" in modules


def test_the_oauth_library_logs_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger(oauth2_session.__name__)
    with caplog.at_level(logging.DEBUG, logger=logger.name):
        logger.debug("the token is A1")
        logger.info("a token was fetched")

    assert caplog.messages == ["a token was fetched"]


def test_new_tables_have_64_bit_keys() -> None:
    assert apps.get_app_config("django_mailup").default_auto_field == "django.db.models.BigAutoField"
