"""A text field that is encrypted in the database, and the column with the id of the key that encrypted it."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.core.exceptions import FieldError
from django.db import models
from django.db.models.lookups import Exact, IsNull, StartsWith

from ..frames import forgets_locals
from .sealed import VERSION, Column, Sealed

ROW_KEY: Final = "key"
"""The field that names a row. It must be declared before the encrypted ones: Django assigns fields in that order."""

ASSIGNED: Final = "_assigned_secrets"
"""The attribute of an instance that names the encrypted columns assigned since it was read or saved."""


class _SealedAttribute:
    """Encrypt text when it is assigned, so that an instance never holds a plain secret."""

    def __init__(self, field: EncryptedTextField) -> None:
        self._field = field

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        if instance is None:
            return self
        name = self._field.attname
        if name not in instance.__dict__:  # deferred
            instance.refresh_from_db(fields=[name])
        value = instance.__dict__[name]
        if isinstance(value, Sealed) and value.row is None:  # it was read before the row's key
            value.row = row_key(instance)
        return value

    @forgets_locals
    def __set__(self, instance: models.Model, value: Any) -> None:
        column, stored = self._field.sealed_column, instance.__dict__
        was_read = isinstance(value, Sealed) and value.row is None
        if isinstance(value, Sealed):
            if value.column is not column and value.column.name != column.name:
                raise ValueError(f"A value of {value.column.name} can't be one of {column.name}. {_ASSIGN_TEXT}")
            if was_read:  # just now, perhaps without the row's key
                if ROW_KEY in stored:
                    value.row = row_key(instance)
            elif value.row != row_key(instance):
                raise ValueError(f"This value of {column.name} is another row's. {_ASSIGN_TEXT}")
        elif isinstance(value, str):
            value = Sealed.seal(value, column, row_key(instance))
        elif value is not None:
            raise TypeError(f"{column.name} is encrypted: assign text, not {type(value).__name__}.")
        stored[self._field.attname] = value
        if not was_read:
            stored[ASSIGNED] = stored.get(ASSIGNED, frozenset()) | {self._field.attname}


_ASSIGN_TEXT: Final = "Assign its text, which is then encrypted for this one: value.reveal()."


def row_key(instance: models.Model) -> UUID:
    """Return the key that the secrets of a row are bound to."""
    key = getattr(instance, ROW_KEY)
    return key if isinstance(key, UUID) else UUID(str(key))


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is encrypted in the database, bound to this column and to the field `key` of its row.

    Assign plain text; the attribute is a Sealed value. Fixtures hold ciphertext, as the column does.
    """

    sealed_column: Column

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        self.sealed_column = Column(f"{cls._meta.label_lower}.{name}", may_be_empty=self.blank)
        setattr(cls, name, _SealedAttribute(self))

    @forgets_locals
    def seal(self, secret: str, row: UUID) -> Sealed:
        """Return a secret encrypted for this field of the row with this key. Raise what `Sealed.seal` raises."""
        return Sealed.seal(secret, self.sealed_column, row)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(value, self.sealed_column)

    def to_python(self, value: Any) -> Sealed | None:
        """Return what a serializer or form passes, a Sealed value or a fixture's ciphertext, as a Sealed value."""
        return value if value is None or isinstance(value, Sealed) else Sealed(str(value), self.sealed_column)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        if isinstance(value, Sealed) and value.row != row_key(model_instance):
            raise ValueError(
                f"The row's key was changed after {self.sealed_column.name} had been assigned. Assign its text again."
            )
        return value

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Sealed):
            raise FieldError(
                f"{self.name} is encrypted for its row: plain text can be assigned to an instance only, which is then"
                " saved. It can't be filtered on, since two equal secrets look different in the database."
            )
        if value.column.name != self.sealed_column.name:
            raise FieldError(f"A value of {value.column.name} can't be one of {self.sealed_column.name}.")
        return value.ciphertext

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj)) or ""

    def get_lookup(self, lookup_name: str) -> type[models.Lookup[Any]] | None:
        """Return the lookup: `isnull`, `exact` (of a Sealed value: the same ciphertext) or `key_id`."""
        lookups: dict[str, type[models.Lookup[Any]]] = {"isnull": IsNull, "exact": Exact, "key_id": _EncryptedWith}
        if lookup_name not in lookups:
            raise FieldError(
                f"{self.name} is encrypted: two equal secrets look different in the database, so it can't be filtered"
                " on."
            )
        return lookups[lookup_name]


class _EncryptedWith(StartsWith):
    """`column__key_id=...`: whether a column's ciphertext was made with the key of this id."""

    lookup_name = "startswith"  # by which Django finds the database's operator
    prepare_rhs = False

    def get_prep_lookup(self) -> str:
        return f"{VERSION}.{self.rhs}."

    def get_db_prep_lookup(self, value: Any, connection: Any) -> Any:
        return ("%s", [value])


class KeyIdField(models.CharField):  # type: ignore[type-arg]
    """The id of the key that the secrets of a row are encrypted with, so that SQL can count rows per key.

    An insert writes it. Whoever writes the secrets of a stored row by an UPDATE writes this column as well.
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if add:
            secrets = (getattr(model_instance, field.attname) for field in encrypted_fields(type(model_instance)))
            setattr(model_instance, self.attname, next((each.key_id for each in secrets if each), ""))
        return super().pre_save(model_instance, add)


def encrypted_fields(model: type[models.Model]) -> list[EncryptedTextField]:
    """Return the encrypted fields of a model."""
    return [field for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField)]
