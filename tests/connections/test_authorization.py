"""Connecting: begin and complete against the sandbox, labels, merging, the password grant, disconnecting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.db import transaction
from django.dispatch import Signal

from django_mailup import signals
from django_mailup.connections import authorization
from django_mailup.exceptions import (
    AccountMismatch,
    AuthorizationDenied,
    ClientRejected,
    CodeRefused,
    LoginRefused,
    MailUpError,
    MailUpUnavailable,
    RegistrationUnavailable,
    StateMismatch,
    TransactionOpen,
    UnexpectedResponse,
)
from django_mailup.models import AuthorizationRequest, ClientRegistration, Token
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter
from django_mailup.services import begin, client_of, complete, connect_with_password, disconnect

SESSION = "the key of a session"
CALLBACK = "https://site.example/mailup/callback/"

pytestmark = pytest.mark.django_db


def consent(sandbox: Sandbox, url: str, username: str = "m12345", **fields: str) -> dict[str, str]:
    """Log in on the sandbox's page, as a browser would, and return what its redirect says."""
    with requests.Session() as browser:
        browser.mount("https://", SandboxAdapter(sandbox))
        form = {
            **{k: v[0] for k, v in parse_qs(urlsplit(url).query).items()},
            "username": username,
            "password": "sandbox",
        }
        answer = browser.post(url, data={**form, "decision": "allow", **fields}, allow_redirects=False)
    location = urlsplit(answer.headers["Location"])
    found = {name: values[0] for name, values in parse_qs(location.query).items()}
    found["path"] = location.path
    return found


class Journey:
    """One user's way through begin, MailUp's page and complete."""

    def __init__(self, sandbox: Sandbox, user: Any) -> None:
        self.sandbox = sandbox
        self.user = user

    def begin(self, **options: Any) -> str:
        return begin(user=self.user, session=SESSION, callback_url=CALLBACK, **options)

    def complete(self, answer: dict[str, str], **options: Any) -> authorization.Completed:
        state = answer["path"].rstrip("/").rsplit("/", 1)[-1]
        arguments = {"user": self.user, "session": SESSION, "received_state": state, "code": answer.get("code", "")}
        return complete(**{**arguments, **options})

    def connect(self, username: str = "m12345", **options: Any) -> authorization.Completed:
        return self.complete(consent(self.sandbox, self.begin(**options), username))


@pytest.fixture
def journey(mailup_sandbox: Sandbox, mailup_registration: ClientRegistration, user: Any) -> Journey:
    return Journey(mailup_sandbox, user)


@pytest.fixture
def heard() -> Any:
    """What the signals said."""
    said: list[tuple[str, dict[str, Any]]] = []
    names = [name for name in dir(signals) if isinstance(getattr(signals, name), Signal)]

    def receiver_of(name: str) -> Any:
        return lambda **kwargs: said.append((name, kwargs))

    receivers = {name: receiver_of(name) for name in names}
    for name, receiver in receivers.items():
        getattr(signals, name).connect(receiver)
    yield said
    for name, receiver in receivers.items():
        getattr(signals, name).disconnect(receiver)


def test_a_connection_is_made_and_named(journey: Journey, heard: Any) -> None:
    completed = journey.connect(next_url="/there/")
    token = completed.token

    assert completed.created
    assert completed.next_url == "/there/"
    assert (token.user, token.account_uid, token.account_username) == (journey.user, "4321", "m12345")
    assert token.company == "Fornaio Rossi"
    assert token.status == Token.Status.ACTIVE
    assert client_of(token).account.info().uid == "4321"
    assert AuthorizationRequest.objects.count() == 0
    assert [name for name, _ in heard] == ["account_connected"]
    assert heard[0][1]["created"] is True
    assert heard[0][1]["token"].user == journey.user


def test_the_state_travels_in_the_path_and_in_the_query(journey: Journey) -> None:
    query = parse_qs(urlsplit(journey.begin()).query)

    assert query["redirect_uri"] == [f"{CALLBACK}{query['state'][0]}/"]


def test_the_query_alone_carries_it_by_choice(journey: Journey, settings: Any) -> None:
    settings.MAILUP = {**settings.MAILUP, "STATE_IN": "query"}
    journey.sandbox.configure(redirect_uri="same")
    url = journey.begin()
    query = parse_qs(urlsplit(url).query)
    assert query["redirect_uri"] == [CALLBACK]

    answer = consent(journey.sandbox, url)
    assert journey.complete(answer, received_state=answer["state"]).created


def test_a_registered_redirect_uri_is_the_base(journey: Journey, mailup_registration: ClientRegistration) -> None:
    mailup_registration.redirect_uri = "https://www.site.example/cb"
    mailup_registration.save()
    query = parse_qs(urlsplit(journey.begin()).query)

    assert query["redirect_uri"] == [f"https://www.site.example/cb/{query['state'][0]}/"]


def test_neither_state_nor_code_is_stored(journey: Journey) -> None:
    state = parse_qs(urlsplit(journey.begin()).query)["state"][0]
    row = AuthorizationRequest.objects.values().get()

    assert all(state not in str(value) and SESSION not in str(value) for value in row.values())


def test_mailup_may_forget_the_state(journey: Journey) -> None:
    journey.sandbox.configure(echo_state=False)
    answer = consent(journey.sandbox, journey.begin())

    assert "state" not in answer
    assert journey.complete(answer).created


def test_a_state_works_once(journey: Journey) -> None:
    answer = consent(journey.sandbox, journey.begin())
    journey.complete(answer)

    with pytest.raises(StateMismatch):
        journey.complete(answer)
    assert Token.objects.count() == 1


@pytest.mark.parametrize("change", [{"received_state": "forged"}, {"session": "another"}, {"code": ""}])
def test_a_foreign_answer_is_refused_and_the_right_one_still_works(journey: Journey, change: Any) -> None:
    answer = consent(journey.sandbox, journey.begin())

    with pytest.raises(StateMismatch):
        journey.complete(answer, **change)
    assert Token.objects.count() == 0
    assert journey.complete(answer).created


def test_another_user_cannot_use_it(journey: Journey, other_user: Any) -> None:
    answer = consent(journey.sandbox, journey.begin())

    with pytest.raises(StateMismatch):
        journey.complete(answer, user=other_user)


def test_a_stale_answer_is_refused(journey: Journey, clock: Any) -> None:
    answer = consent(journey.sandbox, journey.begin(clock=clock))
    clock.move(seconds=601)

    with pytest.raises(StateMismatch):
        journey.complete(answer, clock=clock)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("access_denied", AuthorizationDenied),
        ("temporarily_unavailable", MailUpUnavailable),
        ("<script>", UnexpectedResponse),
    ],
)
def test_an_error_instead_of_a_code(journey: Journey, error: str, expected: type[MailUpError]) -> None:
    answer = consent(journey.sandbox, journey.begin())

    with pytest.raises(expected) as caught:
        journey.complete(answer, code="", error=error)
    assert error not in str(caught.value)
    assert Token.objects.count() == 0


def test_a_code_that_mailup_refuses(journey: Journey) -> None:
    answer = consent(journey.sandbox, journey.begin())

    with pytest.raises(CodeRefused):
        journey.complete(answer, code="stolen")
    assert Token.objects.count() == 0


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 503}, {"kind": "html", "status": 200}, {"kind": "drop"}]
)
def test_an_outage_leaves_nothing_behind(journey: Journey, fault: Any) -> None:
    answer = consent(journey.sandbox, journey.begin())
    journey.sandbox.fail_with(path="/Token", **fault)

    with pytest.raises((MailUpUnavailable, UnexpectedResponse)):
        journey.complete(answer)
    assert Token.objects.count() == 0
    assert AuthorizationRequest.objects.count() == 0


def test_a_wrong_secret_is_said_on_the_registration_and_forgotten_when_corrected(
    journey: Journey, mailup_registration: ClientRegistration
) -> None:
    journey.sandbox.state.clients[journey.sandbox.client_id] = "changed"
    answer = consent(journey.sandbox, journey.begin())

    with pytest.raises(ClientRejected):
        journey.complete(answer)
    mailup_registration.refresh_from_db()
    assert mailup_registration.failed_at is not None

    journey.sandbox.state.clients[journey.sandbox.client_id] = journey.sandbox.client_secret
    journey.connect()
    mailup_registration.refresh_from_db()
    assert mailup_registration.failed_at is None
    assert mailup_registration.error_code == ""


@pytest.mark.parametrize("slug", ["unknown", "default"])
def test_an_unknown_or_disabled_registration(journey: Journey, slug: str) -> None:
    ClientRegistration.objects.update(enabled=False)

    with pytest.raises(RegistrationUnavailable):
        journey.begin(registration=slug)


def test_a_registration_disabled_on_the_way(journey: Journey) -> None:
    answer = consent(journey.sandbox, journey.begin())
    ClientRegistration.objects.update(enabled=False)

    with pytest.raises(RegistrationUnavailable):
        journey.complete(answer)


def test_a_user_deleted_on_the_way(journey: Journey, django_user_model: Any) -> None:
    answer = consent(journey.sandbox, journey.begin())
    django_user_model.objects.filter(pk=journey.user.pk).delete()

    with pytest.raises(StateMismatch):
        journey.complete(answer)
    assert Token.objects.count() == 0


def test_connecting_again_renews_the_same_row(journey: Journey) -> None:
    first = journey.connect().token
    again = journey.connect()

    assert again.token.pk == first.pk
    assert not again.created
    assert again.token.generation == first.generation + 1
    assert again.token.access_token.reveal() != first.access_token.reveal()
    assert Token.objects.count() == 1


def test_several_accounts_are_several_rows(journey: Journey) -> None:
    journey.connect()
    journey.connect("m67890")

    assert sorted(Token.objects.values_list("account_uid", flat=True)) == ["4321", "8765"]


def test_reconnecting_revives_a_dead_row(journey: Journey) -> None:
    token = journey.connect().token
    Token.objects.update(status=Token.Status.REAUTHORIZATION_REQUIRED, error_code="x", failure_count=3)

    revived = journey.connect(reconnect=token).token
    assert revived.pk == token.pk
    assert revived.is_active
    assert (revived.failure_count, revived.error_code) == (0, "")


def test_reconnecting_as_another_account_changes_nothing(journey: Journey) -> None:
    token = journey.connect().token

    with pytest.raises(AccountMismatch, match="m67890"):
        journey.connect("m67890", reconnect=token)
    assert list(Token.objects.values_list("pk", "generation")) == [(token.pk, 1)]


def test_reconnecting_as_another_connected_account_keeps_both_alive(journey: Journey) -> None:
    token, other = journey.connect().token, journey.connect("m67890").token

    with pytest.raises(AccountMismatch):
        journey.connect("m67890", reconnect=token)
    assert list(Token.objects.order_by("pk").values_list("pk", "generation")) == [(token.pk, 1), (other.pk, 2)]


def test_a_pair_is_kept_although_mailup_does_not_say_whose_it_is(journey: Journey) -> None:
    journey.sandbox.fail_with("status", status=500, path="Authentication/Info")
    completed = journey.connect()

    assert completed.created
    assert completed.token.account_uid is None

    assert len(list(client_of(completed.token).lists.all())) == 3
    completed.token.refresh_from_db()
    assert completed.token.account_username == "m12345"


def test_an_unnamed_row_merges_into_the_older_one_at_the_first_call(journey: Journey) -> None:
    older = journey.connect().token
    journey.sandbox.fail_with("status", status=500, path="Authentication/Info")
    unnamed = journey.connect().token
    assert Token.objects.count() == 2

    client = client_of(unnamed)
    list(client.lists.all())
    list(client.lists.all())
    survivor = Token.objects.get()
    assert survivor.pk == older.pk
    assert survivor.access_token.reveal() == unnamed.access_token.reveal()
    assert survivor.generation == 2


def test_the_site_has_its_own_connection_and_only_one_per_account(journey: Journey) -> None:
    mine = journey.connect().token
    first = journey.connect(for_site=True)
    second = journey.connect(for_site=True)

    assert first.token.user is None
    assert second.token.pk == first.token.pk != mine.pk


def test_connecting_inside_a_transaction_is_refused_before_the_code_is_spent(
    transactional_db: None, journey: Journey
) -> None:
    answer = consent(journey.sandbox, journey.begin())

    with transaction.atomic(), pytest.raises(TransactionOpen):
        journey.complete(answer)
    with transaction.atomic(), pytest.raises(TransactionOpen):
        journey.begin()
    assert journey.complete(answer).created


def test_the_password_grant(journey: Journey, heard: Any) -> None:
    token = connect_with_password(username="m12345", password="sandbox")

    assert token.user is None
    assert token.account_username == "m12345"
    assert [name for name, _ in heard] == ["account_connected"]


def test_a_wrong_password(journey: Journey) -> None:
    with pytest.raises(LoginRefused):
        connect_with_password(username="m12345", password="wrong")
    assert Token.objects.count() == 0


def test_disconnecting_inside_a_transaction_tells_after_the_commit(
    transactional_db: None, mailup_connection: Callable[..., Token], heard: Any
) -> None:
    token = mailup_connection(None)
    heard.clear()
    with transaction.atomic():
        disconnect(token)
        assert heard == []
    assert [name for name, _ in heard] == ["account_disconnected"]

    token = mailup_connection(None)
    heard.clear()
    with transaction.atomic():
        disconnect(token)
        transaction.set_rollback(True)
    assert heard == []
    assert Token.objects.filter(pk=token.pk).exists()


def test_disconnecting_deletes_the_row_and_tells(
    mailup_connection: Callable[..., Token], user: Any, heard: Any
) -> None:
    token = mailup_connection(user)
    disconnect(token)
    disconnect(token)

    assert Token.objects.count() == 0
    assert [name for name, _ in heard] == ["account_connected", "account_disconnected"]
    assert not heard[-1][1]["token"].access_token
    assert heard[-1][1]["token"].user == user
