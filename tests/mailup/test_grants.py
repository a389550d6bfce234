"""Grants: the form of each, what its refusal means, and that none shows its secret."""

from __future__ import annotations

from typing import Any

import pytest

from django_mailup.exceptions import (
    CodeRefused,
    LoginRefused,
    MailUpError,
    ReauthorizationRequired,
)
from django_mailup.mailup import AuthorizationCode, OAuthClient, Password, RefreshToken
from django_mailup.sandbox import Sandbox

from .token_calls import with_error


@pytest.mark.parametrize("shape", ["oauth", "mailup"])
@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        (AuthorizationCode("no", "https://site.example/"), CodeRefused),
        (Password("m12345", "no"), LoginRefused),
        (RefreshToken("no"), ReauthorizationRequired),
    ],
    ids=["code", "password", "refresh"],
)
def test_a_refused_grant_says_which(
    oauth: OAuthClient, sandbox: Sandbox, shape: str, grant: Any, expected: type[MailUpError]
) -> None:
    sandbox.configure(error_shape=shape)

    assert type(with_error(oauth, grant)) is expected
