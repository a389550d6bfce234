"""Rows with encrypted columns: what would part a secret from its row is refused; an old secret never comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import models
from django.db.models import F, Value

from django_mailup.models import AuthorizationRequest, ClientRegistration, Token
from django_mailup.services import rotate_keys
from django_mailup.vault.keyring import newest

from ..stored import sealed, stored_rows
from .conftest import UseKeys, new_key

pytestmark = pytest.mark.django_db
Connect = Callable[..., Token]


@pytest.mark.parametrize("value", ["plain", Value("plain"), F("client_id"), "", None], ids=repr)
def test_an_update_takes_no_text(mailup_registration: ClientRegistration, value: Any) -> None:
    before = stored_rows(ClientRegistration)

    with pytest.raises(FieldError, match="encrypts client_secret for each row"):
        ClientRegistration.objects.update(client_secret=value)
    assert stored_rows(ClientRegistration) == before


def test_a_queryset_of_another_class_takes_no_text_either(mailup_registration: ClientRegistration) -> None:
    with pytest.raises(FieldError, match="plain text"):
        models.QuerySet(ClientRegistration).update(client_secret="plain")


def test_an_update_takes_a_sealed_value(mailup_registration: ClientRegistration) -> None:
    ClientRegistration.objects.update(**sealed(mailup_registration, client_secret="newer"))

    assert ClientRegistration.objects.get().client_secret.reveal() == "newer"


@pytest.mark.parametrize("write", ["bulk_update", "bulk_create"])
def test_bulk_writes_of_a_secret_are_refused(
    mailup_registration: ClientRegistration, mailup_connection: Connect, write: str
) -> None:
    token = mailup_connection(None)
    for row, name in ((mailup_registration, "client_secret"), (token, "access_token")):
        objects: Any = type(row).objects
        arguments: dict[str, Any] = {"fields": [name]}
        if write == "bulk_create":
            arguments = {"update_conflicts": True, "update_fields": [name], "unique_fields": ["id"]}
        with pytest.raises(FieldError, match=f"encrypts {name} for each row"):
            getattr(objects, write)([row], **arguments)


@pytest.mark.parametrize(
    "read",
    [
        lambda: Token.objects.values(),
        lambda: Token.objects.values_list(),
        lambda: Token.objects.values("pk", "access_token"),
        lambda: Token.objects.values_list("refresh_token", flat=True),
        lambda: Token.objects.values(secret=F("access_token")),
        lambda: Token.objects.values_list("registration__client_secret"),
        lambda: AuthorizationRequest.objects.values("code_verifier"),
        lambda: ClientRegistration.objects.values("tokens__access_token"),
    ],
    ids=["all", "all in a list", "named", "flat", "expression", "joined", "of a request", "backwards"],
)
def test_values_of_a_secret_are_refused(read: Callable[[], Any], mailup_connection: Connect) -> None:
    mailup_connection(None)

    with pytest.raises(FieldError, match=r"part .* from its row"):
        list(read())


def test_values_of_other_columns_are_read(mailup_connection: Connect) -> None:
    token = mailup_connection(None)

    assert list(Token.objects.values("pk", "registration__slug")) == [{"pk": token.pk, "registration__slug": "default"}]
    assert Token.objects.annotate(one=Value(1)).values_list("one", flat=True).get() == 1
    assert Token.objects.values_list("company").annotate(models.Count("pk")).get() == (token.company, 1)


@pytest.mark.parametrize(
    "narrow",
    [
        lambda rows: rows.only("access_token"),
        lambda rows: rows.only("company").only("access_token"),
        lambda rows: rows.defer("key"),
        lambda rows: rows.defer("key", "company"),
        lambda rows: rows.only("access_token", "company").defer("company"),
        lambda rows: rows.only(),
        lambda rows: rows.defer(None),
    ],
    ids=["only", "only twice", "defer", "defer two", "only and defer", "only nothing", "defer nothing"],
)
def test_the_key_of_the_row_is_always_loaded(
    narrow: Callable[[Any], Any], mailup_connection: Connect, django_assert_num_queries: Any
) -> None:
    secret = mailup_connection(None).access_token.reveal()

    with django_assert_num_queries(1):
        token = narrow(Token.objects.all()).get()
        assert token.access_token.reveal() == secret


def test_the_registrations_own_rows_keep_it_too(
    mailup_registration: ClientRegistration, django_assert_num_queries: Any
) -> None:
    secret = mailup_registration.client_secret.reveal()

    with django_assert_num_queries(1):
        assert ClientRegistration.objects.only("client_secret").get().client_secret.reveal() == secret


# ------------------------------------------------------------------------------------------- saving an instance


def test_saving_what_was_read_before_a_rotation_does_not_bring_the_old_ciphertext_back(
    mailup_registration: ClientRegistration, use_keys: UseKeys, old_key: str
) -> None:
    read_before = ClientRegistration.objects.get()
    new = new_key()
    use_keys(new, old_key)
    assert rotate_keys().encrypted == 1
    read_before.name = "New name"
    read_before.save()

    stored = ClientRegistration.objects.get()
    assert stored.name == "New name"
    assert stored.client_secret.key_id == newest().id


def test_saving_does_not_bring_a_replaced_secret_back(mailup_registration: ClientRegistration) -> None:
    read_before = ClientRegistration.objects.get()
    mailup_registration.client_secret = "newer"
    mailup_registration.save()
    read_before.save()

    assert ClientRegistration.objects.get().client_secret.reveal() == "newer"


def test_a_secret_that_was_assigned_is_saved_once(mailup_registration: ClientRegistration) -> None:
    mailup_registration.client_secret = "first"
    mailup_registration.save(update_fields=["name"])
    assert ClientRegistration.objects.get().client_secret.reveal() != "first"
    mailup_registration.save()
    assert ClientRegistration.objects.get().client_secret.reveal() == "first"
    ClientRegistration.objects.update(**sealed(mailup_registration, client_secret="second"))
    mailup_registration.save()
    assert ClientRegistration.objects.get().client_secret.reveal() == "second"

    again = ClientRegistration.objects.get()
    again.client_secret = again.client_secret.for_row(again.key)
    again.save()
    assert ClientRegistration.objects.get().client_secret == again.client_secret


def test_a_deferred_column_is_not_saved(
    mailup_registration: ClientRegistration, django_assert_num_queries: Any
) -> None:
    narrow = ClientRegistration.objects.only("name").get()
    narrow.name = "New name"
    ClientRegistration.objects.update(client_id="another")
    with django_assert_num_queries(1):  # nor is it read, which would write what another process is about to replace
        narrow.save()

    assert ClientRegistration.objects.values_list("name", "client_id").get() == ("New name", "another")
