"""One encryption key. This module imports cryptography, which `django.setup()` does without: import it at first use."""

from __future__ import annotations

import base64
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ID_LENGTH: Final = 12
"""Characters of a key's id, which is hexadecimal."""

_SALT: Final = b"django_mailup"
_SHA256: Final = SHA256()
_NONCE_LENGTH: Final = 12


class Key:
    """One configured key. What encrypts is derived from it for each column and row.

    Attributes:
        id: names the key in ciphertexts. It is derived from the key, and doesn't help to find it.
    """

    __slots__ = ("_material", "id")

    def __init__(self, material: bytes) -> None:
        self._material = material
        self.id = self._derived(b"key id", ID_LENGTH // 2).hex()

    def __repr__(self) -> str:
        return f"<Key {self.id}>"

    def encrypt(self, secret: str, context: bytes) -> str:
        """Return a secret encrypted by AES-256-GCM, with its random nonce in front, in URL-safe base64.

        Args:
            secret: the text.
            context: its column and row. Decrypting needs the same.
        """
        nonce = secrets.token_bytes(_NONCE_LENGTH)
        return base64.urlsafe_b64encode(nonce + self._cipher(context).encrypt(nonce, secret.encode(), context)).decode()

    def decrypt(self, text: str, context: bytes) -> str:
        """Return the secret that `encrypt` was given.

        Raises:
            ValueError: the text isn't what `encrypt` returned, or was made with another key or context.
        """
        sealed = base64.urlsafe_b64decode(text)
        try:
            return self._cipher(context).decrypt(sealed[:_NONCE_LENGTH], sealed[_NONCE_LENGTH:], context).decode()
        except InvalidTag:
            raise ValueError("the text was changed, or made with another key or context") from None

    def _cipher(self, context: bytes) -> AESGCM:
        """Return the cipher of one column and row: so many are sealed that one key's random nonces would repeat."""
        return AESGCM(self._derived(context, 32))

    def _derived(self, info: bytes, length: int) -> bytes:
        return HKDF(algorithm=_SHA256, length=length, salt=_SALT, info=info).derive(self._material)
