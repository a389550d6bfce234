"""Clients without Django: a pair in memory that is renewed when it expires or is refused, and announced."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from django_mailup.exceptions import LoginRefused, ReauthorizationRequired, Unauthorized
from django_mailup.mailup import MailUpClient, TokenSet
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter
from django_mailup.sandbox.server import serving


@pytest.fixture
def client_of(sandbox: Sandbox, adapter: SandboxAdapter) -> dict[str, Any]:
    return {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret, "adapter": adapter}


def pair(sandbox: Sandbox) -> dict[str, str]:
    made = sandbox.state.redeem_password("m12345", "sandbox", sandbox.client_id)
    return {"access_token": made.access_token, "refresh_token": made.refresh_token}


def by_password(client_of: dict[str, Any], **options: Any) -> MailUpClient:
    return MailUpClient.from_password(username="m12345", password="sandbox", **{**client_of, **options})


def test_a_stored_pair_is_used_until_it_is_refused(sandbox: Sandbox, client_of: dict[str, Any]) -> None:
    seen: list[TokenSet] = []
    client = MailUpClient.from_token(**pair(sandbox), **client_of, on_renewal=seen.append)

    assert client.account.info().username == "m12345"
    assert (seen, sandbox.state.counters["refreshes"]) == ([], 0)
    sandbox.state.expire_access()
    assert client.account.info().username == "m12345"
    assert client.account.info().username == "m12345"
    assert sandbox.state.counters["refreshes"] == 1
    assert [sandbox.state.is_live(sandbox.state.find_pair(each.access_token)) for each in seen] == [True]  # type: ignore[arg-type]


@pytest.mark.parametrize("minutes", [-5, 0.5])
def test_a_token_that_is_about_to_expire_is_renewed_before_the_call(
    sandbox: Sandbox, client_of: dict[str, Any], minutes: float
) -> None:
    seen: list[TokenSet] = []
    expires_at = datetime.now(UTC) + timedelta(minutes=minutes)
    client = MailUpClient.from_token(**pair(sandbox), **client_of, expires_at=expires_at, on_renewal=seen.append)
    client.account.info()
    client.account.info()

    assert len(seen) == 1
    assert seen[0].expires_at > datetime.now(UTC) + timedelta(minutes=50)


def test_a_time_without_zone_is_refused(sandbox: Sandbox, client_of: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expires_at"):
        MailUpClient.from_token(**pair(sandbox), **client_of, expires_at=datetime(2030, 1, 1))


def test_a_refresh_token_is_enough(sandbox: Sandbox, client_of: dict[str, Any], adapter: SandboxAdapter) -> None:
    client = MailUpClient.from_token(refresh_token=pair(sandbox)["refresh_token"], **client_of)

    assert adapter.requests == []
    assert client.account.info().username == "m12345"
    assert sandbox.state.counters["refreshes"] == 1


def test_a_refresh_token_that_is_refused_is_the_end_without_a_password(
    sandbox: Sandbox, client_of: dict[str, Any]
) -> None:
    client = MailUpClient.from_token(**pair(sandbox), **client_of)
    sandbox.state.revoke()

    with pytest.raises(ReauthorizationRequired):
        client.account.info()


def test_a_name_and_password_log_in_at_the_first_call_and_again_after_revocation(
    sandbox: Sandbox, client_of: dict[str, Any], adapter: SandboxAdapter
) -> None:
    seen: list[TokenSet] = []
    client = by_password(client_of, on_renewal=seen.append)
    assert adapter.requests == []
    assert client.account.info().username == "m12345"
    sandbox.state.expire_access()
    assert client.account.info().username == "m12345"
    sandbox.state.revoke()
    assert client.account.info().username == "m12345"

    assert (sandbox.state.counters["refreshes"], len(seen)) == (1, 3)
    with pytest.raises(LoginRefused):
        MailUpClient.from_password(username="m12345", password="wrong", **client_of).account.info()


def test_a_pair_that_could_not_be_stored_is_used_all_the_same(sandbox: Sandbox, client_of: dict[str, Any]) -> None:
    def full(tokens: TokenSet) -> None:
        raise OSError("disk full")

    client = by_password(client_of, on_renewal=full)
    with pytest.raises(OSError, match="disk full"):
        client.account.info()

    assert client.account.info().username == "m12345"
    assert sandbox.state.counters["exchanges"] == 1


def test_a_call_that_is_always_refused_renews_once(sandbox: Sandbox, client_of: dict[str, Any]) -> None:
    client = by_password(client_of)
    client.account.info()
    sandbox.fail_with("status", status=401, path="/Console", times=-1)
    with pytest.raises(Unauthorized):
        client.account.info()

    assert sandbox.state.counters["refreshes"] == 1


def test_threads_that_meet_a_refused_token_renew_once(sandbox: Sandbox, client_of: dict[str, Any]) -> None:
    client = by_password(client_of)
    client.account.info()
    sandbox.state.expire_access()
    together = threading.Barrier(8)
    names: list[str] = []

    def call() -> None:
        together.wait(10)
        names.append(client.account.info().username)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)

    assert names == ["m12345"] * 8
    assert sandbox.state.counters["refreshes"] == 1


def test_threads_that_meet_an_expired_token_renew_once(sandbox: Sandbox, client_of: dict[str, Any]) -> None:
    refresh_token, second = pair(sandbox)["refresh_token"], threading.Event()
    client = MailUpClient.from_token(refresh_token=refresh_token, **client_of)
    under_way, names = threading.Event(), []

    def hold(_: str) -> None:
        """Hold the first renewal until another one comes, which never happens; give it time to."""
        if under_way.is_set():
            second.set()
        under_way.set()
        second.wait(0.3)

    def call() -> None:
        names.append(client.account.info().username)

    sandbox.hooks.before_refresh = hold
    first = threading.Thread(target=call)
    first.start()
    under_way.wait()
    others = [threading.Thread(target=call) for _ in range(3)]
    for each in others:
        each.start()
    for each in (first, *others):
        each.join()

    assert names == ["m12345"] * 4
    assert (sandbox.state.counters["refreshes"], second.is_set()) == (1, False)


def test_no_secret_is_in_a_repr(sandbox: Sandbox, client_of: dict[str, Any]) -> None:
    stored = pair(sandbox)
    client = MailUpClient.from_token(**stored, **client_of)

    assert stored["refresh_token"] not in repr(client) + repr(vars(client)) + repr(vars(client._source))


def test_an_unknown_argument_is_refused(client_of: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="timeuot"):
        by_password(client_of, timeuot=1)


def test_one_line_in_a_process_without_django(sandbox: Sandbox) -> None:
    with serving(sandbox) as base_url:
        program = (
            "import sys\n"
            "from django_mailup.mailup import Endpoints, MailUpClient\n"
            f"client = MailUpClient.from_password(client_id={sandbox.client_id!r}, client_secret="
            f"{sandbox.client_secret!r}, username='m12345', password='sandbox', endpoints=Endpoints({base_url!r}))\n"
            "print(client.account.info().username, 'django' in sys.modules)\n"
        )
        env = {"OAUTHLIB_INSECURE_TRANSPORT": "1", "PYTHONPATH": ":".join(sys.path)}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env)

    assert done.stdout.split() == ["m12345", "False"], done.stderr
