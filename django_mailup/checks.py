"""System checks. They use neither the database nor the network, W010 excepted; each has an id of its own and a hint.

Most of E002 to E014 come from the table of settings: each row says which values it accepts, and the id of its check.
"""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connections, transaction
from django.utils.module_loading import import_string

from . import services
from .beat import TASK
from .exceptions import Misconfigured
from .models import AuthorizationRequest, ClientRegistration, Token
from .origins import is_origin
from .setting_kinds import MAKE_KEY, Setting
from .settings_table import ROWS, MailUpSettings

UNSHARED_CACHES: Final = ("locmem.LocMemCache", "dummy.DummyCache", "filebased.FileBasedCache")
REMOVED_KEYS: Final = {
    "ADAPTER": "Remove it. In tests, use django_mailup.testing.use_sandbox() or the pytest fixture mailup_sandbox."
}


def register_all() -> None:
    """Register every check of this module. Called once, when the app is ready."""
    checks.register(check_settings, checks.Tags.compatibility)
    checks.register(check_security, checks.Tags.security)
    checks.register(check_database, checks.Tags.database)


def check_settings(**kwargs: Any) -> list[checks.CheckMessage]:
    """Return E001 to E014: what is wrong with `settings.MAILUP`."""
    raw = getattr(settings, "MAILUP", {})
    if not isinstance(raw, Mapping):
        hint = 'Write MAILUP = {"BASE_URL": ...} with the keys that you need, or remove the setting.'
        return [_error("The setting MAILUP is not a dict.", hint, "E001")]
    wrong = {row.name for row in ROWS.values() if row.name in raw and not row.accepts(raw[row.name])}
    values = _accepted_values(raw)
    found = [_unknown_key(key) for key in raw if key not in ROWS]
    found += [_wrong_value(ROWS[name], raw[name]) for name in ROWS if name in wrong]
    if values.CACHE_ALIAS not in settings.CACHES:
        message = f"MAILUP['CACHE_ALIAS'] is {values.CACHE_ALIAS!r}, which is not in CACHES."
        found.append(_error(message, f"Use one of: {', '.join(settings.CACHES)}.", "E010"))
    if not _is_function(values.PREPARE_CONNECTION):
        message = f"MAILUP['PREPARE_CONNECTION'] is {values.PREPARE_CONNECTION!r}, which can't be imported or called."
        found.append(_error(message, ROWS["PREPARE_CONNECTION"].hint, "E012"))
    found += _check_http(values)
    found += _check_key_function(values.ENCRYPTION_KEYS)
    found += _check_origin(values.CALLBACK_ORIGIN)
    if not wrong & {"REFRESH_MARGIN", "REFRESH_PERIOD"} and values.REFRESH_MARGIN <= 2 * values.REFRESH_PERIOD:
        found.append(
            _error(
                "MAILUP['REFRESH_MARGIN'] is not more than twice REFRESH_PERIOD: tokens could expire between two runs"
                " of the periodic task.",
                "Raise REFRESH_MARGIN above twice REFRESH_PERIOD, or run the task more often and lower REFRESH_PERIOD.",
                "E007",
            )
        )
    if not settings.USE_TZ:
        hint = "Set USE_TZ = True, Django's default."
        found.append(_error("USE_TZ is off, but django_mailup needs aware datetimes.", hint, "E008"))
    return found


def _accepted_values(raw: Mapping[str, Any]) -> MailUpSettings:
    """Return the settings of a dict, where the default replaces each value that its row doesn't accept."""
    accepted = {name: raw[name] for name, row in ROWS.items() if name in raw and row.accepts(raw[name])}
    return MailUpSettings(lambda: accepted)


def _unknown_key(key: object) -> checks.CheckMessage:
    near = difflib.get_close_matches(str(key).upper(), ROWS, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"The keys are: {', '.join(ROWS)}."
    return _error(f"MAILUP has no key {key!r}.", REMOVED_KEYS.get(str(key), hint), "E002")


def _wrong_value(row: Setting[Any], value: object) -> checks.CheckMessage:
    shown = "" if row.is_secret else f"is {value!r}, which "
    return _error(f"MAILUP[{row.name!r}] {shown}is not {row.expects}.", row.hint, row.check)


def _is_function(path: str) -> bool:
    try:
        return callable(import_string(path))
    except ImportError:
        return False


def _check_http(values: MailUpSettings) -> Iterable[checks.CheckMessage]:
    from .mailup.endpoints import may_be_insecure  # it imports requests, which django.setup() does without

    url = urlsplit(values.BASE_URL)
    if url.scheme == "http" and not may_be_insecure(url.hostname or "", values.INSECURE_HOSTS):
        message = "MAILUP['BASE_URL'] is plain http to another machine: tokens would be sent unencrypted."
        yield _error(message, f"{ROWS['BASE_URL'].hint} In development, name its host in INSECURE_HOSTS.", "E006")
    if values.INSECURE_HOSTS and not settings.DEBUG:
        message = "MAILUP['INSECURE_HOSTS'] is not empty, although DEBUG is off: tokens would be sent unencrypted."
        yield _error(message, "Remove it, and use https.", "E009")


def _check_key_function(keys: tuple[str, ...] | str) -> Iterable[checks.CheckMessage]:
    """Return E005 if the function for the keys can't be imported. It isn't called: it may ask another server."""
    if isinstance(keys, str) and not _is_function(keys):
        yield _error(f"MAILUP['ENCRYPTION_KEYS'] names no function: {keys}.", ROWS["ENCRYPTION_KEYS"].hint, "E005")


def _check_origin(origin: str) -> Iterable[checks.CheckMessage]:
    if origin.startswith("http:") and not settings.DEBUG:
        message = "MAILUP['CALLBACK_ORIGIN'] is plain http: authorization codes would be sent unencrypted."
        yield _error(message, "Use https.", "E014")
    if not origin or is_origin(origin):
        return
    if not _is_function(origin):
        yield _error(
            f"MAILUP['CALLBACK_ORIGIN'] is {origin!r}, where no function is.", ROWS["CALLBACK_ORIGIN"].hint, "E014"
        )


def check_security(**kwargs: Any) -> list[checks.CheckMessage]:
    """Return W001 to W008: what is unwise in production."""
    from .mailup.endpoints import is_loopback  # it imports requests, which django.setup() does without

    found: list[checks.CheckMessage] = []
    raw = getattr(settings, "MAILUP", {})
    if not isinstance(raw, Mapping):
        return found
    values = _accepted_values(raw)
    if not settings.DEBUG and is_loopback(urlsplit(values.BASE_URL).hostname or ""):
        hint = "Remove BASE_URL to use MailUp itself."
        found.append(_warning("MAILUP['BASE_URL'] is an address of this machine, although DEBUG is off.", hint, "W001"))
    if not settings.DEBUG and os.environ.get("OAUTHLIB_INSECURE_TRANSPORT"):
        hint = "Remove it from the environment: with it every OAuth library in this process accepts plain http."
        found.append(_warning("The environment has OAUTHLIB_INSECURE_TRANSPORT, although DEBUG is off.", hint, "W002"))
    if not settings.DEBUG and logging.getLogger("requests_oauthlib").getEffectiveLevel() <= logging.DEBUG:
        hint = "Set that logger to INFO: at DEBUG the library logs tokens and client secrets."
        found.append(_warning("The logger requests_oauthlib is at DEBUG, although DEBUG is off.", hint, "W003"))
    entry = getattr(settings, "CELERY_BEAT_SCHEDULE", {}).get(TASK, {})
    every, period = entry.get("schedule"), values.REFRESH_PERIOD.total_seconds()
    if isinstance(every, (int, float)) and every != period:
        message = (
            f"CELERY_BEAT_SCHEDULE runs the renewal every {every:g} seconds,"
            f" but MAILUP['REFRESH_PERIOD'] is {period:g} seconds."
        )
        hint = "Write CELERY_BEAT_SCHEDULE = mailup_beat_schedule(MAILUP), which schedules REFRESH_PERIOD."
        found.append(_warning(message, hint, "W005"))
    cache = settings.CACHES.get(values.CACHE_ALIAS, {}).get("BACKEND", "")
    if not settings.DEBUG and values.RATE_LIMIT and cache.endswith(UNSHARED_CACHES):
        message = "The cache of MAILUP['CACHE_ALIAS'] is not shared, so processes together can exceed RATE_LIMIT."
        hint = (
            "Use a cache on Redis, Memcached or the database, or set RATE_LIMIT to 0: then MailUp answers 429 to what"
            " is too much."
        )
        found.append(_warning(message, hint, "W006"))
    if not values.CALLBACK_ORIGIN and "*" in settings.ALLOWED_HOSTS:
        message = (
            "MAILUP['CALLBACK_ORIGIN'] is not set and ALLOWED_HOSTS has “*”: a forged Host header would choose where"
        )
        message += " MailUp sends authorization codes."
        hint = "Set CALLBACK_ORIGIN to the origin of this site, or name its hosts in ALLOWED_HOSTS."
        found.append(_warning(message, hint, "W008"))
    if not raw.get("ENCRYPTION_KEYS"):
        hint = (
            "Without keys, stored secrets are encrypted with a key derived from SECRET_KEY, and are lost with it."
            f" Make a key with: {MAKE_KEY} and put it into the list MAILUP['ENCRYPTION_KEYS']."
            " Everything stored stays readable."
        )
        found.append(_warning("MAILUP['ENCRYPTION_KEYS'] is not set.", hint, "W004"))
    return found


def check_database(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Return W010 for each database with rows that no configured key opens.

    Nothing is said before `migrate` has made tables and columns, nor if a function has the keys and this process hasn't
    called it: `mailup_rotate_keys --check` does that.
    """
    found: list[checks.CheckMessage] = []
    tables = {model._meta.db_table for model in (ClientRegistration, Token, AuthorizationRequest)}
    for alias in databases or ():
        if not tables <= set(connections[alias].introspection.table_names()):
            continue
        try:
            with transaction.atomic(using=alias):  # an error would break a transaction of the caller's
                uses = services.keys_in_use(using=alias, ask=False) or []
        except (Misconfigured, DatabaseError):  # E005 says so; or `migrate`, which checks first, is to add a column
            continue
        lost = {use.model: 0 for use in uses}
        for use in uses:
            lost[use.model] += 0 if use.is_configured else use.rows
        counts = ", ".join(f"{rows} of {model}" for model, rows in lost.items() if rows)
        if counts:
            hint = (
                "Put the key back that they were encrypted with: mailup_rotate_keys --check prints the ids. If it is"
                " lost, run mailup_register, and let owners connect again."
            )
            found.append(_warning(f"In the database {alias!r}, no key opens the secrets of: {counts}.", hint, "W010"))
    return found


def _error(message: str, hint: str, number: str) -> checks.CheckMessage:
    return checks.Error(message, hint=hint, id=f"django_mailup.{number}")


def _warning(message: str, hint: str, number: str) -> checks.CheckMessage:
    return checks.Warning(message, hint=hint, id=f"django_mailup.{number}")
