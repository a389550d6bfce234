"""`app_settings`: the values of `settings.MAILUP`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import override_settings

from django_mailup.conf import app_settings


def test_settings_are_read_at_access_time() -> None:
    with override_settings(MAILUP={"TIMEOUT": 7, "REFRESH_MARGIN": 60, "STATE_IN": "query"}):
        read = (app_settings.TIMEOUT, app_settings.REFRESH_MARGIN, app_settings.STATE_IN)
        assert read == (7.0, timedelta(minutes=1), "query")
    with override_settings(MAILUP={}):
        assert (app_settings.TIMEOUT, app_settings.STATE_IN) == (10.0, "auto")


def test_a_site_needs_no_mailup_setting(settings: Any) -> None:
    del settings.MAILUP

    read = (app_settings.REFRESH_PERIOD, app_settings.ENCRYPTION_KEYS)
    assert read == (timedelta(minutes=5), ())


@override_settings(MAILUP={"BASE_URL": "https://mailup.example"})
def test_the_endpoints_follow_the_base_url() -> None:
    assert app_settings.endpoints().token == "https://mailup.example/Authorization/OAuth/Token"


@override_settings(MAILUP={"BASE_URL": "http://mailup.example", "INSECURE_HOSTS": ["mailup.example"]})
def test_the_endpoints_allow_plain_http_to_the_insecure_hosts() -> None:
    assert app_settings.endpoints().token == "http://mailup.example/Authorization/OAuth/Token"
