"""A text field that is encrypted in the database."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.models.lookups import IsNull

from .crypto import Sealed


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
        return instance.__dict__[name]

    def __set__(self, instance: models.Model, value: Any) -> None:
        if isinstance(value, str):
            value = Sealed.seal(value, self._field.purpose)
        instance.__dict__[self._field.attname] = value


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is encrypted in the database with a key derived for this model and field.

    Assign plain text or a Sealed value; the attribute is a Sealed value. Fixtures hold ciphertext, as the column does.
    """

    purpose = ""

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        self.purpose = f"{cls._meta.label_lower}.{name}"
        setattr(cls, name, _SealedAttribute(self))

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(value, self.purpose)

    def to_python(self, value: Any) -> Sealed | None:
        """Return what a serializer or form passes, a Sealed value or a fixture's ciphertext, as a Sealed value."""
        return value if value is None or isinstance(value, Sealed) else Sealed(str(value), self.purpose)

    def seal(self, secret: str) -> Sealed:
        """Return a secret encrypted for this field."""
        return Sealed.seal(secret, self.purpose)

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        return value.ciphertext if isinstance(value, Sealed) else self.seal(str(value)).ciphertext

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj)) or ""

    def get_lookup(self, lookup_name: str) -> type[IsNull] | None:
        if lookup_name == "isnull":
            return IsNull
        raise FieldError(
            f"{self.name} is encrypted: two equal secrets look different in the database, so it can't be filtered on."
        )
