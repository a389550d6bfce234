"""Encryption of stored secrets: the keys, and `Sealed`, an encrypted value."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from django.conf import settings

from .conf import app_settings
from .exceptions import DecryptionFailed, Misconfigured
from .frames import forgets_locals
from .setting_kinds import is_key

# cryptography is imported where it is used: models import this module, and django.setup() does without it.
if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

MASK: Final = "••••••••"


class Sealed:
    """An encrypted secret. Only `reveal` decrypts it, so that one unreadable row doesn't break a list of rows."""

    __slots__ = ("ciphertext", "purpose")

    def __init__(self, ciphertext: str, purpose: str) -> None:
        self.ciphertext = ciphertext
        self.purpose = purpose

    @classmethod
    @forgets_locals
    def seal(cls, secret: str, purpose: str) -> Sealed:
        """Return a secret encrypted for one purpose: a model and field. The empty string stays empty."""
        return cls(_fernet(purpose).encrypt(secret.encode()).decode() if secret else "", purpose)

    @forgets_locals
    def reveal(self) -> str:
        """Return the secret.

        Raises:
            DecryptionFailed: no configured key fits, or the ciphertext was made for another purpose.
        """
        if not self.ciphertext:
            return ""
        from cryptography.fernet import InvalidToken

        try:
            return _fernet(self.purpose).decrypt(self.ciphertext.encode()).decode()
        except (InvalidToken, ValueError):
            raise DecryptionFailed from None

    @forgets_locals
    def is_current(self) -> bool:
        """Return whether it is encrypted with the newest key. If not, seal it again."""
        from cryptography.fernet import InvalidToken

        newest = _fernet(self.purpose)._fernets[0]
        try:
            newest.decrypt(self.ciphertext.encode())
        except InvalidToken:
            return not self.ciphertext
        return True

    def __bool__(self) -> bool:
        return bool(self.ciphertext)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and (other.ciphertext, other.purpose) == (self.ciphertext, self.purpose)

    def __hash__(self) -> int:
        return hash((self.ciphertext, self.purpose))

    def __str__(self) -> str:
        return MASK if self.ciphertext else ""

    def __repr__(self) -> str:
        return "<Sealed>" if self.ciphertext else "<Sealed: empty>"


def _fernet(purpose: str) -> MultiFernet:
    secret_keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return _fernet_of(app_settings.ENCRYPTION_KEYS, secret_keys, purpose)


@lru_cache(maxsize=64)
def _fernet_of(keys: tuple[str, ...], secret_keys: tuple[str | bytes, ...], purpose: str) -> MultiFernet:
    """Return the keys of one purpose, derived from every configured key; those of SECRET_KEY last, for reading only."""
    from cryptography.fernet import Fernet, MultiFernet

    if not all(map(is_key, keys)):
        raise Misconfigured("MAILUP['ENCRYPTION_KEYS'] holds something that is no Fernet key.")
    materials = [base64.urlsafe_b64decode(key) for key in keys]
    materials += [key if isinstance(key, bytes) else key.encode() for key in secret_keys]
    return MultiFernet([Fernet(_derive(material, purpose)) for material in materials])


def _derive(material: bytes, purpose: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    key = HKDF(algorithm=SHA256(), length=32, salt=b"django_mailup", info=purpose.encode()).derive(material)
    return base64.urlsafe_b64encode(key)
