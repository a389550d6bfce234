"""The base class of models with encrypted columns, and the queryset that keeps each secret with the key of its row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self, TypeVar

from django.core.exceptions import FieldError
from django.core.serializers.base import DeserializationError
from django.db import models
from django.db.models.constants import LOOKUP_SEP

from .fields import ASSIGNED, ROW_KEY, EncryptedTextField, encrypted_fields, row_key
from .sealed import Sealed

M = TypeVar("M", bound=models.Model)


class SealedQuerySet(models.QuerySet[M]):
    """Rows with encrypted columns. What would part a secret from its row is refused."""

    def only(self, *fields: Any) -> Self:
        """Load these fields alone, and the row's key, without which no secret opens."""
        return super().only(*fields, ROW_KEY) if fields else super().only()

    def defer(self, *fields: Any) -> Self:
        """Load all but these fields. The row's key is always loaded."""
        return super().defer(*(field for field in fields if field != ROW_KEY))

    def update(self, **kwargs: Any) -> int:
        """Update as Django does. Raise FieldError if an encrypted column would get anything but a Sealed value."""
        self.refuse_encrypted(name for name, value in kwargs.items() if not isinstance(value, Sealed))
        return super().update(**kwargs)

    def bulk_update(self, objs: Iterable[M], fields: Iterable[str], batch_size: int | None = None) -> int:
        """Update as Django does. Raise FieldError for encrypted columns."""
        fields = list(fields)
        self.refuse_encrypted(fields)
        return super().bulk_update(objs, fields, batch_size)

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        """Create as Django does. Raise FieldError for encrypted columns that existing rows would get."""
        self.refuse_encrypted(kwargs.get("update_fields") or ())
        return super().bulk_create(objs, *args, **kwargs)

    def refuse_encrypted(self, names: Iterable[str]) -> None:
        """Raise FieldError if one of these names is that of an encrypted column."""
        encrypted = {field.name for field in encrypted_fields(self.model)}.intersection(names)
        if encrypted:
            raise FieldError(
                f"{self.model._meta.label} encrypts {' and '.join(sorted(encrypted))} for each row, so text can't be"
                " written in bulk: assign it to each instance, and save that."
            )

    def _values(self, *fields: Any, **expressions: Any) -> Self:  # type: ignore[override]
        """Do the work of `values` and `values_list`. Without names, they would return all columns."""
        named = [getattr(each, "name", each) for each in (*fields, *expressions.values())]  # F() has a name
        for name in named or [field.name for field in encrypted_fields(self.model)]:
            if isinstance(name, str) and self._is_encrypted(name):
                raise FieldError(
                    f"values() and values_list() part {name} from its row, without which it can't be decrypted. Name"
                    " other columns, or read instances."
                )
        clone: Self = super()._values(*fields, **expressions)  # type: ignore[misc]
        return clone

    def _is_encrypted(self, path: str) -> bool:
        try:
            found = self.query.names_to_path(path.split(LOOKUP_SEP), self.model._meta)[1]
        except FieldError:
            return False  # the name of an annotation, or one that Django will refuse
        return isinstance(found, EncryptedTextField)


class SealedModel(models.Model):
    """A model with encrypted columns. Before them it declares `key`, a UUID; and `objects`, from a SealedQuerySet."""

    class Meta:
        abstract = True
        base_manager_name = "objects"  # so that deferred secrets are loaded together with the row's key

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make an instance.

        Raises:
            DeserializationError: a fixture has an encrypted value without the key of its row, or in plain text, which
                would be stored as it is.
        """
        for name, value in kwargs.items():
            if isinstance(value, Sealed) and value and value.row is None:
                label = f"{self._meta.label_lower}: the field"
                if kwargs.get(ROW_KEY) is None:
                    raise DeserializationError(
                        f"{label} “{ROW_KEY}” is missing, without which “{name}” can't be decrypted."
                    )
                if not value.key_id:
                    raise DeserializationError(f"{label} “{name}” is encrypted, but what is given is no ciphertext.")
        super().__init__(*args, **kwargs)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save as Django does. Of the secrets of a stored row, write only those that were assigned.

        The others may have been replaced since the row was read, or encrypted again. `update_fields` writes what it
        names.
        """
        assigned = self.__dict__.get(ASSIGNED, frozenset())
        is_stored = not self._state.adding and kwargs.get("using") in (None, self._state.db)
        if is_stored and not (args or kwargs.get("force_insert")) and kwargs.get("update_fields") is None:
            kept = {name for name in self._bound_secrets() if name not in assigned} | self.get_deferred_fields()
            fields = self._meta.concrete_fields
            kwargs["update_fields"] = [
                field.name for field in fields if not field.primary_key and field.attname not in kept
            ]
        super().save(*args, **kwargs)
        written = kwargs.get("update_fields")
        self.__dict__[ASSIGNED] = frozenset() if written is None else assigned.difference(written)

    def _bound_secrets(self) -> Iterator[str]:
        """Yield the names of the encrypted columns whose value is bound to the key that the row has now."""
        for field in encrypted_fields(type(self)):
            value = self.__dict__.get(field.attname)
            if isinstance(value, Sealed) and value.row == row_key(self):
                yield field.attname
