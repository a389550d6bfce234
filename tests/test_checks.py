"""System checks: each id for its fault, each with a hint, registered with Django, silent about secrets."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.test import override_settings
from django.urls import reverse_lazy

from django_mailup import checks
from django_mailup.beat import mailup_beat_schedule
from django_mailup.settings_table import ROWS

KEY = "bm90aGluZyBpcyBlbmNyeXB0ZWQgd2l0aCB0aGlzIGs="
FINE = {"ENCRYPTION_KEYS": [KEY], "RATE_LIMIT": 0}


def ids() -> list[str]:
    found = [*checks.check_settings(), *checks.check_security()]
    assert all(message.hint for message in found)
    return [str(message.id).removeprefix("django_mailup.") for message in found]


@pytest.mark.parametrize(
    ("mailup", "expected"),
    [
        (FINE, []),
        ({**FINE, "BASE_URL": "https://services.mailup.com"}, []),
        ({**FINE, "BASE_URL": "https://services.mailup.com:8443/"}, []),
        ({}, ["W006", "W004"]),
        ([], ["E001"]),
        ({**FINE, "REFRESH_MARGINS": 900}, ["E002"]),
        ({**FINE, "TIMEOUT": "10"}, ["E003"]),
        ({**FINE, "TIMEOUT": 0}, ["E003"]),
        ({**FINE, "REFRESH_MARGIN": None}, ["E003"]),
        ({**FINE, "STATE_LIFETIME": True}, ["E003"]),
        ({**FINE, "RATE_LIMIT": -1}, ["E003", "W006"]),
        ({**FINE, "RATE_LIMIT": "5"}, ["E003", "W006"]),
        ({**FINE, "RATE_PATIENCE": 0}, []),
        ({**FINE, "RATE_PATIENCE": None}, ["E003"]),
        ({**FINE, "CACHE_ALIAS": "other"}, ["E010"]),
        ({**FINE, "STATE_IN": "cookie"}, ["E004"]),
        ({**FINE, "CLIENT_AUTHENTICATION": "Basic"}, ["E004"]),
        ({**FINE, "ENCRYPTION_KEYS": ["secret-but-short"]}, ["E005"]),
        ({**FINE, "ENCRYPTION_KEYS": KEY}, ["E005"]),
        ({**FINE, "ENCRYPTION_KEYS": [None]}, ["E005"]),
        ({**FINE, "ENCRYPTION_KEYS": "tests.vault.kms.keys"}, []),
        ({**FINE, "ENCRYPTION_KEYS": "tests.vault.kms.nowhere"}, ["E005"]),
        ({**FINE, "ENCRYPTION_KEYS": "tests.vault.kms.NOT_A_FUNCTION"}, ["E005"]),
        ({**FINE, "ENCRYPTION_KEYS": "tests.vault.kms."}, ["E005"]),
        ({**FINE, "SECRET_KEY_READS": False}, []),
        ({**FINE, "SECRET_KEY_READS": "off"}, ["E004"]),
        ({**FINE, "BASE_URL": "services.mailup.com"}, ["E006"]),
        ({**FINE, "BASE_URL": "https://"}, ["E006"]),
        ({**FINE, "BASE_URL": "https://host:port"}, ["E006"]),
        ({**FINE, "BASE_URL": "ftp://services.mailup.com"}, ["E006"]),
        ({**FINE, "BASE_URL": "https://user:pw@services.mailup.com"}, ["E006"]),
        ({**FINE, "BASE_URL": 5}, ["E006"]),
        ({**FINE, "BASE_URL": "https://[::1"}, ["E006"]),
        ({**FINE, "BASE_URL": "http://services.mailup.com"}, ["E006"]),
        ({**FINE, "BASE_URL": "http://localhost:8777"}, ["W001"]),
        ({**FINE, "INSECURE_HOSTS": ["services.mailup.com"]}, ["E009"]),
        ({**FINE, "INSECURE_HOSTS": ["http://services.mailup.com"]}, ["E009"]),
        ({**FINE, "INSECURE_HOSTS": []}, []),
        ({**FINE, "REFRESH_MARGIN": 600, "REFRESH_PERIOD": 300}, ["E007"]),
        ({**FINE, "TIMEOUT": float("inf")}, ["E003"]),
        ({**FINE, "REFRESH_MARGIN": 1e300}, ["E003"]),
        ({**FINE, "REFRESH_PERIOD": "300", "REFRESH_MARGIN": 1}, ["E003"]),
        ({**FINE, "REFRESH_BATCH_SIZE": 2.5}, ["E003"]),
        ({**FINE, "REFRESH_CONCURRENCY": 0}, ["E003"]),
        ({**FINE, "CACHE_ALIAS": ["default"]}, ["E010"]),
        ({**FINE, "CLIENT_AUTHENTICATION": None}, ["E004"]),
        ({**FINE, "CONNECTED_URL": None}, ["E011"]),
        ({**FINE, "CONNECTED_URL": ""}, ["E011"]),
        ({**FINE, "PREPARE_CONNECTION": "tests.renewal.hooks.record"}, []),
        ({**FINE, "PREPARE_CONNECTION": "tests.renewal.hooks.no_such"}, ["E012"]),
        ({**FINE, "PREPARE_CONNECTION": "no.such.module"}, ["E012"]),
        ({**FINE, "PREPARE_CONNECTION": "tests.renewal.hooks.calls"}, ["E012"]),
        ({**FINE, "PREPARE_CONNECTION": "a path.to"}, ["E012"]),
        ({**FINE, "PREPARE_CONNECTION": ""}, ["E012"]),
        ({**FINE, "PKCE": "on"}, ["E004"]),
        ({**FINE, "SCOPE": "a  b"}, ["E011"]),
        ({**FINE, "CALLBACK_ORIGIN": "https://news.example:8443"}, []),
        ({**FINE, "CALLBACK_ORIGIN": "https://news.example/"}, ["E014"]),
        ({**FINE, "CALLBACK_ORIGIN": "https://news.example/mailup"}, ["E014"]),
        ({**FINE, "CALLBACK_ORIGIN": "https://news.example?a=b"}, ["E014"]),
        ({**FINE, "CALLBACK_ORIGIN": "http://news.example"}, ["E014"]),
        ({**FINE, "CALLBACK_ORIGIN": "tests.test_checks.ids"}, []),
        ({**FINE, "CALLBACK_ORIGIN": "tests.test_checks.KEY"}, ["E014"]),
        ({**FINE, "CALLBACK_ORIGIN": "news.example"}, ["E014"]),
    ],
    ids=str,
)
def test_settings(mailup: Any, expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT", raising=False)
    with override_settings(MAILUP=mailup):
        assert ids() == expected


@pytest.mark.parametrize("name", ROWS)
def test_every_row_is_checked(name: str) -> None:
    with override_settings(MAILUP={**FINE, name: object()}):
        found = [message for message in checks.check_settings() if f"MAILUP[{name!r}]" in message.msg]

    assert [message.id for message in found] == [f"django_mailup.{ROWS[name].check}"]


@pytest.mark.parametrize(
    ("key", "hint"),
    [("TIME_OUT", "Did you mean TIMEOUT?"), ("ADAPTER", "use_sandbox()"), (5, "The keys are: BASE_URL")],
)
def test_the_hint_for_an_unknown_key(key: Any, hint: str) -> None:
    with override_settings(MAILUP={**FINE, key: None}):
        (found,) = checks.check_settings()

    assert found.id == "django_mailup.E002"
    assert hint in str(found.hint)


@override_settings(
    MAILUP={
        **FINE,
        "BASE_URL": "https://ada:hush@x.example",
        "ENCRYPTION_KEYS": ["hush"],
        "CALLBACK_ORIGIN": "https://ada:hush@x.example",
    }
)
def test_what_may_be_secret_is_not_shown() -> None:
    assert "hush" not in str(checks.check_settings())


@override_settings(MAILUP={**FINE, "CONNECTED_URL": reverse_lazy("no-such-name")})
def test_a_lazy_url_is_left_alone() -> None:
    assert ids() == []


@override_settings(MAILUP=FINE, USE_TZ=False)
def test_naive_datetimes() -> None:
    assert ids() == ["E008"]


@override_settings(MAILUP={**FINE, "BASE_URL": "http://localhost:8777"}, DEBUG=True)
def test_a_local_sandbox_in_development_is_fine() -> None:
    assert ids() == []


@pytest.mark.parametrize(("hosts", "expected"), [(["sandbox"], []), (["other"], ["E006"]), ([], ["E006"])])
def test_plain_http_to_another_machine_in_development(hosts: list[str], expected: list[str]) -> None:
    with override_settings(MAILUP={**FINE, "BASE_URL": "http://sandbox:8777", "INSECURE_HOSTS": hosts}, DEBUG=True):
        assert ids() == expected


@override_settings(MAILUP=FINE)
def test_insecure_transport_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")

    assert ids() == ["W002"]


@override_settings(MAILUP=FINE)
def test_a_leaky_logger_in_production() -> None:
    logger = logging.getLogger("requests_oauthlib")
    logger.setLevel(logging.DEBUG)
    try:
        assert ids() == ["W003"]
    finally:
        logger.setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("backend", "limit", "expected"),
    [
        ("locmem.LocMemCache", 5, ["W006"]),
        ("filebased.FileBasedCache", 5, ["W006"]),
        ("locmem.LocMemCache", 0, []),
        ("redis.RedisCache", 5, []),
        ("db.DatabaseCache", 5, []),
    ],
)
def test_the_cache_that_keeps_the_limit(backend: str, limit: int, expected: list[str]) -> None:
    caches = {"default": {"BACKEND": f"django.core.cache.backends.{backend}", "LOCATION": "redis://127.0.0.1:1"}}
    with override_settings(MAILUP={**FINE, "RATE_LIMIT": limit}, CACHES=caches):
        assert ids() == expected
    with override_settings(MAILUP={**FINE, "RATE_LIMIT": limit}, CACHES=caches, DEBUG=True):
        assert ids() == []


@override_settings(MAILUP={**FINE, "CALLBACK_ORIGIN": "http://localhost:8000"}, DEBUG=True)
def test_a_callback_over_plain_http_in_development_is_fine() -> None:
    assert ids() == []


@override_settings(ALLOWED_HOSTS=[".news.example", "*"])
def test_a_callback_that_any_host_header_chooses() -> None:
    with override_settings(MAILUP=FINE):
        assert ids() == ["W008"]
    with override_settings(MAILUP={**FINE, "CALLBACK_ORIGIN": "https://news.example"}):
        assert ids() == []


@pytest.mark.parametrize(("scheduled", "expected"), [({}, []), (FINE, []), ({"REFRESH_PERIOD": 60}, ["W005"])])
def test_the_schedule_and_the_setting_agree(scheduled: Any, expected: list[str]) -> None:
    with override_settings(MAILUP=FINE, CELERY_BEAT_SCHEDULE=mailup_beat_schedule(scheduled)):
        assert ids() == expected


@pytest.mark.django_db  # for a check of Django's own: whether the database has JSON fields
@override_settings(MAILUP={"ENCRYPTION_KEYS": ["secret-but-short"]})
def test_checks_run_at_start_and_tell_no_secret() -> None:
    with pytest.raises(SystemCheckError) as caught:
        call_command("check", stderr=io.StringIO())

    assert "django_mailup.E005" in str(caught.value)
    assert "secret-but-short" not in str(caught.value)


@pytest.mark.django_db
@override_settings(MAILUP={})
def test_security_checks_are_registered() -> None:
    assert "django_mailup.W004" in [message.id for message in run_checks()]


def database_ids() -> list[str]:
    found = run_checks(tags=["database"], databases=["default"])
    return [str(message.id) for message in found if str(message.id).startswith("django_mailup")]


@pytest.mark.django_db
def test_rows_that_no_key_opens_are_counted(mailup_connection: Any, settings: Any) -> None:
    mailup_connection(None)
    assert database_ids() == []
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": [KEY]}
    assert database_ids() == ["django_mailup.W010"]

    (found,) = checks.check_database(databases=["default"])
    assert "1 of django_mailup.ClientRegistration, 1 of django_mailup.Token." in found.msg
    assert found.hint
    assert checks.check_database(databases=None) == []
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": ["secret-but-short"]}
    assert database_ids() == []  # E005 says what is wrong


@pytest.mark.django_db
def test_an_emptied_secret_is_one_that_no_key_opens(mailup_registration: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_mailup_clientregistration SET client_secret = ''")

    assert database_ids() == ["django_mailup.W010"]


@pytest.mark.django_db(transaction=True)
def test_a_column_that_migrate_is_to_add_is_not_missed(mailup_registration: Any) -> None:
    rename = "ALTER TABLE django_mailup_authorizationrequest RENAME COLUMN {} TO {}"
    with connection.cursor() as cursor:
        cursor.execute(rename.format("code_verifier", "elsewhere"))
        try:
            assert database_ids() == []
        finally:
            cursor.execute(rename.format("elsewhere", "code_verifier"))


def test_a_database_without_tables_is_fine(tmp_path: Path) -> None:
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3",
    }
    command = [sys.executable, "-m", "django", "check", "--database", "default"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)

    assert "W010" not in done.stdout + done.stderr
