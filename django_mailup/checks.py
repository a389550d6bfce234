"""System checks: what would go wrong is said at start. No database, no network. Each has its own id and a hint."""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

from . import conf, crypto
from .beat import DEFAULT_PERIOD, TASK
from .conf import PRODUCTION, app_settings

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
NUMBERS: Final = (
    "TIMEOUT",
    "TOKEN_DEADLINE",
    "REFRESH_MARGIN",
    "REFRESH_PERIOD",
    "REFRESH_BATCH_SIZE",
    "REFRESH_CONCURRENCY",
    "REFRESH_RATE",
    "STATE_LIFETIME",
)
NOT_NEGATIVE: Final = ("RATE_LIMIT", "RATE_PATIENCE")
UNSHARED_CACHES: Final = ("locmem.LocMemCache", "dummy.DummyCache", "filebased.FileBasedCache")
MAKE_KEY: Final = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
CHOICES: Final = {"CLIENT_AUTHENTICATION": ("body", "basic"), "STATE_IN": ("path", "query")}


def register_all() -> None:
    """Register every check of this module. Called once, when the app is ready."""
    checks.register(check_settings, checks.Tags.compatibility)
    checks.register(check_security, checks.Tags.security)


def check_settings(**kwargs: Any) -> list[checks.CheckMessage]:
    """E001 to E010: what `settings.MAILUP` says."""
    raw = getattr(settings, "MAILUP", {})
    if not isinstance(raw, Mapping):
        return [
            _error("The MAILUP setting is not a dict.", 'Write MAILUP = {"BASE_URL": ...}, or leave it out.', "E001")
        ]
    found: list[checks.CheckMessage] = []
    for key in raw:
        if key not in conf.KEYS:
            near = difflib.get_close_matches(str(key).upper(), conf.KEYS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"The keys are {', '.join(conf.KEYS)}."
            found.append(_error(f"MAILUP has no key {key!r}.", hint, "E002"))
    for key in NUMBERS:
        value = raw.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            found.append(
                _error(f"MAILUP[{key!r}] is not a positive number.", "Give a number greater than zero.", "E003")
            )
    for key in NOT_NEGATIVE:
        value = raw.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
            found.append(_error(f"MAILUP[{key!r}] is no number, or negative.", "Give a number, or zero.", "E003"))
    alias = raw.get("CACHE_ALIAS", "default")
    if alias not in settings.CACHES:
        hint = f"Name one of CACHES: {', '.join(settings.CACHES)}."
        found.append(_error(f"MAILUP['CACHE_ALIAS'] is {alias!r}, which CACHES doesn't have.", hint, "E010"))
    for key, allowed in CHOICES.items():
        if raw.get(key, allowed[0]) not in allowed:
            found.append(_error(f"MAILUP[{key!r}] is {raw[key]!r}.", f"Use one of {', '.join(allowed)}.", "E004"))
    keys = raw.get("ENCRYPTION_KEYS", ())
    if isinstance(keys, (str, bytes)) or not isinstance(keys, (list, tuple)) or not all(map(crypto.is_key, keys)):
        hint = f"It is a list of keys, newest first. Make one with: {MAKE_KEY}"
        found.append(_error("MAILUP['ENCRYPTION_KEYS'] holds something that is no Fernet key.", hint, "E005"))
    found += _check_base_url(raw.get("BASE_URL", PRODUCTION))
    numbers_are_wrong = any(message.id == "django_mailup.E003" for message in found)
    if not numbers_are_wrong and app_settings.REFRESH_MARGIN <= 2 * app_settings.REFRESH_PERIOD:
        hint = "Raise REFRESH_MARGIN above twice REFRESH_PERIOD, or run the task more often and lower REFRESH_PERIOD."
        found.append(_error("Tokens could expire between two runs of the periodic task.", hint, "E007"))
    if not settings.USE_TZ:
        found.append(_error("django_mailup needs aware datetimes.", "Set USE_TZ = True, Django's default.", "E008"))
    return found


def _has_fault(base_url: object) -> bool:
    try:
        url = urlsplit(base_url) if isinstance(base_url, str) else urlsplit("")
        proper = bool(url.hostname) and url.port != 0
    except ValueError:  # a port that is no number
        return True
    return not proper or url.scheme not in ("http", "https") or bool(url.query or url.fragment or url.username)


def _check_base_url(value: str) -> list[checks.CheckMessage]:
    hint = f"Use {PRODUCTION}, or leave the key out."
    if _has_fault(value):
        return [_error("MAILUP['BASE_URL'] is not a web address.", hint, "E006")]
    url = urlsplit(value)
    if url.scheme == "https":
        return []
    if not settings.DEBUG and url.hostname not in LOOPBACK:
        return [_error("MAILUP['BASE_URL'] would send tokens in clear over http.", hint, "E006")]
    if not os.environ.get("OAUTHLIB_INSECURE_TRANSPORT"):
        hint = (
            "For a local sandbox, set the environment variable OAUTHLIB_INSECURE_TRANSPORT=1; in production, use https."
        )
        return [_error("MAILUP['BASE_URL'] is plain http, which requests-oauthlib refuses.", hint, "E009")]
    return []


def check_security(**kwargs: Any) -> list[checks.CheckMessage]:
    """W001 to W006: what would be unwise in production."""
    found: list[checks.CheckMessage] = []
    raw = getattr(settings, "MAILUP", {})
    if not isinstance(raw, Mapping):
        return found
    base_url = raw.get("BASE_URL", PRODUCTION)
    if not settings.DEBUG and not _has_fault(base_url) and urlsplit(base_url).hostname in LOOPBACK:
        hint = "Remove BASE_URL to talk to MailUp itself."
        found.append(_warning("MAILUP['BASE_URL'] is this machine, although DEBUG is off.", hint, "W001"))
    if not settings.DEBUG and os.environ.get("OAUTHLIB_INSECURE_TRANSPORT"):
        hint = "Remove it from the environment: it lets every OAuth library of this process use plain http."
        found.append(_warning("OAUTHLIB_INSECURE_TRANSPORT is set, although DEBUG is off.", hint, "W002"))
    if not settings.DEBUG and logging.getLogger("requests_oauthlib").getEffectiveLevel() <= logging.DEBUG:
        hint = "Set that logger to INFO: at DEBUG the library writes tokens and client secrets."
        found.append(_warning("The logger requests_oauthlib is at DEBUG, although DEBUG is off.", hint, "W003"))
    entry = getattr(settings, "CELERY_BEAT_SCHEDULE", {}).get(TASK, {})
    every, period = entry.get("schedule"), raw.get("REFRESH_PERIOD", DEFAULT_PERIOD)
    if isinstance(every, (int, float)) and every != period:
        hint = "Write CELERY_BEAT_SCHEDULE = mailup_beat_schedule(MAILUP), so that both are REFRESH_PERIOD."
        found.append(
            _warning(f"The renewal is scheduled every {every} s, but REFRESH_PERIOD is {period}.", hint, "W005")
        )
    cache = settings.CACHES.get(raw.get("CACHE_ALIAS", "default"), {}).get("BACKEND", "")
    if not settings.DEBUG and raw.get("RATE_LIMIT", True) and cache.endswith(UNSHARED_CACHES):
        hint = "Use Redis, Memcached or the database as that cache, or set RATE_LIMIT to 0 and let MailUp say 429."
        found.append(
            _warning("The cache is local to one process, so processes together may exceed RATE_LIMIT.", hint, "W006")
        )
    if not raw.get("ENCRYPTION_KEYS"):
        hint = (
            "Stored secrets are encrypted with a key derived from SECRET_KEY; a key of their own survives its change."
            f" Make one with: {MAKE_KEY} and put it into MAILUP['ENCRYPTION_KEYS']. Everything stored stays readable."
        )
        found.append(_warning("MAILUP['ENCRYPTION_KEYS'] is not set.", hint, "W004"))
    return found


def _error(message: str, hint: str, number: str) -> checks.Error:
    return checks.Error(message, hint=hint, id=f"django_mailup.{number}")


def _warning(message: str, hint: str, number: str) -> checks.Warning:
    return checks.Warning(message, hint=hint, id=f"django_mailup.{number}")
