"""Grants: the form of each, the error of its refusal, and that no `repr` shows a secret."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from django_mailup.exceptions import (
    CodeRefused,
    LoginRefused,
    MailUpError,
    ReauthorizationRequired,
)
from django_mailup.mailup import AuthorizationCode, Grant, OAuthClient, Password, RefreshToken, grants
from django_mailup.sandbox import Sandbox

from .token_calls import with_error

REFUSED = [
    (AuthorizationCode("no", "https://site.example/"), CodeRefused),
    (Password("m12345", "no"), LoginRefused),
    (RefreshToken("no"), ReauthorizationRequired),
]
FORMS = [
    (
        AuthorizationCode("c-1", "https://site.example/"),
        {"grant_type": "authorization_code", "code": "c-1", "redirect_uri": "https://site.example/"},
    ),
    (
        AuthorizationCode("c-1", "https://site.example/", "v-1"),
        {
            "grant_type": "authorization_code",
            "code": "c-1",
            "redirect_uri": "https://site.example/",
            "code_verifier": "v-1",
        },
    ),
    (Password("m12345", "p-1"), {"grant_type": "password", "username": "m12345", "password": "p-1"}),
    (RefreshToken("r-1"), {"grant_type": "refresh_token", "refresh_token": "r-1"}),
]


@pytest.mark.parametrize("shape", ["oauth", "mailup"])
@pytest.mark.parametrize(("grant", "expected"), REFUSED, ids=[type(grant).__name__ for grant, _ in REFUSED])
def test_a_refused_grant_says_which(
    oauth: OAuthClient, sandbox: Sandbox, shape: str, grant: Any, expected: type[MailUpError]
) -> None:
    sandbox.configure(error_shape=shape)

    assert type(with_error(oauth, grant)) is expected


def test_every_grant_is_in_both_tables() -> None:
    known = {each for each in vars(grants).values() if dataclasses.is_dataclass(each)}

    assert {type(grant) for grant, _ in REFUSED} == {type(grant) for grant, _ in FORMS} == known


@pytest.mark.parametrize(("grant", "form"), FORMS, ids=[form["grant_type"] for _, form in FORMS])
def test_the_form_of_a_grant_is_that_of_the_rfc(grant: Grant, form: dict[str, str]) -> None:
    assert grant.form() == form
    assert not any(secret in repr(grant) for secret in ("c-1", "v-1", "p-1", "r-1"))
