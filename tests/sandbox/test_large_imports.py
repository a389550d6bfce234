"""Large imports: the work grows with the rows alone, and others are answered meanwhile."""

from __future__ import annotations

import itertools
import json
import sys
import threading
from typing import Any

import pytest
import requests

from django_mailup.sandbox import Options, Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

SERVICE = "https://services.mailup.com/API/v1.1/Rest/ConsoleService.svc"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(Options(rate_limit=0, import_seconds=0.0))


def call(sandbox: Sandbox, path: str, rows: list[dict[str, Any]] | None = None) -> Any:
    """Make a GET, or a POST of rows, as the user of the account."""
    pair = sandbox.state.redeem_password("m12345", "sandbox", sandbox.client_id)
    with requests.Session() as session:
        session.mount("https://", SandboxAdapter(sandbox))
        session.headers["Authorization"] = f"Bearer {pair.access_token}"
        url = SERVICE + path
        answer = session.get(url) if rows is None else session.post(url, data=json.dumps(rows))
        return answer.json()


def people(count: int) -> list[dict[str, Any]]:
    return [
        {"Email": f"p{number}@example.com", "MobileNumber": str(3330000 + number), "MobilePrefix": "+39"}
        for number in range(count)
    ]


def work(sandbox: Sandbox, count: int) -> int:
    """Return how many functions are called to carry out an import of new people."""
    import_id = call(sandbox, "/Console/List/1/Recipients", people(count))
    calls = itertools.count()
    sys.setprofile(lambda frame, event, argument: next(calls) if event in ("call", "c_call") else None)
    try:
        sandbox.state.carry_out_imports(sandbox.state.users["m12345"].account)
    finally:
        sys.setprofile(None)
    assert call(sandbox, f"/Console/Import/{import_id}")["CreatedRecipients"] == count
    return next(calls)


def test_ten_times_the_rows_are_ten_times_the_work() -> None:
    small, large = (work(Sandbox(Options(rate_limit=0, import_seconds=0.0)), count) for count in (300, 3000))

    assert large < 12 * small


def test_others_are_answered_while_an_import_is_carried_out(sandbox: Sandbox) -> None:
    import_id = call(sandbox, "/Console/List/1/Recipients", people(1000))
    account = sandbox.state.users["m12345"].account
    seen: list[bool] = []
    before = sandbox.clock
    importing = threading.get_ident()

    def clock() -> float:
        """Ask for the import's state in another thread, in the midst of the import."""
        if threading.get_ident() == importing and 0 < len(account.recipients) < 1000 and not seen:
            other = threading.Thread(target=lambda: seen.append(call(sandbox, path)["Completed"]), daemon=True)
            other.start()
            other.join()
        return before()

    path = f"/Console/Import/{import_id}"
    sandbox.clock = clock

    assert call(sandbox, path)["Completed"] is True
    assert seen == [False]


def test_addresses_and_numbers_that_change_are_found_anew(sandbox: Sandbox) -> None:
    path = "/Console/List/1/Recipient"
    ada = call(sandbox, path, {"Email": "ada@example.com", "MobileNumber": "333", "MobilePrefix": "+39"})  # type: ignore[arg-type]
    assert call(sandbox, path, {"Email": "ada@example.com", "MobileNumber": "444", "MobilePrefix": "39"}) == ada  # type: ignore[arg-type]

    assert call(sandbox, path, {"MobileNumber": "444", "MobilePrefix": "0039"}) == ada  # type: ignore[arg-type]
    assert call(sandbox, path, {"MobileNumber": "333", "MobilePrefix": "+39"}) != ada  # type: ignore[arg-type]
