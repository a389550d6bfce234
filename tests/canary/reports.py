"""What reports of a fault show: error mails with HTML, Django's debug page, and sentry-sdk with local variables."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django
import sentry_sdk
from django.core import mail
from django.test import override_settings
from django.utils.log import AdminEmailHandler
from django.views.debug import ExceptionReporter
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport

# Django 5.2 takes pairs of name and address, and 6.0 warns about them.
ADMINS = ["admin@example.com"] if django.VERSION >= (6, 0) else [("Admin", "admin@example.com")]


class Kept(Transport):
    """A transport that keeps envelopes instead of sending them."""

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)

    def events(self) -> list[dict[str, Any]]:
        items = [item for envelope in self.envelopes for item in envelope.items]
        return [json.loads(item.get_bytes()) for item in items if item.type == "event"]


def drop_callback_url(event: Any, hint: Any) -> Any:
    """Drop what sentry-sdk copies from the server's environment before any view is called; a site must do that."""
    request = event.get("request", {})
    if "/callback/" in request.get("url", ""):
        for name in ("url", "query_string", "headers"):
            request.pop(name, None)
    return event


@contextmanager
def sentry() -> Iterator[Kept]:
    """Report to sentry-sdk, with the local variables of frames and with breadcrumbs of every log record."""
    kept = Kept()
    sentry_sdk.init(
        dsn="http://key@localhost/1",
        transport=kept,
        include_local_variables=True,
        max_request_body_size="always",
        before_send=drop_callback_url,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration(), LoggingIntegration(level=logging.DEBUG)],
    )
    try:
        with sentry_sdk.isolation_scope():
            yield kept
    finally:
        sentry_sdk.get_client().close()
        sentry_sdk.get_global_scope().set_client(None)


@contextmanager
def error_mails() -> Iterator[list[Any]]:
    """Mail every error that any logger gets, with Django's HTML report. Gives the mails that were sent."""
    handler = AdminEmailHandler(include_html=True)
    handler.setLevel(logging.ERROR)
    loggers = [logging.getLogger(), logging.getLogger("django"), logging.getLogger("django_mailup")]
    loggers = [each for each in loggers if each.name == "root" or not each.propagate]
    for each in loggers:
        each.addHandler(handler)
    try:
        with override_settings(ADMINS=ADMINS):
            yield mail.outbox
    finally:
        for each in loggers:
            each.removeHandler(handler)


def texts_of(mails: list[Any]) -> list[str]:
    return [text for each in mails for text in (each.subject, each.body, *(str(a[0]) for a in each.alternatives))]


def crash_reports(call: Callable[[], object]) -> tuple[BaseException, list[str]]:
    """Call something that fails outside a request. Return its exception, and what each kind of report shows of it."""
    shown = []
    with sentry() as kept:
        try:
            call()
        except BaseException as error:
            sentry_sdk.capture_exception(error)
            for debug in (False, True):
                with override_settings(DEBUG=debug):
                    reporter = ExceptionReporter(None, *sys.exc_info())
                    shown += [reporter.get_traceback_html(), reporter.get_traceback_text()]
            failure = error
        else:
            raise AssertionError("it did not fail")
    events = kept.events()
    assert any(frame.get("vars") for frame in _frames(events)), "local variables are on"
    return failure, [*shown, json.dumps(events, ensure_ascii=False)]


def _frames(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    exceptions = [value for event in events for value in event.get("exception", {}).get("values", ())]
    return [frame for each in exceptions for frame in (each.get("stacktrace") or {}).get("frames", ())]
