"""`Sealed`, an encrypted value that is bound to its column and row."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.core.exceptions import FieldError

from ..exceptions import DecryptionFailed
from ..frames import forgets_locals
from . import keyring

MASK: Final = "••••••••"
VERSION: Final = "v1"


class Column:
    """An encrypted column.

    Attributes:
        name: of its model and field, such as `django_mailup.token.access_token`.
        may_be_empty: whether a row may have no secret there.
    """

    __slots__ = ("_context", "may_be_empty", "name")

    def __init__(self, name: str, *, may_be_empty: bool) -> None:
        self.name = name
        self.may_be_empty = may_be_empty
        self._context = f"{VERSION} {name} ".encode()

    def context(self, row: UUID) -> bytes:
        """Return what names this column of one row, for deriving its key and as associated data."""
        return self._context + row.bytes


class Sealed:
    """An encrypted secret. Only `reveal` decrypts it, so that one unreadable row doesn't break a list of rows.

    Attributes:
        ciphertext: as it is stored: version, id of the key, nonce and encrypted text; empty if there is no secret.
        column: the column it was encrypted for.
        row: key of its row; None if it was read without its row, such as by an aggregate.
    """

    __slots__ = ("ciphertext", "column", "row")

    def __init__(self, ciphertext: str, column: Column, row: UUID | None = None) -> None:
        self.ciphertext = ciphertext
        self.column = column
        self.row = row

    @classmethod
    @forgets_locals
    def seal(cls, secret: str, column: Column, row: UUID) -> Sealed:
        """Return a secret encrypted with the newest key for one column of one row. The empty string stays empty.

        Raises:
            MailUpUnavailable: the site's function, which returns the keys, raised an exception.
            Misconfigured: the setting ENCRYPTION_KEYS is wrong.
        """
        if not secret:
            return cls("", column, row)
        key = keyring.newest()
        return cls(f"{VERSION}.{key.id}.{key.encrypt(secret, column.context(row))}", column, row)

    def reveal(self) -> str:
        """Return the secret.

        Raises:
            DecryptionFailed: no configured key fits, the ciphertext was made for another column or row, or the column
                has been emptied.
            MailUpUnavailable: the site's function, which returns the keys, raised an exception.
            Misconfigured: the setting ENCRYPTION_KEYS is wrong.
            django.core.exceptions.FieldError: it was read without its row.
        """
        if not self.ciphertext:
            if self.column.may_be_empty:
                return ""
            raise DecryptionFailed(reason="empty")
        if self.row is None:
            raise FieldError(f"{self.column.name} was read without its row: read an instance to decrypt it.")
        key = keyring.find(self.key_id) if self.key_id else None
        if key is None:
            raise DecryptionFailed
        try:
            return key.decrypt(self.ciphertext.rpartition(".")[2], self.column.context(self.row))
        except ValueError:
            raise DecryptionFailed from None

    def for_row(self, row: UUID) -> Sealed:
        """Return the same secret, encrypted with the newest key for another row or anew for its own.

        Raise what `reveal` raises.
        """
        return Sealed.seal(self.reveal(), self.column, row)

    @property
    def key_id(self) -> str:
        """The id of the key that it is encrypted with; empty if it is no ciphertext of ours."""
        version, _, rest = self.ciphertext.partition(".")
        return rest.partition(".")[0] if version == VERSION else ""

    def is_current(self) -> bool:
        """Return whether it is encrypted with the newest key, or empty. If not, seal it again."""
        return not self.ciphertext or self.key_id == keyring.newest().id

    def __bool__(self) -> bool:
        return bool(self.ciphertext)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and (other.ciphertext, other.column.name) == (
            self.ciphertext,
            self.column.name,
        )

    def __hash__(self) -> int:
        return hash((self.ciphertext, self.column.name))

    def __str__(self) -> str:
        return MASK if self.ciphertext else ""

    def __repr__(self) -> str:
        return "<Sealed>" if self.ciphertext else "<Sealed: empty>"
