"""OAuth clients and token calls for the tests of grants, client authentication and deadlines."""

from __future__ import annotations

from typing import Any

import pytest

from django_mailup.exceptions import MailUpError
from django_mailup.mailup import OAuthClient, Password
from django_mailup.sandbox import Sandbox

PASSWORD = Password("m12345", "sandbox")
TOKEN = "/Authorization/OAuth/Token"


def make(sandbox: Sandbox, adapter: Any = None, **options: Any) -> OAuthClient:
    return OAuthClient(sandbox.client_id, sandbox.client_secret, adapter=adapter, **options)


def with_error(client: OAuthClient, grant: Any) -> MailUpError:
    """Exchange a grant and return the error that this raises. Check that the error contains no secret."""
    with pytest.raises(MailUpError) as caught:
        client.exchange(grant)
    shown = f"{caught.value!r} {caught.value} {vars(caught.value)}"
    for secret in (Sandbox.client_secret, "secret-token", "sandbox.client_secret"):
        assert secret not in shown
    return caught.value
