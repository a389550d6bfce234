"""Connect, reconnect and disconnect in Chromium under a strict Content Security Policy, with JavaScript on and off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_mailup.models import ClientRegistration, Token

from .person import Person

pytestmark = pytest.mark.browser
WITHOUT_JAVASCRIPT = pytest.mark.parametrize("javascript", [False], indirect=True, ids=["no javascript"])
PRIMARY = "rgb(11, 107, 203)"  # the colour of a primary button in styles.css


def test_a_user_connects_reconnects_and_disconnects(
    person: Callable[[Any], Person], user: Any, mailup_registration: ClientRegistration
) -> None:
    ada = person(user)
    ada.open("/mailup/connect/?next=/mailup/%3Ffrom%3Dhere%26a%3D1")
    assert ada.style(".mailup-button.primary", "backgroundColor") == PRIMARY
    ada.press("Connect MailUp")
    ada.log_in_to_mailup()
    assert "MailUp account m12345 is connected." in ada.arrive("/mailup/?from=here&a=1")
    assert Token.objects.get().generation == 1

    ada.press("Reconnect")
    ada.log_in_to_mailup()
    assert "MailUp account m12345 is connected." in ada.arrive("/mailup/")
    assert Token.objects.get().generation == 2

    ada.press("Disconnect")
    assert "Disconnect m12345?" in ada.arrive(f"/mailup/disconnect/{Token.objects.get().key}/")
    ada.press("Disconnect")
    assert "No MailUp account is connected yet." in ada.arrive("/mailup/")
    assert not Token.objects.exists()
    assert ada.complaints == []


@WITHOUT_JAVASCRIPT
def test_a_user_who_does_not_allow_it(
    person: Callable[[Any], Person], user: Any, mailup_registration: ClientRegistration
) -> None:
    ada = person(user)
    ada.open("/mailup/")
    ada.press("Connect MailUp")
    ada.log_in_to_mailup(decision="Deny")

    ada.arrive("/mailup/failed/authorization_denied/")
    assert ada.style(".mailup-button.primary", "backgroundColor") == PRIMARY


def test_the_buttons_of_the_admin(
    person: Callable[[Any], Person], admin_user: Any, mailup_registration: ClientRegistration
) -> None:
    change = f"/admin/django_mailup/clientregistration/{mailup_registration.pk}/change/"
    admin = person(admin_user)
    for button, arrives_at, owner in (
        ("Connect my account", "/mailup/", admin_user),
        ("Connect this site", change, None),
    ):
        admin.open(change)
        assert admin.style(".mailup-tool button", "borderRadius") == "15px"
        admin.press(button)
        admin.log_in_to_mailup()
        assert "MailUp account m12345 is connected." in admin.arrive(arrives_at)
        assert Token.objects.filter(user=owner).count() == 1
    assert admin.complaints == []


@WITHOUT_JAVASCRIPT
def test_the_admin_reconnects_the_site(
    person: Callable[[Any], Person], admin_user: Any, mailup_connection: Callable[..., Token]
) -> None:
    change = f"/admin/django_mailup/token/{mailup_connection(None).pk}/change/"
    admin = person(admin_user)
    admin.open(change)
    admin.press("Reconnect")
    admin.log_in_to_mailup()

    admin.arrive(change)
    assert Token.objects.get().generation == 2
    assert admin.complaints == []


@WITHOUT_JAVASCRIPT
def test_a_strict_session_cookie(
    person: Callable[[Any], Person], user: Any, mailup_registration: ClientRegistration, settings: Any
) -> None:
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    ada = person(user)
    ada.open("/mailup/")
    ada.press("Connect MailUp")
    ada.log_in_to_mailup()

    assert "MailUp account m12345 is connected." in ada.arrive("/mailup/")
    assert Token.objects.get().user == user
    assert ada.complaints == []


def test_chromium_blocks_what_the_pages_avoid(person: Callable[[Any], Person], user: Any, mailup_server: str) -> None:
    ada = person(user)
    ada.open(f"/forbidden/redirect/?to={mailup_server}/_sandbox/")
    ada.press_in_vain("Go", "form-action 'self'")
    ada.open("/forbidden/inline/")

    assert ada.style("p", "color") != "rgb(1, 2, 3)"
    assert any("default-src 'self'" in complaint for complaint in ada.complaints)


@WITHOUT_JAVASCRIPT
def test_django_refuses_a_form_of_a_page_without_referrer(
    person: Callable[[Any], Person], user: Any, mailup_server: str
) -> None:
    ada = person(user)
    ada.open("/forbidden/form/")
    ada.press("Go")

    ada.wait_for("CSRF verification failed")
