"""Watch every kind of place that could show a secret, while something is done."""

from __future__ import annotations

import io
import json
import logging
import pprint
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from werkzeug.test import TestResponse

from . import reports
from .planted import Planted
from .site import Site


class Watch:
    """What was shown, by kind of place.

    Attributes:
        site: a browser at the site.
        shown: the texts of places that pass: answers, log records, reports, messages to workers.
        objects: what `repr` and `str` are asked about.
        listening: whether log records are noted; not while the test plays the browser at MailUp.
    """

    def __init__(self, planted: Planted, user: Any) -> None:
        self.planted = planted
        self.site = Site(user)
        self.shown: dict[str, list[tuple[str, frozenset[str]]]] = defaultdict(list)
        self.objects: list[object] = []
        self.listening = True

    def note(self, place: str, *texts: object, allowed: Iterable[str] = ()) -> None:
        """Note texts of a place. Secrets of the allowed kinds belong into them."""
        self.shown[place] += [(str(text), frozenset(allowed)) for text in texts]

    def request(
        self,
        method: str,
        path: str,
        fields: dict[str, str] | None = None,
        *,
        allowed: Iterable[str] = (),
        **options: Any,
    ) -> TestResponse:
        """Send a request to the site. Its answer may hold secrets of the allowed kinds."""
        self.site.shown = {"error mail": [], "answer": [], "sentry": []}
        self.site.events = []
        response = self.site.request(method, path, fields or {}, **options)
        place = "debug page" if settings.DEBUG and response.status_code == 500 else "response"
        self.note(place, *self.site.shown["answer"], allowed=allowed)
        self.note("error mail", *self.site.shown["error mail"])
        self._note_events(self.site.events)
        return response

    def run(self, call: Callable[[], Any]) -> Any:
        """Call something outside a request, with reports on. Return its exception, if it raises one, and note it."""
        with reports.sentry() as kept, reports.error_mails() as mails:
            try:
                result: Any = call()
            except Exception as error:
                result = error
                self.objects.append(error)
            self.note("error mail", *reports.texts_of(mails))
            mails.clear()
        self._note_events(kept.events())
        return result

    def command(self, *arguments: Any, **options: Any) -> Any:
        """Run a management command. Return its exception if it raises one."""
        out = io.StringIO()
        result = self.run(lambda: call_command(*arguments, stdout=out, stderr=out, **options))
        self.note("command output", out.getvalue(), result or "")
        return result

    def _note_events(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            self.note("sentry breadcrumbs", json.dumps(event.pop("breadcrumbs", None), ensure_ascii=False))
            self.note("sentry", json.dumps(event, ensure_ascii=False))

    def look(self) -> None:
        """Note what is in the places where things stay."""
        self.note("repr", *(text for each in self.objects for text in _shown_by(each)))
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
                self.note("database", *cursor.fetchall())
        name = str(connection.settings_dict["NAME"])
        if connection.vendor == "sqlite":
            files = [Path(name + end) for end in ("", "-wal", "-journal")]
            self.note("database", *(file.read_bytes().decode("latin-1") for file in files if file.exists()))
        out = io.StringIO()
        call_command("dumpdata", stdout=out)
        self.note("dumpdata", out.getvalue())
        self.note("session", *(session.get_decoded() for session in Session.objects.all()))
        self.note("log entry", *(f"{each} {each.object_repr} {each.change_message}" for each in LogEntry.objects.all()))
        for cache in caches.all():
            self.note("cache", *getattr(cache, "_cache", {}).items())

    def leaks(self) -> dict[str, set[str]]:
        """Return the kinds of secrets that were found, by the place that shows them."""
        found: dict[str, set[str]] = {}
        for place, noted in self.shown.items():
            by_allowed: dict[frozenset[str], dict[str, None]] = defaultdict(dict)
            for text, allowed in noted:
                by_allowed[allowed][text] = None
            kinds = set().union(*(self.planted.found_in(*texts) - allowed for allowed, texts in by_allowed.items()))
            if kinds:
                found[place] = kinds
        return found


def _shown_by(each: object) -> Iterator[str]:
    yield from (repr(each), str(each), pprint.pformat(each))
    if isinstance(each, (Model, BaseException)):
        yield repr(vars(each))


class _Logs(logging.Handler):
    """Notes each record as it is formatted, and everything that it carries."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.NOTSET)
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        if self._watch.listening and not record.name.startswith("werkzeug"):  # the sandbox's server
            self._watch.note("log", self.format(record), vars(record))


@contextmanager
def watching(planted: Planted, user: Any) -> Iterator[Watch]:
    """Watch. All loggers are at DEBUG meanwhile, also that of SQL."""
    watch = Watch(planted, user)
    handler = _Logs(watch)
    found = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    loggers = [logging.root, *found]
    before = [(each, each.level, each.disabled) for each in loggers]
    debug_cursor = connection.force_debug_cursor
    for each in loggers:
        each.setLevel(logging.DEBUG)
        each.disabled = False
        if each is logging.root or not each.propagate:
            each.addHandler(handler)
    connection.force_debug_cursor = True
    try:
        yield watch
    finally:
        connection.force_debug_cursor = debug_cursor
        for each, level, disabled in before:
            each.setLevel(level)
            each.disabled = disabled
            each.removeHandler(handler)
