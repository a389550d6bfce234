"""The configured encryption keys: which one encrypts, and which one opens a ciphertext.

Keys stay out of local variables and arguments as far as possible, since crash reporters show those. They are attributes
of objects whose `repr` doesn't show them.
"""

from __future__ import annotations

import base64
import os
import secrets
import threading
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Self

from django.conf import settings
from django.utils.module_loading import import_string

from ..conf import app_settings
from ..exceptions import MailUpUnavailable, Misconfigured
from ..setting_kinds import is_dotted_path, is_key

# cryptography is imported where it is used: models import this module, and django.setup() does without it.
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_ID_LENGTH: Final = 12
"""Characters of a key's id, which is hexadecimal."""

ASK_AGAIN_AFTER: Final = 60
"""Seconds between two calls of the site's function because of key ids that aren't known."""

_SALT: Final = b"django_mailup"
_NONCE_LENGTH: Final = 12


class Key:
    """One configured key. What encrypts is derived from it for each column and row.

    Attributes:
        id: names the key in ciphertexts. It is derived from the key, and doesn't help to find it.
        is_secret_key: whether it is made from SECRET_KEY or one of its fallbacks.
    """

    __slots__ = ("_material", "id", "is_secret_key")

    def __init__(self, material: bytes, *, is_secret_key: bool) -> None:
        self._material = material
        self.is_secret_key = is_secret_key
        self.id = self._derived(b"key id", KEY_ID_LENGTH // 2).hex()

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
            ValueError: the text isn't what `encrypt` returns.
            cryptography.exceptions.InvalidTag: the text was changed, or made with another key or context.
        """
        sealed = base64.urlsafe_b64decode(text)
        return self._cipher(context).decrypt(sealed[:_NONCE_LENGTH], sealed[_NONCE_LENGTH:], context).decode()

    def _cipher(self, context: bytes) -> AESGCM:
        """Return the cipher of one column and row: so many are sealed that one key's random nonces would repeat."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._derived(context, 32))

    def _derived(self, info: bytes, length: int) -> bytes:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(algorithm=SHA256(), length=length, salt=_SALT, info=info).derive(self._material)


@dataclass(frozen=True, slots=True, repr=False)
class _Configuration:
    """What the settings say about keys."""

    keys: tuple[str, ...] | str
    """The keys, newest first, or the dotted path of the function that returns them."""
    secret_keys: tuple[str | bytes, ...]
    """SECRET_KEY and its fallbacks, if they are used."""

    @classmethod
    def read(cls) -> Self:
        is_used = app_settings.SECRET_KEY_READS or not app_settings.ENCRYPTION_KEYS
        secret_keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS) if is_used else ()
        return cls(app_settings.ENCRYPTION_KEYS, secret_keys)


class _Ring:
    """The keys of one configuration. The first one encrypts."""

    def __init__(self, configuration: _Configuration) -> None:
        self.configuration = configuration
        self.keys = _load(configuration)
        self.by_id = {key.id: key for key in reversed(self.keys)}
        self.asked_again_at: float | None = None
        self.obstacle = ""
        """Why the site's function gave no keys when it was asked again."""


_lock = threading.Lock()
_ring: _Ring | None = None


def newest() -> Key:
    """Return the key that encrypts.

    Raises:
        MailUpUnavailable: the site's function, which returns the keys, raised an exception.
        Misconfigured: the setting, or what that function returned, is no list of keys.
    """
    return _current().keys[0]


def find(key_id: str) -> Key | None:
    """Return the key of an id, or None if no configured key has it. Raise what `newest` raises.

    If the site has a function for its keys, that is asked again for an id that isn't known, once a minute at most.
    """
    ring = _current()
    if key_id not in ring.by_id and not isinstance(ring.configuration.keys, tuple):
        ring = _ask_again(ring)
        if key_id not in ring.by_id and ring.obstacle:
            raise _no_keys(ring.obstacle)
    return ring.by_id.get(key_id)


def configured(*, ask: bool = True) -> list[Key] | None:
    """Return all keys, the one that encrypts first. Raise what `newest` raises.

    Args:
        ask: whether the site's function may be asked. If not, and this process hasn't the keys yet, return None.
    """
    if not ask and not isinstance(app_settings.ENCRYPTION_KEYS, tuple):
        ring = _ring
        return ring.keys if ring is not None and ring.configuration == _Configuration.read() else None
    return _current().keys


def _current() -> _Ring:
    global _ring
    configuration, ring = _Configuration.read(), _ring
    if ring is None or ring.configuration != configuration:
        with _lock:
            ring = _ring
            if ring is None or ring.configuration != configuration:
                ring = _ring = _Ring(configuration)
    return ring


def _ask_again(ring: _Ring) -> _Ring:
    global _ring
    with _lock:
        if _ring is not ring or (
            ring.asked_again_at is not None and monotonic() - ring.asked_again_at < ASK_AGAIN_AFTER
        ):
            return _ring or ring  # another thread has asked meanwhile, or it is too soon
        ring.asked_again_at = monotonic()
        try:
            answer = _Ring(ring.configuration)
        except MailUpUnavailable as error:
            ring.obstacle = error.cause
            return ring
        answer.asked_again_at = ring.asked_again_at
        _ring = answer
        return answer


def _load(configuration: _Configuration) -> list[Key]:
    if isinstance(configuration.keys, tuple):
        found = _keys_of(configuration.keys)
        if found is None:
            raise Misconfigured("MAILUP['ENCRYPTION_KEYS'] holds something that is no key.")
    elif not is_dotted_path(configuration.keys):  # a key alone, perhaps: it is not shown
        raise Misconfigured("MAILUP['ENCRYPTION_KEYS'] is no list of keys.")
    else:
        found = _answer_of(configuration.keys)
        if not found:  # without keys SECRET_KEY would encrypt, which such a site doesn't want
            raise Misconfigured("The function that MAILUP['ENCRYPTION_KEYS'] names did not return a list of keys.")
    found += [
        Key(key if isinstance(key, bytes) else key.encode(), is_secret_key=True) for key in configuration.secret_keys
    ]
    return found


def _answer_of(path: str) -> list[Key] | None:
    """Return the keys that the site's function returns; None if it returned something else."""
    try:
        function = import_string(path)
    except ImportError:
        raise Misconfigured(f"MAILUP['ENCRYPTION_KEYS'] names {path}, which can't be imported.") from None
    try:
        return _keys_of(function())
    except Exception as error:
        raise _no_keys(type(error).__name__) from None


def _keys_of(values: Any) -> list[Key] | None:
    """Return the keys of a list of texts; None if it is something else. Raise nothing: this frame holds the keys."""
    if not isinstance(values, (list, tuple)) or not all(map(is_key, values)):
        return None
    return [Key(base64.urlsafe_b64decode(each), is_secret_key=False) for each in values]


def _no_keys(cause: str) -> MailUpUnavailable:
    return MailUpUnavailable(reason="keys", may_have_arrived=False, cause=cause)


def _forget() -> None:
    """Forget the keys, and a lock that another thread of the parent process may hold."""
    global _lock, _ring
    _lock, _ring = threading.Lock(), None


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget)
