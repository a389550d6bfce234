"""Keys, and a site that changes them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings as django_settings

from django_mailup.vault import keyring

from . import kms as kms_module

UseKeys = Callable[..., None]


def new_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture
def old_key() -> str:
    """The key that the tests' settings have."""
    return str(django_settings.MAILUP["ENCRYPTION_KEYS"][0])


@pytest.fixture
def use_keys(settings: Any) -> UseKeys:
    """A function that sets ENCRYPTION_KEYS: to keys, newest first, or to the dotted path of a function."""

    def use(*keys: str, path: str = "") -> None:
        settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": path or list(keys)}

    return use


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The site's vault, which this process hasn't asked yet: set `answer`, and look at `calls`."""
    monkeypatch.setattr(keyring, "_ring", None)
    monkeypatch.setattr(kms_module, "answer", [])
    monkeypatch.setattr(kms_module, "calls", 0)
    return kms_module
