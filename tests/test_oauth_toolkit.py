"""The whole flow against an authorization server that isn't ours: django-oauth-toolkit, with an exact redirect URI."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import requests
from django.test import Client
from django.utils import timezone

from django_mailup.exceptions import ReauthorizationRequired
from django_mailup.mailup.grants import RefreshToken
from django_mailup.models import Token
from django_mailup.registrations import oauth
from django_mailup.services import client_of, refresh, register

from .journey import led_to

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROOT = Path(__file__).resolve().parent.parent
REDIRECT_URI = "http://testserver/mailup/callback/"
SECRET = "secret"
CLIENTS = {"free": False, "strict": True}
"""The ids of the clients, and whether the server requires PKCE of each."""

CASES = [
    pytest.param("free", {"STATE_IN": "query"}, id="state in query"),
    pytest.param("free", {"STATE_IN": "query", "CLIENT_AUTHENTICATION": "basic"}, id="basic authentication"),
    pytest.param("free", {}, id="defaults"),
    pytest.param("free", {"PKCE": True, "SCOPE": "all"}, id="PKCE that isn't required, and a scope"),
    pytest.param("strict", {"PKCE": True}, id="PKCE that is required"),
]


class Server(NamedTuple):
    """The server, which runs in a process of its own: its base URL, and the file of its database."""

    base_url: str
    database: str

    def revoke(self, token: str) -> None:
        """Revoke a token (RFC 7009), and with it the other one of its pair."""
        form = {"token": token, "client_id": "free", "client_secret": SECRET}
        assert requests.post(f"{self.base_url}/revoke_token/", data=form, timeout=30).status_code == 200

    def expire_access_tokens(self) -> None:
        """Let all access tokens expire, of which the site knows nothing."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute("UPDATE oauth2_provider_accesstoken SET expires = '2000-01-01 00:00:00'")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that answers."""
    database = str(tmp_path_factory.mktemp("toolkit") / "toolkit.sqlite3")
    given = json.dumps({"database": database, "redirect_uri": REDIRECT_URI, "clients": CLIENTS})
    command = [sys.executable, "-m", "tests.oauth_toolkit_server", given]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        assert base_url, "the server did not start"
        yield Server(base_url, database)
        process.kill()


class Person:
    """A user in a browser, which shows this site's pages and the server's."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._session = requests.Session()

    def press_connect(self) -> requests.Response:
        """Press *Connect* on this site, and log in at the server if it asks. Return its page of consent or refusal."""
        page = self._session.get(led_to(self._client.post("/mailup/connect/")))
        if "Log in" in page.text:
            page = self._submit(page, username="m12345", password="sandbox")
        return page

    def answer(self, consent: requests.Response, *, allow: bool) -> Any:
        """Press a button on the page of consent. Return this site's answer to the browser that comes back."""
        answer = self._submit(consent, allow_redirects=False, **({"allow": "Authorize"} if allow else {}))
        assert answer.status_code == 302
        location = urlsplit(answer.headers["Location"])
        assert location._replace(query="").geturl() == REDIRECT_URI
        return self._client.get(f"{location.path}?{location.query}")

    def connect(self) -> Token:
        """Connect an account, and return the connection."""
        page = self._client.get(self.answer(self.press_connect(), allow=True)["Location"])
        assert "m12345" in page.content.decode()
        return Token.objects.get()

    def _submit(self, page: requests.Response, *, allow_redirects: bool = True, **fields: str) -> requests.Response:
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
        form = {name: unescape(value) for name, value in hidden} | fields
        return self._session.post(page.url, data=form, allow_redirects=allow_redirects)

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def use(client: Client, user: Any, server: Server, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that sets this site up as a client of the server, and returns a person who is logged in here."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    client.force_login(user)
    person = Person(client)

    def use(client_id: str, options: dict[str, Any]) -> Person:
        settings.MAILUP = {**settings.MAILUP, "BASE_URL": server.base_url, **options}
        register(name="Toolkit", client_id=client_id, client_secret=SECRET)
        return person

    yield use
    person.close()


@pytest.mark.parametrize(("client_id", "options"), CASES)
def test_a_user_connects_and_the_pair_is_renewed(use: Any, user: Any, client_id: str, options: dict[str, Any]) -> None:
    token = use(client_id, options).connect()

    assert (token.user, token.account_username, token.company) == (user, "m12345", "Toolkit")
    first = (token.access_token.reveal(), token.refresh_token.reveal())
    refresh(token)
    token.refresh_from_db()
    assert token.status == Token.Status.ACTIVE
    assert {token.access_token.reveal(), token.refresh_token.reveal()}.isdisjoint(first)
    refresh(token)
    assert client_of(token).account.info().username == "m12345"


def test_connecting_again_stores_the_newer_pair_in_the_same_row(use: Any) -> None:
    person = use("free", {"STATE_IN": "query"})
    first, again = person.connect(), person.connect()

    assert again.pk == first.pk
    assert again.access_token.reveal() != first.access_token.reveal()


def test_an_access_token_that_the_server_refuses_is_renewed(use: Any, server: Server) -> None:
    token = use("free", {"STATE_IN": "query"}).connect()
    server.expire_access_tokens()

    assert client_of(token).account.info().username == "m12345"
    token.refresh_from_db()
    assert token.generation == 2


def test_a_refresh_token_is_good_for_one_renewal(use: Any) -> None:
    token = use("free", {"STATE_IN": "query"}).connect()
    spent = RefreshToken(token.refresh_token.reveal())
    refresh(token)

    with pytest.raises(ReauthorizationRequired):
        oauth.exchange(token.registration, spent, clock=timezone.now)


def test_a_call_after_the_grant_was_revoked_asks_for_consent(use: Any, server: Server) -> None:
    token = use("free", {"STATE_IN": "query"}).connect()
    server.revoke(token.refresh_token.reveal())

    with pytest.raises(ReauthorizationRequired):
        client_of(token).account.info()
    token.refresh_from_db()
    assert token.status == Token.Status.REAUTHORIZATION_REQUIRED


def test_a_user_who_does_not_allow_it_is_told_so(use: Any) -> None:
    person = use("free", {"STATE_IN": "query"})

    assert person.answer(person.press_connect(), allow=False)["Location"] == "/mailup/failed/authorization_denied/"
    assert not Token.objects.exists()


def test_a_wrong_client_secret_is_refused(use: Any) -> None:
    person = use("free", {"STATE_IN": "query"})
    register(name="Toolkit", client_id="free", client_secret="wrong")

    assert person.answer(person.press_connect(), allow=True)["Location"] == "/mailup/failed/client_rejected/"


def test_the_server_insists_on_the_exact_redirect_uri(use: Any) -> None:
    refusal = use("free", {"STATE_IN": "path"}).press_connect()

    assert refusal.status_code == 400
    assert "Mismatching redirect URI" in refusal.text
