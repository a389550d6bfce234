"""Encryption keys: which ones decrypt, and which one encrypts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import override_settings

from django_mailup.exceptions import DecryptionFailed, Misconfigured
from django_mailup.models import ClientRegistration, Token
from django_mailup.sandbox import Sandbox
from django_mailup.vault import keyring

from ..stored import sealed

pytestmark = pytest.mark.django_db
Connect = Callable[..., Token]


def test_a_wrong_key_is_said_to_be_one(mailup_connection: Connect, settings: Any) -> None:
    mailup_connection(None)
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}

    with pytest.raises(DecryptionFailed):
        Token.objects.get().access_token.reveal()


@pytest.fixture
def without_keys(settings: Any, mailup_registration: ClientRegistration, mailup_sandbox: Sandbox) -> None:
    """Set up a site that has never set ENCRYPTION_KEYS."""
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": []}
    mailup_registration.client_secret = mailup_sandbox.client_secret
    mailup_registration.save()


def test_setting_keys_later_keeps_every_row_readable(
    without_keys: None, mailup_connection: Connect, settings: Any
) -> None:
    secret = mailup_connection(None).access_token.reveal()

    key = Fernet.generate_key().decode()
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": [key]}
    assert Token.objects.get().access_token.reveal() == secret

    token = Token.objects.get()
    Token.objects.update(**sealed(token, access_token=secret))
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": [Fernet.generate_key().decode(), key]}
    settings.SECRET_KEY = "another"  # not needed for what an explicit key has encrypted
    assert Token.objects.get().access_token.reveal() == secret


def test_secret_key_fallbacks_are_read(without_keys: None, mailup_connection: Connect, settings: Any) -> None:
    secret = mailup_connection(None).access_token.reveal()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]

    assert Token.objects.get().access_token.reveal() == secret


@override_settings(MAILUP={"ENCRYPTION_KEYS": ["short"]})
def test_a_malformed_key_is_never_used() -> None:
    with pytest.raises(Misconfigured):
        keyring.newest()
