"""The client that CSV files are imported with."""

from __future__ import annotations

import pytest

from django_mailup.mailup import MailUpClient
from django_mailup.models import Token
from django_mailup.services import client_for_site


@pytest.fixture
def client(site_token: Token) -> MailUpClient:
    """The site's client. It never waits for the limit of calls."""
    return client_for_site(patience=0)
