"""One encrypted value: its format, what it is bound to, and what it shows."""

from __future__ import annotations

import base64
import copy
import pickle
import uuid

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError

from django_mailup.exceptions import DecryptionFailed
from django_mailup.vault.keyring import newest
from django_mailup.vault.sealed import Column, Sealed

HERE, THERE = Column("a.row.here", may_be_empty=False), Column("a.row.there", may_be_empty=False)
ROW = uuid.uuid4()


def test_it_opens_in_its_own_column_and_row_alone() -> None:
    sealed = Sealed.seal("hush", HERE, ROW)
    assert sealed.reveal() == "hush"

    for column, row in ((THERE, ROW), (HERE, uuid.uuid4())):
        with pytest.raises(DecryptionFailed):
            Sealed(sealed.ciphertext, column, row).reveal()


def test_the_format_is_version_key_and_text() -> None:
    version, key_id, text = Sealed.seal("hush", HERE, ROW).ciphertext.split(".")

    assert (version, key_id) == ("v1", newest().id)
    assert len(base64.urlsafe_b64decode(text)) == 12 + len("hush") + 16  # nonce and tag


@pytest.mark.parametrize("position", [0, 3, 17, 30, -1])
def test_a_changed_ciphertext_does_not_open(position: int) -> None:
    text = Sealed.seal("hush-hush", HERE, ROW).ciphertext
    changed = list(text)
    changed[position] = "A" if changed[position] != "A" else "B"

    with pytest.raises(DecryptionFailed):
        Sealed("".join(changed), HERE, ROW).reveal()


@pytest.mark.parametrize("text", ["hush", "v1", "v1.", "v1..", f"v1.{newest().id}.", f"v1.{newest().id}.é", "v2.a.b"])
def test_what_is_no_ciphertext_does_not_open(text: str) -> None:
    with pytest.raises(DecryptionFailed):
        Sealed(text, HERE, ROW).reveal()


def test_the_fernet_format_is_not_read(old_key: str) -> None:
    with pytest.raises(DecryptionFailed):
        Sealed(Fernet(old_key).encrypt(b"hush").decode(), HERE, ROW).reveal()


def test_an_emptied_column_is_no_empty_secret() -> None:
    with pytest.raises(DecryptionFailed, match="column has been emptied"):
        Sealed("", HERE, ROW).reveal()
    assert Sealed("", Column("a.row.optional", may_be_empty=True), ROW).reveal() == ""


def test_without_a_row_nothing_opens() -> None:
    sealed = Sealed.seal("hush", HERE, ROW)

    with pytest.raises(FieldError, match="without its row"):
        Sealed(sealed.ciphertext, HERE).reveal()


def test_a_secret_can_be_sealed_for_another_row() -> None:
    other = uuid.uuid4()
    moved = Sealed.seal("hush", HERE, ROW).for_row(other)

    assert (moved.row, moved.reveal()) == (other, "hush")


def test_it_never_shows_what_is_in_it() -> None:
    sealed, empty = Sealed.seal("hush", HERE, ROW), Sealed("", HERE, ROW)

    assert (str(sealed), repr(sealed), f"{sealed}") == ("••••••••", "<Sealed>", "••••••••")
    assert (str(empty), repr(empty), bool(empty)) == ("", "<Sealed: empty>", False)
    for copied in (copy.deepcopy(sealed), pickle.loads(pickle.dumps(sealed))):  # noqa: S301
        assert copied == sealed
        assert hash(copied) == hash(sealed)
        assert copied.reveal() == "hush"
