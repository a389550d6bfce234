"""The configured encryption keys: which one encrypts, and which one opens a ciphertext.

Keys stay out of local variables and arguments as far as possible, since crash reporters show those. They are attributes
of objects whose `repr` doesn't show them.
"""

from __future__ import annotations

import base64
import os
import threading
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils.module_loading import import_string

from ..conf import app_settings
from ..exceptions import MailUpUnavailable, Misconfigured
from ..setting_kinds import is_dotted_path, is_key

if TYPE_CHECKING:
    from .key import Key

ASK_AGAIN_AFTER: Final = 60
"""Seconds between two calls of the site's function because of key ids that aren't known."""

FAIL_FAST: Final = 5
"""Seconds after a failure of the site's function, for which it isn't asked for its first keys again.

It may take long to fail, and a job has many tokens, whose claims run out meanwhile.
"""


class _Configuration:
    """What the settings say about keys.

    Attributes:
        keys: the keys, newest first, or the dotted path of the function that returns them.
        secret_keys: SECRET_KEY and its fallbacks, if they are used.
    """

    __slots__ = ("keys", "secret_keys")

    def __init__(self) -> None:
        """Read the settings. This is done for each secret, so a change is noticed."""
        is_used = app_settings.SECRET_KEY_READS or not app_settings.ENCRYPTION_KEYS
        self.secret_keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS) if is_used else ()
        self.keys = app_settings.ENCRYPTION_KEYS

    def agrees_with(self, other: _Configuration) -> bool:
        """Return whether another one says the same."""
        return self.keys == other.keys and self.secret_keys == other.secret_keys


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
_failure: tuple[float, str] | None = None
"""When the site's function failed to give its first keys, by `monotonic`, and the name of its exception's class."""


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
    if key_id not in ring.by_id and isinstance(ring.configuration.keys, str):
        ring = _ask_again(ring)
        if key_id not in ring.by_id and ring.obstacle:
            raise _no_keys(ring.obstacle)
    return ring.by_id.get(key_id)


def configured(*, ask: bool = True) -> list[Key] | None:
    """Return all keys, the one that encrypts first. Raise what `newest` raises.

    Args:
        ask: whether the site's function may be asked. If not, and this process hasn't the keys yet, return None.
    """
    if not ask and isinstance(app_settings.ENCRYPTION_KEYS, str):
        ring = _ring
        return ring.keys if ring is not None and ring.configuration.agrees_with(_Configuration()) else None
    return _current().keys


def _current() -> _Ring:
    global _ring
    configuration, ring = _Configuration(), _ring
    if ring is None or not ring.configuration.agrees_with(configuration):
        with _lock:
            ring = _ring
            if ring is None or not ring.configuration.agrees_with(configuration):
                ring = _ring = _first_ring(configuration)
    return ring


def _first_ring(configuration: _Configuration) -> _Ring:
    global _failure
    if isinstance(configuration.keys, str) and _failure is not None and monotonic() - _failure[0] < FAIL_FAST:
        raise _no_keys(_failure[1])
    try:
        return _Ring(configuration)
    except MailUpUnavailable as error:
        _failure = monotonic(), error.cause
        raise


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
    from .key import Key

    return found + [Key(key if isinstance(key, bytes) else key.encode()) for key in configuration.secret_keys]


def _answer_of(path: str) -> list[Key] | None:
    """Return the keys that the site's function returns; None if it returned something else."""
    try:
        function = import_string(path)
    except ImportError:
        raise Misconfigured(f"MAILUP['ENCRYPTION_KEYS'] names {path}, which can't be imported.") from None
    except Exception as error:  # of its module, which may ask the vault when it is loaded
        raise _no_keys(type(error).__name__) from None
    try:
        return _keys_of(function())
    except Exception as error:
        raise _no_keys(type(error).__name__) from None


def _keys_of(values: Any) -> list[Key] | None:
    """Return the keys of a list of texts; None if it is something else. Raise nothing: this frame holds the keys."""
    if not isinstance(values, (list, tuple)) or not all(map(is_key, values)):
        return None
    from .key import Key

    return [Key(base64.urlsafe_b64decode(each)) for each in values]


def _no_keys(cause: str) -> MailUpUnavailable:
    return MailUpUnavailable(reason="keys", may_have_arrived=False, cause=cause)


def _forget() -> None:
    """Forget the keys, and a lock that another thread of the parent process may hold."""
    global _lock, _ring, _failure
    _lock, _ring, _failure = threading.Lock(), None, None


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget)
