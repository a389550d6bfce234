"""Rows as the database holds them, and encrypted values for an UPDATE of one row, as the services write them."""

from __future__ import annotations

from typing import Any, cast

from django.db import connection, models

from django_mailup.vault.fields import EncryptedTextField, row_key
from django_mailup.vault.sealed import Sealed


def stored_rows(model: type[models.Model]) -> list[tuple[Any, ...]]:
    """Return all columns of all rows of a model."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {model._meta.db_table} ORDER BY id")  # noqa: S608
        return list(cursor.fetchall())


def sealed(row: models.Model, **secrets: str) -> dict[str, Sealed]:
    """Return these columns' texts, encrypted for a row."""
    fields = {name: cast(EncryptedTextField, row._meta.get_field(name)) for name in secrets}
    return {name: fields[name].seal(secret, row_key(row)) for name, secret in secrets.items()}
