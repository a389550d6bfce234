"""Odd characters and odd charsets: each view answers, and none with the status 500."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, override_settings

from django_mailup.models import AuthorizationRequest, Token

pytestmark = pytest.mark.django_db
DISCONNECT = "/mailup/disconnect/6f9619ff-8b86-4011-b42d-00c04fc964ff/"
# Without a query: Django itself can't make a request of a query in some of these codecs.
PAGES = ["/mailup/", "/mailup/connect/", "/mailup/callback/x/", DISCONNECT, "/mailup/failed/error/"]
FORMS = ["/mailup/connect/", DISCONNECT]
ODD = ["hex", "base64", "zlib", "rot13", "utf-16", "utf-7", "idna", "undefined", "latin-1", "klingon", "x" * 300]


@pytest.fixture
def browser(client: Client, user: Any, mailup_registration: Any) -> Client:
    client.force_login(user)
    return client


@pytest.mark.parametrize("charset", ODD)
@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=b", "application/x-www-form-urlencoded"])
def test_another_charset_than_utf_8_is_a_bad_request(browser: Client, kind: str, charset: str) -> None:
    content_type = f"{kind}; charset={charset}"
    for page in PAGES:
        assert browser.get(page, headers={"content-type": content_type}).status_code == 400
    for page in FORMS:
        assert browser.generic("POST", page, b"next=a", content_type=content_type).status_code == 400


@pytest.mark.parametrize("charset", ODD)
@pytest.mark.parametrize("page", ["clientregistration/", "clientregistration/add/", "token/"])
def test_the_admin_refuses_another_charset_as_well(admin_client: Client, page: str, charset: str) -> None:
    path = f"/admin/django_mailup/{page}"
    form = b'--b\r\nContent-Disposition: form-data; name="new_secret"\r\n\r\nplanted\r\n--b--\r\n'
    content_type = f"multipart/form-data; boundary=b; charset={charset}"
    with override_settings(DEBUG=True):  # Django's page for it shows the form
        response = admin_client.generic("POST", path, form, content_type=content_type)

    assert response.status_code == 400
    assert "planted" not in response.content.decode()
    assert admin_client.get(path, headers={"content-type": f"text/plain; charset={charset}"}).status_code == 400


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "klingon"])
def test_a_callback_in_another_charset_is_a_bad_request(browser: Client, charset: str) -> None:
    headers = {"content-type": f"text/plain; charset={charset}"}

    assert browser.get("/mailup/callback/?code=x&state=y", headers=headers).status_code == 400


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", '"utf-8"'])
def test_utf_8_is_fine_however_it_is_spelled(browser: Client, charset: str) -> None:
    assert browser.get("/mailup/", headers={"content-type": f"text/plain; charset={charset}"}).status_code == 200


@pytest.mark.parametrize(
    "value", ["%00", "%ED%A0%80", "%FF%FE", "%C0%80", "%0D%0A", "%E2%80%AE", "9" * 5000, "-1", "%"]
)
def test_odd_characters_in_parameters_are_answered(browser: Client, value: str) -> None:
    for name in ("registration", "reconnect", "for_site", "next"):
        assert browser.get(f"/mailup/connect/?{name}={value}").status_code == 200
        form = "application/x-www-form-urlencoded"
        assert browser.post("/mailup/connect/", f"{name}={value}", content_type=form).status_code in (302, 200, 404)
    for query in (f"code={value}&state=x", f"code=x&state={value}", f"error={value}", f"code={value}"):
        assert browser.get(f"/mailup/callback/?{query}").status_code in (200, 302)
    assert browser.get(f"/mailup/callback/{value}/?code=x").status_code in (302, 404)
    assert browser.get(f"/mailup/disconnect/{value}/").status_code == 404
    assert browser.get(f"/mailup/failed/{value}/").status_code == 404

    assert Token.objects.count() == 0
    assert AuthorizationRequest.objects.count() <= 20


@pytest.mark.parametrize("length", ["x", "9" * 30, "1e3"])
@pytest.mark.parametrize("page", PAGES)
def test_a_length_that_is_none_is_refused(browser: Client, page: str, length: str) -> None:
    form = "application/x-www-form-urlencoded"
    assert browser.generic("POST", page, b"a=b", form, CONTENT_LENGTH=length).status_code == 400


@pytest.mark.parametrize("page", [*PAGES, "/admin/django_mailup/token/"])
def test_a_session_that_no_database_looks_for_is_refused(client: Client, page: str) -> None:
    # As browsers may send it: newer releases of Python refuse to put a NUL into `client.cookies`.
    assert client.get(page, HTTP_COOKIE='sessionid="a\\000b"').status_code == 400
