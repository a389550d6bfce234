"""Encrypt every secret again with the newest key, beside processes that use and renew them; and count rows per key."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.db import OperationalError, connections, models, router, transaction
from django.db.models import Count, Q
from django.db.models.functions import Left

from ..exceptions import DecryptionFailed
from . import keyring
from .fields import KeyIdField, encrypted_fields
from .sealed import VERSION, Sealed

BATCH_SIZE: Final = 200
"""Rows that are written in one transaction, and so are locked together."""

MOST_PASSES: Final = 10
"""Passes over the tables. Each does what was locked, or was written with an old key, during the one before."""

PAUSE: Final = 0.2
"""Seconds to wait after a pass that met nothing but locked rows."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation has done.

    Attributes:
        key_id: id of the newest key.
        encrypted: how many times a row was encrypted again.
        left: rows that still need another key: none opens them, or they go on being written with an old one.
    """

    key_id: str
    encrypted: int
    left: int


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How many rows of a model are encrypted with one key.

    Attributes:
        model: its label, such as `django_mailup.Token`.
        key_id: id of the key; empty for secrets that are missing, or no ciphertext of ours.
        rows: how many.
        is_newest: whether it is the key that encrypts now.
        is_configured: whether the settings have this key, so that the rows can be read.
    """

    model: str
    key_id: str
    rows: int
    is_newest: bool
    is_configured: bool


def rotate_keys(*, using: str | None = None, progress: Progress | None = None) -> Rotation:
    """Encrypt every secret that isn't encrypted with the newest key again with it.

    It may run beside everything else, be interrupted, and run again. It writes ciphertext and key id alone, and a row
    only if its ciphertext is still what was read; rows that are locked or were changed are left for the next pass.

    Args:
        using: alias of the database; by default the one that the routers write to.
        progress: called after each batch with a model's label, how many of its rows were looked at, and of how many.

    Raises:
        MailUpUnavailable: the site's function, which returns the keys, raised an exception.
        Misconfigured: the setting ENCRYPTION_KEYS is wrong.
    """
    key_id, encrypted = keyring.newest().id, 0
    for _ in range(MOST_PASSES):
        written, is_complete = 0, True
        for model in models_with_secrets():
            table = _Table(model, using or router.db_for_write(model), key_id)
            for batch in table.batches(progress):
                done, skipped = table.encrypt_again(batch)
                written, is_complete = written + done, is_complete and not skipped
        encrypted += written
        if is_complete and not written:
            break
        if not written:
            time.sleep(PAUSE)
    return Rotation(key_id, encrypted, rows_that_need_another_key(using=using))


def rows_that_need_another_key(*, using: str | None = None) -> int:
    """Return how many rows aren't encrypted with the newest key alone. Raise what `rotate_keys` raises."""
    key_id = keyring.newest().id
    return sum(
        _Table(model, using or router.db_for_write(model), key_id).old().count() for model in models_with_secrets()
    )


def keys_in_use(*, using: str | None = None, ask: bool = True) -> list[KeyUse] | None:
    """Return for each model and key how many rows are encrypted with it. Raise what `rotate_keys` raises.

    Args:
        using: alias of the database; by default the one that the routers write to.
        ask: whether the site's function may be asked for the keys. If not, and this process hasn't them, return None.
    """
    keys = keyring.configured(ask=ask)
    if keys is None:
        return None
    known = {key.id for key in keys}
    found = []
    for model in models_with_secrets():
        for key_id, rows in sorted(_rows_per_key(model, using or router.db_for_write(model)).items()):
            found.append(KeyUse(model._meta.label, key_id, rows, key_id == keys[0].id, key_id in known))
    return found


def models_with_secrets() -> list[type[models.Model]]:
    """Return the models of this package that have encrypted columns."""
    return [model for model in apps.get_app_config("django_mailup").get_models() if encrypted_fields(model)]


def _rows_per_key(model: type[models.Model], using: str) -> dict[str, int]:
    rows = model._base_manager.using(using).order_by()
    column = _key_id_field(model)
    if column is not None:
        return dict(rows.values_list(column.attname).annotate(Count("pk")))
    from .key import ID_LENGTH

    start, found = f"{VERSION}.", dict[str, int]()
    for field in encrypted_fields(model):
        if field.sealed_column.may_be_empty:
            rows = rows.exclude(**{field.attname: Sealed("", field.sealed_column)})
        prefixes = rows.annotate(prefix=Left(field.attname, len(start) + ID_LENGTH))
        for prefix, count in prefixes.values_list("prefix").annotate(Count("pk")):
            key_id = prefix.removeprefix(start) if prefix.startswith(start) else ""
            found[key_id] = found.get(key_id, 0) + count
    return found


def _key_id_field(model: type[models.Model]) -> KeyIdField | None:
    return next((field for field in model._meta.concrete_fields if isinstance(field, KeyIdField)), None)


class _Table:
    """The rows of one model in one database, seen from the newest key."""

    def __init__(self, model: type[models.Model], using: str, key_id: str) -> None:
        self._using, self._newest = using, key_id
        self._rows: models.QuerySet[Any] = model._base_manager.using(using).order_by("pk")
        self._fields, self._key_id = encrypted_fields(model), _key_id_field(model)
        self._label = model._meta.label

    def old(self) -> models.QuerySet[Any]:
        """Return the rows that aren't encrypted with the newest key alone."""
        condition = Q() if self._key_id is None else ~Q(**{self._key_id.attname: self._newest})
        for field in self._fields:
            has_secret = ~Q(**{field.attname: Sealed("", field.sealed_column)})
            condition |= has_secret & ~Q(**{f"{field.attname}__key_id": self._newest})
        return self._rows.filter(condition)

    def batches(self, progress: Progress | None) -> Iterator[Sequence[Any]]:
        """Yield the old rows in batches, each with its secrets as they are now."""
        rows = self.old().only(*(field.attname for field in (*self._fields, self._key_id) if field is not None))
        last_pk, seen, total = None, 0, rows.count() if progress else 0
        while batch := list((rows if last_pk is None else rows.filter(pk__gt=last_pk))[:BATCH_SIZE]):
            yield batch
            last_pk, seen = batch[-1].pk, seen + len(batch)
            if progress:
                progress(self._label, min(seen, total), total)

    def encrypt_again(self, batch: Sequence[Any]) -> tuple[int, int]:
        """Encrypt rows with the newest key. Return how many were written, and how many must be tried again."""
        changes = [(row, columns) for row in batch if (columns := self._columns(row)) is not None]
        try:
            with transaction.atomic(using=self._using):
                free = self._not_locked([row.pk for row, _ in changes])
                written = sum(self._write(row, columns) for row, columns in changes if row.pk in free)
        except OperationalError:  # a deadlock, or a lock of SQLite's that wasn't given up in time
            written = 0
        return written, len(changes) - written

    def _columns(self, row: Any) -> dict[str, Any] | None:
        """Return what changes on a row; None if a secret can't be read."""
        try:
            columns: dict[str, Any] = {
                field.attname: sealed.for_row(row.key)
                for field in self._fields
                if not (sealed := getattr(row, field.attname)).is_current()
            }
        except DecryptionFailed:
            return None
        if self._key_id is not None:
            columns[self._key_id.attname] = self._newest
        return columns

    def _not_locked(self, pks: list[Any]) -> set[Any]:
        """Lock these rows, and return which; a row that somebody else has locked is left out, not waited for."""
        if not connections[self._using].features.has_select_for_update_skip_locked:
            return set(pks)
        rows = self._rows.filter(pk__in=pks).select_for_update(skip_locked=True)
        return set(rows.values_list("pk", flat=True))

    def _write(self, row: Any, columns: dict[str, Any]) -> int:
        as_read = {field.attname: getattr(row, field.attname) for field in self._fields}
        return self._rows.filter(pk=row.pk, key=row.key, **as_read).order_by().update(**columns)
