"""client_for: whose connection it takes, what it costs, and when it renews."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import override_settings
from django.views.debug import ExceptionReporter

from django_mailup.exceptions import (
    MailUpUnavailable,
    MultipleConnections,
    NotConnected,
    RateLimited,
    ReauthorizationRequired,
    Unauthorized,
    UnexpectedResponse,
)
from django_mailup.mailup.transport import pooled_adapter
from django_mailup.models import ClientRegistration, Token
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_for, client_for_site, client_of, connect_with_password, register

pytestmark = pytest.mark.django_db
Connect = Callable[..., Token]
CACHE = "django.core.cache.backends.locmem.LocMemCache"


def test_a_user_gets_their_own_connection(mailup_connection: Connect, user: Any, other_user: Any) -> None:
    mailup_connection(user)
    mailup_connection(other_user, username="m67890")

    assert client_for(user).account.info().username == "m12345"
    assert client_for(other_user).account.info().username == "m67890"


def test_the_site_has_its_own(mailup_connection: Connect, user: Any) -> None:
    mailup_connection(user)
    with pytest.raises(NotConnected):
        client_for_site(registration="default")

    mailup_connection(None, username="m67890")
    assert client_for_site(registration="default").account.info().username == "m67890"
    assert client_for_site().account.info().username == "m67890"


@pytest.mark.parametrize(
    ("nobody", "error"), [(AnonymousUser(), NotConnected), (None, TypeError), ("ada", TypeError), (1, TypeError)]
)
def test_nobody_never_acts_as_the_site(mailup_connection: Connect, nobody: Any, error: type[Exception]) -> None:
    mailup_connection(None)

    with pytest.raises(error):
        client_for(nobody)


def test_several_accounts_must_be_named(mailup_connection: Connect, user: Any, other_user: Any) -> None:
    first, second = mailup_connection(user), mailup_connection(user, username="m67890")

    with pytest.raises(MultipleConnections):
        client_for(user)
    assert client_for(user, account="8765").account.info().username == "m67890"
    assert client_for(user, account=first).account.info().username == "m12345"
    with pytest.raises(NotConnected):
        client_for(user, account="no such")
    with pytest.raises(NotConnected):
        client_for(other_user, account=second)


def test_a_named_connection_is_known_by_its_key(mailup_connection: Connect, user: Any) -> None:
    token = mailup_connection(user)
    Token.objects.update(key=uuid.uuid4())  # a row of the same primary key, as in another schema

    with pytest.raises(NotConnected):
        client_for(user, account=token)


def test_the_limit_of_answers_is_a_setting(mailup_connection: Connect, user: Any, settings: Any) -> None:
    mailup_connection(user)
    settings.MAILUP = {**settings.MAILUP, "ANSWER_LIMIT": 10}

    with pytest.raises(UnexpectedResponse, match="larger than this site reads"):
        client_for(user).account.info()


def test_the_timeout_of_each_read_is_a_setting(mailup_connection: Connect, user: Any, settings: Any) -> None:
    mailup_connection(user)
    settings.MAILUP = {**settings.MAILUP, "TIMEOUT": 7}

    assert client_for(user)._transport._timeout == (7, 7)


def test_the_deadline_of_a_request_is_a_setting(
    mailup_connection: Connect, user: Any, mailup_server: str, mailup_sandbox: Sandbox, settings: Any
) -> None:
    mailup_connection(user)
    settings.MAILUP = {**settings.MAILUP, "API_DEADLINE": 0.3}
    mailup_sandbox.fail_with("drip", seconds=0.05, path="Send")

    with pytest.raises(MailUpUnavailable, match="in time"):
        client_for(user).request("POST", "/Console/Email/Send")


def test_the_size_of_the_pool_is_a_setting(
    mailup_connection: Connect, user: Any, mailup_server: str, settings: Any
) -> None:
    mailup_connection(user)
    settings.MAILUP = {**settings.MAILUP, "POOL_SIZE": 7}
    client_for(user).account.info()

    pools = pooled_adapter(7).poolmanager.pools  # type: ignore[attr-defined]
    assert [pools[key].pool.maxsize for key in pools.keys()] == [7]  # noqa: SIM118 - urllib3 refuses to iterate


def test_a_disabled_registration_gives_no_client(mailup_connection: Connect, user: Any) -> None:
    mailup_connection(user)
    ClientRegistration.objects.update(enabled=False)

    with pytest.raises(NotConnected):
        client_for(user)


def test_a_dead_connection_is_told_at_once(mailup_connection: Connect, user: Any, mailup_requests: list[Any]) -> None:
    mailup_connection(user)
    Token.objects.update(status=Token.Status.REAUTHORIZATION_REQUIRED)
    mailup_requests.clear()

    with pytest.raises(ReauthorizationRequired):
        client_for(user)
    assert mailup_requests == []


def test_a_client_costs_one_query_and_its_calls_none(
    mailup_connection: Connect, user: Any, django_assert_num_queries: Any
) -> None:
    mailup_connection(user)

    with django_assert_num_queries(1):
        client = client_for(user)
    with django_assert_num_queries(0):
        client.account.info()
        list(client.lists.all())


def test_an_expired_token_is_renewed_in_three_queries(
    mailup_connection: Connect, user: Any, clock: Any, django_assert_num_queries: Any, mailup_sandbox: Sandbox
) -> None:
    mailup_connection(user)
    client = client_for(user, clock=clock)
    clock.move(seconds=3600 - 20)

    with django_assert_num_queries(3):
        client.account.info()
    assert mailup_sandbox.state.counters["refreshes"] == 1
    token = Token.objects.get()
    assert token.generation == 2
    assert token.refreshed_at == clock()
    with django_assert_num_queries(0):
        client.account.info()


def test_whoever_uses_an_account_shares_its_limit(
    mailup_connection: Connect, user: Any, other_user: Any, mailup_server: str, settings: Any
) -> None:
    """MailUp counts calls of an account at a client, whichever row they go through, and in whichever schema."""
    settings.CACHES = {"default": {"BACKEND": CACHE, "LOCATION": uuid.uuid4().hex}}
    same = mailup_connection(user), mailup_connection(None)
    another = mailup_connection(other_user, username="m67890")
    settings.MAILUP = {**settings.MAILUP, "RATE_LIMIT": 1}
    client_of(same[0], patience=0).account.info()

    with pytest.raises(RateLimited):
        client_of(same[1], patience=0).account.info()
    client_of(another, patience=0).account.info()


def test_another_client_and_another_mailup_have_limits_of_their_own(
    mailup_connection: Connect, user: Any, mailup_server: str, mailup_sandbox: Sandbox, settings: Any
) -> None:
    settings.CACHES = {"default": {"BACKEND": CACHE, "LOCATION": uuid.uuid4().hex}}
    mailup_sandbox.state.clients["second-id"] = "second-secret"
    register(slug="second", name="Second", client_id="second-id", client_secret="second-secret")
    of_first = mailup_connection(user)
    of_second = connect_with_password(username="m12345", password="sandbox", user=user, registration="second")
    settings.MAILUP = {**settings.MAILUP, "RATE_LIMIT": 1}
    for row in (of_first, of_second):
        client_of(row, patience=0).account.info()
        with pytest.raises(RateLimited):
            client_of(row, patience=0).account.info()

    settings.MAILUP = {**settings.MAILUP, "BASE_URL": mailup_server.replace("127.0.0.1", "localhost")}
    client_of(of_first, patience=0).account.info()


def test_rows_whose_account_is_unknown_have_limits_of_their_own(
    mailup_connection: Connect, user: Any, mailup_server: str, settings: Any
) -> None:
    settings.CACHES = {"default": {"BACKEND": CACHE, "LOCATION": uuid.uuid4().hex}}
    rows = mailup_connection(user), mailup_connection(None)
    Token.objects.update(account_uid=None)
    settings.MAILUP = {**settings.MAILUP, "RATE_LIMIT": 1}
    for row in rows:
        row.refresh_from_db()
        client_of(row, patience=0, identify=False).account.info()

    with pytest.raises(RateLimited):
        client_of(rows[0], patience=0).account.info()


def test_a_401_is_answered_by_one_renewal(mailup_connection: Connect, user: Any, mailup_sandbox: Sandbox) -> None:
    mailup_connection(user)
    mailup_sandbox.state.expire_access()

    assert client_for(user).account.info().username == "m12345"
    assert mailup_sandbox.state.counters["refreshes"] == 1


def test_two_calls_whose_token_was_refused_cause_one_renewal(
    mailup_connection: Connect, user: Any, mailup_sandbox: Sandbox
) -> None:
    """As when threads share a client: the second call learns of the refusal when the first has renewed."""
    mailup_connection(user)
    source = client_for(user)._source
    refused = source.get()
    renewed = source.renew(refused)

    assert renewed != refused
    assert source.renew(refused) == renewed
    assert mailup_sandbox.state.counters["refreshes"] == 1


@pytest.mark.parametrize("why", ["expired", "refused"])
def test_a_client_that_may_not_renew_spends_no_refresh_token(
    mailup_connection: Connect, clock: Any, mailup_sandbox: Sandbox, why: str
) -> None:
    client = client_of(mailup_connection(None), clock=clock, renew=False)
    assert client.account.info().username == "m12345"

    if why == "expired":
        clock.move(hours=1)
    else:
        mailup_sandbox.state.expire_access()
    with pytest.raises(Unauthorized, match="must not renew it" if why == "expired" else "Access token is expired"):
        client.account.info()
    assert mailup_sandbox.state.counters["refreshes"] == 0


def test_a_401_after_somebody_else_renewed_uses_their_pair(
    mailup_connection: Connect, user: Any, mailup_sandbox: Sandbox
) -> None:
    mailup_connection(user)
    early, late = client_for(user), client_for(user)
    mailup_sandbox.state.expire_access()
    early.account.info()
    late.account.info()

    assert mailup_sandbox.state.counters["refreshes"] == 1


def test_a_pair_that_is_dead_on_arrival_is_used_once_and_told(
    mailup_connection: Connect, user: Any, mailup_sandbox: Sandbox
) -> None:
    mailup_connection(user)
    mailup_sandbox.configure(access_lifetime=0)
    mailup_sandbox.state.expire_access()

    with pytest.raises(Unauthorized):
        client_for(user).account.info()
    assert mailup_sandbox.state.counters["refreshes"] == 1


def test_a_short_lifetime_does_not_stop_the_client(
    mailup_connection: Connect, user: Any, mailup_sandbox: Sandbox
) -> None:
    mailup_sandbox.configure(access_lifetime=20)
    mailup_connection(user)
    client = client_for(user)

    assert client.account.info().username == "m12345"
    assert client.account.info().username == "m12345"


@pytest.mark.parametrize("path", ["/Token", "Authentication/Info"])
def test_no_error_report_shows_a_secret(
    mailup_connection: Connect, user: Any, mailup_sandbox: Sandbox, path: str
) -> None:
    """Django's error reports contain the local variables of every frame."""
    token = mailup_connection(user)
    mailup_sandbox.state.expire_access()
    mailup_sandbox.fail_with("status", status=503, path=path, times=-1)
    try:
        client_for(user).account.info()
    except MailUpUnavailable:
        reporter = ExceptionReporter(None, *sys.exc_info())
    with override_settings(DEBUG=True):  # with DEBUG, sensitive_variables hides nothing
        report = reporter.get_traceback_html() + reporter.get_traceback_text()

    assert "clients.py" in report
    for secret in (token.access_token.reveal(), token.refresh_token.reveal(), mailup_sandbox.client_secret):
        assert secret not in report


def test_a_withdrawn_grant_asks_for_the_user(mailup_connection: Connect, user: Any, mailup_sandbox: Sandbox) -> None:
    mailup_connection(user)
    client = client_for(user)
    mailup_sandbox.state.revoke()

    with pytest.raises(ReauthorizationRequired):
        client.account.info()
    token = Token.objects.get()
    assert token.status == Token.Status.REAUTHORIZATION_REQUIRED
    assert token.error_code == "reauthorization_required"
