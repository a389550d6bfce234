"""The admin: secrets are never shown, tokens are read-only, actions report each row and need a permission."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.serializers import serialize
from django.test import Client
from django.utils import timezone

from django_mailup.models import ClientRegistration, Token
from django_mailup.sandbox import Sandbox

from .journey import led_to
from .stored import stored_rows
from .vault.conftest import kms as kms
from .vault.kms import PATH as KMS

pytestmark = pytest.mark.django_db
REGISTRATIONS = "/admin/django_mailup/clientregistration/"
TOKENS = "/admin/django_mailup/token/"
FIELDS = {"name": "Ours", "slug": "default", "enabled": "on", "client_id": "an-id"}


def staff(user: Any, *codenames: str) -> Client:
    user.is_staff = True
    user.save()
    user.user_permissions.set(
        Permission.objects.filter(codename__in=codenames, content_type__app_label="django_mailup")
    )
    client = Client()
    client.force_login(user)
    return client


def act(client: Client, action: str, *tokens: Token) -> str:
    response = client.post(TOKENS, {"action": action, "_selected_action": [t.pk for t in tokens]}, follow=True)
    return response.content.decode()


def test_a_registration_is_added_and_its_secret_never_shown(admin_client: Client) -> None:
    refused = admin_client.post(f"{REGISTRATIONS}add/", FIELDS)
    assert "A client secret is needed." in refused.content.decode()
    assert admin_client.post(f"{REGISTRATIONS}add/", {**FIELDS, "new_secret": "hush-hush"}).status_code == 302
    registration = ClientRegistration.objects.get()
    assert registration.client_secret.reveal() == "hush-hush"

    for path in (REGISTRATIONS, f"{REGISTRATIONS}{registration.pk}/change/"):
        page = admin_client.get(path).content.decode()
        assert "hush-hush" not in page
        assert registration.client_secret.ciphertext not in page


def test_a_secret_that_cannot_be_encrypted_is_an_error_of_the_form(
    admin_client: Client, kms: ModuleType, settings: Any, mailup_registration: Any
) -> None:
    kms.answer = RuntimeError("sealed")
    settings.MAILUP = {**settings.MAILUP, "ENCRYPTION_KEYS": KMS}
    before = stored_rows(ClientRegistration)
    for path in ("add/", f"{mailup_registration.pk}/change/"):
        answer = admin_client.post(
            REGISTRATIONS + path, {**FIELDS, "slug": "other", "client_id": "other", "new_secret": "hush-hush"}
        )
        assert answer.status_code == 200
        assert "encryption keys can&#x27;t be had at the moment (RuntimeError)" in answer.content.decode()
        assert "hush-hush" not in answer.content.decode()
    assert stored_rows(ClientRegistration) == before
    assert admin_client.get(REGISTRATIONS).status_code == 200


def test_a_blank_secret_keeps_the_present_one(admin_client: Client) -> None:
    registration = ClientRegistration.objects.create(**{**FIELDS, "enabled": True}, client_secret="hush")
    change = f"{REGISTRATIONS}{registration.pk}/change/"
    admin_client.post(change, {**FIELDS, "name": "New name", "new_secret": ""})
    registration.refresh_from_db()

    assert registration.name == "New name"
    assert registration.client_secret.reveal() == "hush"


@pytest.mark.parametrize("changed", [{"new_secret": "new"}, {"client_id": "another-id"}], ids=["secret", "id"])
def test_a_corrected_client_is_tried_at_once(admin_client: Client, clock: Any, changed: dict[str, str]) -> None:
    registration = ClientRegistration.objects.create(
        **{**FIELDS, "enabled": True}, client_secret="old", failed_at=clock(), retry_at=clock(), error_code="x"
    )
    url = f"{REGISTRATIONS}{registration.pk}/change/"
    admin_client.post(url, {**FIELDS, "name": "Renamed"})
    registration.refresh_from_db()
    assert registration.failed_at == clock()

    admin_client.post(url, {**FIELDS, **changed})
    registration.refresh_from_db()

    assert (registration.failed_at, registration.retry_at, registration.error_code) == (None, None, "")


def test_a_registration_can_be_viewed_without_the_right_to_change_it(user: Any, mailup_registration: Any) -> None:
    page = staff(user, "view_clientregistration").get(f"{REGISTRATIONS}{mailup_registration.pk}/change/")

    assert page.status_code == 200
    assert "new_secret" not in page.content.decode()


def test_the_connect_buttons_follow_permissions(user: Any, mailup_registration: Any) -> None:
    change = f"{REGISTRATIONS}{mailup_registration.pk}/change/"
    page = staff(user, "view_clientregistration").get(change).content.decode()
    assert "Connect my account" in page
    assert "Connect this site" not in page

    page = staff(user, "view_clientregistration", "connect_site").get(change).content.decode()
    assert "Connect this site" in page


def test_the_redirect_uri_is_there_to_copy(admin_client: Client, mailup_registration: Any, settings: Any) -> None:
    pages = [f"{REGISTRATIONS}{mailup_registration.pk}/change/", f"{REGISTRATIONS}add/"]
    for page in pages:
        assert "http://testserver/mailup/callback/" in admin_client.get(page).content.decode()
    settings.MAILUP = {**settings.MAILUP, "CALLBACK_ORIGIN": "https://news.example"}
    for page in pages:
        assert "https://news.example/mailup/callback/" in admin_client.get(page).content.decode()
    settings.MAILUP = {**settings.MAILUP, "CALLBACK_ORIGIN": "tests.nowhere.origin_of"}
    for page in pages:
        assert "names no function" in admin_client.get(page).content.decode()


def test_who_may_edit_a_registration_cannot_redirect_a_code(user: Any, mailup_registration: Any) -> None:
    """Nothing that the form takes decides where MailUp sends a code."""
    browser = staff(user, "view_clientregistration", "change_clientregistration")
    elsewhere = "https://evil.example/"
    fields = {**FIELDS, "client_id": mailup_registration.client_id}
    fields |= {"redirect_uri": elsewhere, "callback_origin": elsewhere, "echoes_state": "false"}
    assert browser.post(f"{REGISTRATIONS}{mailup_registration.pk}/change/", fields).status_code == 302

    assert "evil.example" not in led_to(browser.post("/mailup/connect/"))
    assert "evil.example" not in serialize("json", ClientRegistration.objects.all())
    assert ClientRegistration.objects.get().echoes_state is None


def test_what_is_known_of_state_can_be_seen_and_forgotten(
    admin_client: Client, user: Any, mailup_registration: Any
) -> None:
    ClientRegistration.objects.update(echoes_state=False)
    assert (
        "MailUp sends state back"
        in admin_client.get(f"{REGISTRATIONS}{mailup_registration.pk}/change/").content.decode()
    )
    data = {"action": "forget_form_of_state", "_selected_action": [mailup_registration.pk]}
    staff(user, "view_clientregistration").post(REGISTRATIONS, data)
    assert ClientRegistration.objects.get().echoes_state is False

    page = admin_client.post(REGISTRATIONS, data, follow=True).content.decode()
    assert "Forgotten for 1 registration." in page
    assert ClientRegistration.objects.get().echoes_state is None


def test_a_registration_in_use_is_not_deleted(admin_client: Client, mailup_connection: Callable[..., Token]) -> None:
    token = mailup_connection(None)
    page = admin_client.post(f"{REGISTRATIONS}{token.registration_id}/delete/", {"post": "yes"})

    assert page.status_code == 200
    assert ClientRegistration.objects.exists()


def test_tokens_are_read_only_and_hidden(admin_client: Client, mailup_connection: Callable[..., Token]) -> None:
    token = mailup_connection(None)
    assert admin_client.get(f"{TOKENS}add/").status_code == 403
    for path in (TOKENS, f"{TOKENS}{token.pk}/change/"):
        page = admin_client.get(path).content.decode()
        assert "m12345" in page
        for sealed in (token.access_token, token.refresh_token):
            assert sealed.reveal() not in page
            assert sealed.ciphertext not in page
    assert 'name="_save"' not in admin_client.get(f"{TOKENS}{token.pk}/change/").content.decode()

    admin_client.post(f"{TOKENS}{token.pk}/change/", {"account_uid": "1", "status": "reauthorization_required"})
    token.refresh_from_db()
    assert (token.account_uid, token.status) == ("4321", Token.Status.ACTIVE)


def test_searching_never_touches_secrets(admin_client: Client, mailup_connection: Callable[..., Token]) -> None:
    mailup_connection(None)

    assert "m12345" in admin_client.get(TOKENS, {"q": "fornaio"}).content.decode()


def test_refresh_now_reports_row_by_row(
    admin_client: Client, mailup_connection: Callable[..., Token], mailup_sandbox: Sandbox
) -> None:
    one, two = mailup_connection(None), mailup_connection(None, username="m67890")
    mailup_sandbox.state.revoke(username="m67890")
    page = act(admin_client, "refresh_now", one, two)

    assert "1 connection renewed." in page
    assert "Account m67890: MailUp has ended this connection" in page
    one.refresh_from_db()
    assert one.generation == 2


def test_test_connection(
    admin_client: Client, mailup_connection: Callable[..., Token], mailup_sandbox: Sandbox
) -> None:
    token = mailup_connection(None)
    assert "1 connection works." in act(admin_client, "test_connection", token)

    mailup_sandbox.fail_with("status", status=503, path="Authentication/Info", times=-1)
    assert "Account m12345: MailUp answered with status 503" in act(admin_client, "test_connection", token)


def test_whoever_may_only_view_spends_no_refresh_token(
    user: Any, mailup_connection: Callable[..., Token], mailup_sandbox: Sandbox, clock: Any
) -> None:
    refused, expired = mailup_connection(None), mailup_connection(None, username="m67890")
    mailup_sandbox.state.expire_access(username="m12345")
    Token.objects.filter(key=expired.key).update(expires_at=timezone.now())
    stored = serialize("json", Token.objects.order_by("pk"))
    page = act(staff(user, "view_token"), "test_connection", refused, expired)

    assert "Account m12345: MailUp refused with status 401" in page
    assert "Account m67890: The access token has expired or was refused" in page
    assert mailup_sandbox.state.counters["refreshes"] == 0
    assert serialize("json", Token.objects.order_by("pk")) == stored


def test_disconnect(admin_client: Client, mailup_connection: Callable[..., Token]) -> None:
    one, two = mailup_connection(None), mailup_connection(None, username="m67890")

    assert "2 accounts disconnected." in act(admin_client, "disconnect", one, two)
    assert not Token.objects.exists()


def test_deleting_one_is_disconnecting_it(
    admin_client: Client, mailup_connection: Callable[..., Token], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "django_mailup")
    token = mailup_connection(None)
    admin_client.post(f"{TOKENS}{token.pk}/delete/", {"post": "yes"})

    assert not Token.objects.exists()
    assert [each for each in caplog.messages if each.startswith("mailup.account_disconnected")]


def test_djangos_own_deletion_of_several_is_not_offered_nor_done(
    admin_client: Client, mailup_connection: Callable[..., Token]
) -> None:
    """It would delete rows without telling anybody. *Disconnect* replaces it."""
    token = mailup_connection(None)
    assert 'value="disconnect"' in (page := admin_client.get(TOKENS).content.decode())
    assert "delete_selected" not in page
    admin_client.post(TOKENS, {"action": "delete_selected", "_selected_action": [token.pk], "post": "yes"})

    assert Token.objects.exists()


def test_deleting_a_user_deletes_their_connections(
    admin_client: Client, mailup_connection: Callable[..., Token], user: Any
) -> None:
    mailup_connection(user)
    admin_client.post(f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"})

    assert not Token.objects.exists()


def test_actions_need_their_permissions(user: Any, mailup_connection: Callable[..., Token]) -> None:
    token = mailup_connection(None)
    page = staff(user, "view_token").get(TOKENS).content.decode()
    assert "Test connection" in page
    assert "Refresh now" not in page
    assert "Delete selected" not in page

    act(staff(user, "view_token"), "refresh_now", token)
    act(staff(user, "view_token"), "disconnect", token)
    assert Token.objects.get().generation == 1


def test_the_reconnect_button_is_for_the_owner(
    admin_client: Client, admin_user: Any, mailup_connection: Callable[..., Token], user: Any
) -> None:
    mine, site, foreign = mailup_connection(admin_user), mailup_connection(None), mailup_connection(user)
    shown = ["Reconnect" in admin_client.get(f"{TOKENS}{t.pk}/change/").content.decode() for t in (mine, site, foreign)]

    assert shown == [True, True, False]


def test_a_connection_cannot_be_changed_by_hand(admin_client: Client, mailup_connection: Callable[..., Token]) -> None:
    token = mailup_connection(None)
    change = f"{TOKENS}{token.pk}/change/"
    stored = stored_rows(Token)

    assert admin_client.get(change).status_code == 200
    assert admin_client.post(change, {"company": "Other", "status": "active", "generation": "9"}).status_code == 403
    assert stored_rows(Token) == stored


def test_what_the_admin_refuses_is_logged(
    user: Any, mailup_connection: Callable[..., Token], caplog: pytest.LogCaptureFixture
) -> None:
    token = mailup_connection(None)
    nobody = staff(user)
    caplog.clear()
    for path in (TOKENS, f"{TOKENS}add/", f"{TOKENS}{token.pk}/change/", f"{TOKENS}{token.pk}/delete/"):
        assert nobody.get(path).status_code == 403
    viewer = staff(user, "view_token")
    act(viewer, "refresh_now", token)
    act(viewer, "no_such_action", token)
    assert viewer.post(f"{TOKENS}{token.pk}/change/", {"company": "Other"}).status_code == 403
    assert viewer.get(REGISTRATIONS).status_code == 403

    records = [record.__dict__["mailup"] for record in caplog.records if record.name == "django_mailup"]
    assert [record["action"].removeprefix("admin.") for record in records] == [
        "token.changelist", "token.add", "token.change", "token.delete", "token.refresh_now", "token.change",
        "clientregistration.changelist",
    ]  # fmt: skip
    assert all(record["reason"] == "no_permission" and record["user"] == str(user.pk) for record in records)
