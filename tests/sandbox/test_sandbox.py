"""The sandbox by itself: its options, faults and control endpoints, and an independent client that works with it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import mailupy
import pytest
import requests

from django_mailup.sandbox import Options, Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter
from django_mailup.sandbox.server import serving

MAILUP = "https://services.mailup.com"
TOKEN = f"{MAILUP}/Authorization/OAuth/Token"
LOGON = f"{MAILUP}/Authorization/OAuth/LogOn"
API = f"{MAILUP}/API/v1.1/Rest/ConsoleService.svc"
REDIRECT = "https://site.example/cb"


class Seconds:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def sandbox(clock: Seconds) -> Sandbox:
    return Sandbox(Options(rate_limit=0), clock=clock)


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", SandboxAdapter(sandbox))
        yield session


def credentials(sandbox: Sandbox) -> dict[str, str]:
    return {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}


def log_in(http: requests.Session, **fields: str) -> dict[str, Any]:
    form = {"grant_type": "password", "username": "m12345", "password": "sandbox", **credentials(Sandbox), **fields}
    return http.post(TOKEN, data=form).json()


def renew(http: requests.Session, refresh_token: str) -> requests.Response:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **credentials(Sandbox)}
    return http.post(TOKEN, data=form)


def call(http: requests.Session, access_token: str, path: str = "/Console/Authentication/Info") -> requests.Response:
    return http.get(API + path, headers={"Authorization": f"Bearer {access_token}"})


def code_for(http: requests.Session, redirect_uri: str = REDIRECT) -> str:
    form = {
        "client_id": Sandbox.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "username": "m12345",
        "password": "sandbox",
    }
    answer = http.post(LOGON, data=form, allow_redirects=False)
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def exchange(http: requests.Session, code: str, **fields: str) -> requests.Response:
    return http.post(TOKEN, data={"grant_type": "authorization_code", "code": code, **credentials(Sandbox), **fields})


# -------------------------------------------------------------------------------------- login page


def test_the_login_page_asks_and_keeps_the_request(http: requests.Session) -> None:
    parameters = {"client_id": Sandbox.client_id, "redirect_uri": REDIRECT, "response_type": "code", "state": '"><b>'}
    page = http.get(LOGON, params=parameters)

    assert "Log in and allow" in page.text
    assert '"><b>' not in page.text
    assert f'value="{REDIRECT}"' in page.text


@pytest.mark.parametrize(
    "wrong", [{"client_id": "unknown"}, {"redirect_uri": ""}, {"redirect_uri": "javascript:alert(1)"}]
)
def test_a_request_that_can_not_be_answered_is_not_redirected(http: requests.Session, wrong: dict[str, str]) -> None:
    parameters = {"client_id": Sandbox.client_id, "redirect_uri": REDIRECT, "response_type": "code", **wrong}

    assert http.get(LOGON, params=parameters, allow_redirects=False).status_code == 400


def test_a_wrong_password_shows_the_page_again(http: requests.Session) -> None:
    form = {"client_id": Sandbox.client_id, "redirect_uri": REDIRECT, "response_type": "code", "username": "m12345"}
    page = http.post(LOGON, data={**form, "password": "wrong"}, allow_redirects=False)

    assert page.status_code == 401
    assert "wrong" in page.text


@pytest.mark.parametrize(("echo", "expected"), [(True, "s"), (False, None)])
def test_denying_and_the_state(http: requests.Session, sandbox: Sandbox, echo: bool, expected: str | None) -> None:
    sandbox.configure(echo_state=echo)
    form = {"client_id": Sandbox.client_id, "redirect_uri": f"{REDIRECT}?a=b", "response_type": "code", "state": "s"}
    answer = http.post(LOGON, data={**form, "decision": "deny"}, allow_redirects=False)
    query = parse_qs(urlsplit(answer.headers["Location"]).query)

    assert query["error"] == ["access_denied"]
    assert query["a"] == ["b"]
    assert query.get("state", [None]) == [expected]


def test_another_response_type_is_refused_by_redirect(http: requests.Session) -> None:
    parameters = {"client_id": Sandbox.client_id, "redirect_uri": REDIRECT, "response_type": "token"}

    assert "unsupported_response_type" in http.get(LOGON, params=parameters, allow_redirects=False).headers["Location"]


# ----------------------------------------------------------------------------------- token endpoint


def test_the_documented_answer_has_three_fields(http: requests.Session) -> None:
    assert set(log_in(http)) == {"access_token", "expires_in", "refresh_token"}
    assert log_in(http)["expires_in"] == 3600


def test_a_code_works_once_and_not_for_long(http: requests.Session, clock: Seconds, sandbox: Sandbox) -> None:
    code = code_for(http)
    assert exchange(http, code).status_code == 200
    assert exchange(http, code).json()["error"] == "invalid_grant"
    late = code_for(http)
    clock.now += 61
    assert exchange(http, late).status_code == 400

    sandbox.configure(code_single_use=False)
    code = code_for(http)
    assert [exchange(http, code).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("check", "at_login", "at_token", "status"),
    [
        ("any", REDIRECT, "https://elsewhere.example/", 200),
        ("same", REDIRECT, REDIRECT, 200),
        ("same", REDIRECT, "https://elsewhere.example/", 400),
        ("registered", REDIRECT, REDIRECT, 200),
    ],
)
def test_redirect_uris(
    http: requests.Session, sandbox: Sandbox, check: str, at_login: str, at_token: str, status: int
) -> None:
    sandbox.state.registered_redirect_uris[Sandbox.client_id] = REDIRECT
    sandbox.configure(redirect_uri=check)

    assert exchange(http, code_for(http, at_login), redirect_uri=at_token).status_code == status


def test_an_unregistered_redirect_uri_can_be_refused(http: requests.Session, sandbox: Sandbox) -> None:
    sandbox.configure(redirect_uri="registered")
    parameters = {"client_id": Sandbox.client_id, "redirect_uri": REDIRECT, "response_type": "code"}

    assert http.get(LOGON, params=parameters, allow_redirects=False).status_code == 400


def test_mailups_own_samples_get_through(http: requests.Session, sandbox: Sandbox) -> None:
    """MailUp's samples exchange a code by GET, without client authentication or redirect URI."""
    query = {"code": code_for(http), "grant_type": "authorization_code"}
    assert http.get(TOKEN, params=query).status_code == 200

    sandbox.configure(token_by_get=False)
    assert http.get(TOKEN, params={**query, "code": code_for(http)}).status_code == 405
    sandbox.configure(token_by_get=True, client_authentication="strict")
    assert http.get(TOKEN, params={**query, "code": code_for(http)}).status_code == 400


def test_ways_to_authenticate_a_client(http: requests.Session, sandbox: Sandbox) -> None:
    form = {"grant_type": "password", "username": "m12345", "password": "sandbox"}
    basic = (Sandbox.client_id, Sandbox.client_secret)
    both = {"data": {**form, **credentials(sandbox)}, "auth": basic}
    lenient = [{"data": form, "auth": basic}, both, {"params": {**form, **credentials(sandbox)}}]

    assert [http.post(TOKEN, **way).status_code for way in lenient] == [200, 200, 200]
    assert http.post(TOKEN, data=form).json()["error"] == "invalid_client"
    assert http.post(TOKEN, data=form, auth=("x", "y")).json()["error_description"] == "Client credentials are invalid"
    sandbox.configure(client_authentication="strict")
    assert [http.post(TOKEN, **way).status_code for way in lenient] == [200, 400, 400]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "no"}, "invalid_grant"),
        ({"grant_type": "password", "username": "m12345", "password": "no"}, "invalid_grant"),
    ],
)
def test_token_errors(http: requests.Session, sandbox: Sandbox, form: dict[str, str], error: str) -> None:
    answer = http.post(TOKEN, data={**form, **credentials(sandbox)})
    assert (answer.status_code, answer.json()["error"]) == (400, error)

    sandbox.configure(error_shape="mailup")
    answer = http.post(TOKEN, data={**form, **credentials(sandbox)})
    assert answer.json()["ErrorCode"] == "400"


@pytest.mark.parametrize(("switch", "expected"), [("number", 900), ("text", "900"), ("missing", None)])
def test_how_the_lifetime_is_told(http: requests.Session, sandbox: Sandbox, switch: str, expected: Any) -> None:
    sandbox.configure(expires_in=switch, access_lifetime=900, token_type=True)
    answer = log_in(http)

    assert answer.get("expires_in") == expected
    assert answer["token_type"] == "bearer"


@pytest.mark.parametrize(
    ("reuse", "at_once", "later", "newest"),
    [("refused", 400, 400, 200), ("grace", 200, 400, 200), ("accepted", 200, 200, 200), ("revokes", 400, 400, 400)],
)
def test_what_becomes_of_a_used_refresh_token(
    http: requests.Session, sandbox: Sandbox, clock: Seconds, reuse: str, at_once: int, later: int, newest: int
) -> None:
    sandbox.configure(refresh_reuse=reuse)
    first = log_in(http)["refresh_token"]
    second = renew(http, first).json()["refresh_token"]
    assert renew(http, first).status_code == at_once
    clock.now += 31
    assert renew(http, first).status_code == later

    assert renew(http, second).status_code == newest


def test_without_rotation_the_refresh_token_stays(http: requests.Session, sandbox: Sandbox) -> None:
    sandbox.configure(rotate_refresh=False)
    first = log_in(http)["refresh_token"]

    assert "refresh_token" not in renew(http, first).json()
    assert renew(http, first).status_code == 200


def test_lifetimes(http: requests.Session, sandbox: Sandbox, clock: Seconds) -> None:
    sandbox.configure(refresh_lifetime=7200)
    pair = log_in(http)
    clock.now += 3600
    assert call(http, pair["access_token"]).status_code == 401
    clock.now += 3600
    assert renew(http, pair["refresh_token"]).status_code == 400


@pytest.mark.parametrize(("switch", "status"), [(False, 200), (True, 401)])
def test_whether_a_renewal_ends_the_access_token(
    http: requests.Session, sandbox: Sandbox, switch: bool, status: int
) -> None:
    sandbox.configure(refresh_ends_access=switch)
    pair = log_in(http)
    renew(http, pair["refresh_token"])

    assert call(http, pair["access_token"]).status_code == status


def test_withdrawing_consent_ends_both_tokens(http: requests.Session, sandbox: Sandbox) -> None:
    pair = log_in(http)
    assert sandbox.state.revoke(username="m12345") == 1

    assert call(http, pair["access_token"]).status_code == 401
    assert renew(http, pair["refresh_token"]).status_code == 400


# ------------------------------------------------------------------------------------------ the API


def test_errors_have_mailups_four_fields(http: requests.Session, sandbox: Sandbox) -> None:
    pair = log_in(http)
    sandbox.state.expire_access()
    expired = call(http, pair["access_token"])

    assert expired.status_code == 401
    assert expired.json() == {
        "ErrorCode": "401",
        "ErrorDescription": "Authorization error: Access token is expired",
        "ErrorName": "Unauthorized",
        "ErrorStack": None,
    }


@pytest.mark.parametrize("status", [400, 401])
def test_an_unknown_token(http: requests.Session, sandbox: Sandbox, status: int) -> None:
    sandbox.configure(malformed_token_status=status)

    assert call(http, "garbage").status_code == status


@pytest.mark.parametrize(("switch", "body"), [("json", b'{"ErrorCode"'), ("html", b"<html>"), ("empty", b"")])
def test_error_bodies(http: requests.Session, sandbox: Sandbox, switch: str, body: bytes) -> None:
    sandbox.configure(error_body=switch)

    assert call(http, "garbage").content.startswith(body)


def test_the_limit_of_calls_is_per_user_and_operation(http: requests.Session, sandbox: Sandbox, clock: Seconds) -> None:
    sandbox.configure(rate_limit=5)
    ours, theirs = log_in(http)["access_token"], log_in(http, username="m67890")["access_token"]
    assert [call(http, ours).status_code for _ in range(6)] == [200] * 5 + [429]
    assert call(http, theirs).status_code == 200
    assert call(http, ours, "/Console/User/Lists").status_code == 200
    refused = call(http, ours)
    assert refused.json()["ErrorDescription"].endswith("Too many requests. Max:5 calls per second , actual:6.")
    assert refused.json()["ErrorName"] is None
    assert "Retry-After" not in refused.headers

    sandbox.configure(retry_after=True)
    assert call(http, ours).headers["Retry-After"] == "1"
    clock.now += 1
    assert call(http, ours).status_code == 200


def test_pages_count_from_zero_and_are_of_twenty(http: requests.Session, sandbox: Sandbox) -> None:
    access_token = log_in(http)["access_token"]
    page = call(http, access_token, "/console/user/lists").json()  # paths match in any letter case, as on IIS
    assert (page["PageNumber"], page["PageSize"], page["TotalElementsCount"], page["IsPaginated"]) == (0, 20, 3, False)

    page = call(http, access_token, "/Console/User/Lists?PAGENUMBER=1&pageSize=2").json()
    assert (page["Skipped"], len(page["Items"]), page["IsPaginated"]) == (2, 1, True)
    assert call(http, access_token, "/Console/User/Lists?pageNumber=9").json()["Items"] == []
    assert call(http, access_token, "/Console/User/Lists?pageSize=x").status_code == 400
    assert call(http, access_token, "/Console/List/77/Groups").status_code == 404
    assert call(http, access_token, "/Console/Nothing").status_code == 404


# ------------------------------------------------------------------------ control endpoints and faults


def test_options_refuse_what_they_do_not_know() -> None:
    with pytest.raises(ValueError, match="no option"):
        Options().changed({"nonsense": 1})
    with pytest.raises(ValueError, match="no fault"):
        Sandbox().fail_with("nonsense")
    assert Options().changed({"echo_state": "off", "rate_limit": "3"}).rate_limit == 3


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ({"kind": "status", "status": 503}, 503, b'{"ErrorCode": "503"'),
        ({"kind": "html", "status": 500}, 500, b"<!DOCTYPE html>"),
        ({"kind": "empty", "status": 200}, 200, b""),
        ({"kind": "garbage"}, 200, b"the quick"),
        ({"kind": "redirect", "status": 302, "location": "/x"}, 302, b""),
        ({"kind": "body", "status": 200, "body": "16"}, 200, b"16"),
        ({"kind": "slow", "seconds": 0.01}, 400, b'{"error"'),
    ],
)
def test_faults(http: requests.Session, sandbox: Sandbox, fault: Any, status: int, body: bytes) -> None:
    sandbox.fail_with(**fault)
    answer = http.post(TOKEN, allow_redirects=False)

    assert answer.status_code == status
    assert answer.content.startswith(body)
    assert http.post(TOKEN).status_code == 400


def test_a_dropped_connection(http: requests.Session, sandbox: Sandbox) -> None:
    for kind, refreshes in (("drop", 0), ("drop_after", 1)):
        first = log_in(http)["refresh_token"]
        sandbox.fail_with(kind)
        with pytest.raises(requests.ConnectionError):
            renew(http, first)
        assert sandbox.state.counters["refreshes"] == refreshes


def test_faults_wait_for_their_path_and_can_be_cleared(http: requests.Session, sandbox: Sandbox) -> None:
    sandbox.fail_with("status", path="/User/Lists", times=-1)
    access_token = log_in(http)["access_token"]
    assert call(http, access_token).status_code == 200
    assert [call(http, access_token, "/Console/User/Lists").status_code for _ in range(3)] == [500] * 3

    sandbox.faults.clear()
    assert call(http, access_token, "/Console/User/Lists").status_code == 200


def test_the_control_door_on_a_socket() -> None:
    sandbox = Sandbox()
    with serving(sandbox) as base_url, requests.Session() as http:
        http.trust_env = False
        door = f"{base_url}/_sandbox"
        assert "Withdraw consent" in http.get(base_url).text
        assert http.post(f"{door}/options", json={"rate_limit": 2}).status_code == 200
        assert http.post(f"{door}/options", json={"nonsense": 2}).status_code == 400
        assert http.post(f"{door}/options", data={"rate_limit": 2}).status_code == 404  # only JSON is accepted
        assert http.post(f"{door}/fault", json={"kind": "status"}).status_code == 200
        assert http.post(f"{door}/fault", json={"nonsense": 1}).status_code == 400
        client = {"client_id": "a", "client_secret": "b", "redirect_uri": REDIRECT}
        assert http.post(f"{door}/client", json=client).status_code == 200
        assert sandbox.state.registered_redirect_uris == {"a": REDIRECT}
        assert http.post(f"{door}/outage", data={}, allow_redirects=False).status_code == 303
        state = http.get(f"{door}/state").json()
        assert state["options"]["rate_limit"] == 2
        assert [fault["kind"] for fault in state["faults"]] == ["status"] * 3
        for action in ("recover", "revoke", "expire"):
            assert http.post(f"{door}/{action}", json={}).status_code == 200
        assert http.get(f"{door}/state").json()["faults"] == []
        assert http.get(f"{door}/nothing").status_code == http.post(f"{door}/nothing").status_code == 404
        assert http.get(f"{base_url}/nothing").status_code == 404
    assert sandbox.state.clients["a"] == "b"


def test_many_clients_at_once() -> None:
    sandbox = Sandbox(Options(rate_limit=0))
    outcomes: list[int] = []

    def work(base_url: str) -> None:
        with requests.Session() as http:
            http.trust_env = False
            form = {"grant_type": "password", "username": "m12345", "password": "sandbox", **credentials(sandbox)}
            url = f"{base_url}/Authorization/OAuth/Token"
            outcomes.extend(http.post(url, data=form).status_code for _ in range(5))

    with serving(sandbox) as base_url:
        threads = [threading.Thread(target=work, args=(base_url,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert outcomes == [200] * 40
    assert sandbox.state.counters["exchanges"] == 40


def test_the_published_mailupy_logs_in_and_lists_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox()
    with serving(sandbox) as base_url:
        monkeypatch.setattr(mailupy.Mailupy, "AUTH_URL", f"{base_url}/Authorization/OAuth/Token")
        monkeypatch.setattr(mailupy.Mailupy, "BASE_URL", f"{base_url}/API/v1.1/Rest/ConsoleService.svc/Console")
        client = mailupy.Mailupy("m12345", "sandbox", sandbox.client_id, sandbox.client_secret)
        groups = list(client.get_groups_from_list(1))
        assert [group["Name"] for group in groups] == ["Regulars", "Wholesale", "Test"]

        sandbox.state.expire_access()  # mailupy renews its token when it gets a 401
        assert len(list(client.get_groups_from_list(2))) == 2
        with pytest.raises(mailupy.exceptions.MailupyException):
            mailupy.Mailupy("m12345", "wrong", sandbox.client_id, sandbox.client_secret)
    assert sandbox.state.counters["refreshes"] == 1


def test_slashes_are_escaped_as_mailup_does(http: requests.Session, sandbox: Sandbox) -> None:
    sandbox.state.users["m12345"].account.company = "A/S"
    answer = call(http, log_in(http)["access_token"])

    assert "A\\/S" in answer.text
    assert json.loads(answer.text)["Company"] == "A/S"


def test_a_faulty_answer_ends_although_the_body_of_the_request_comes_late() -> None:
    sandbox = Sandbox()
    with serving(sandbox) as base_url:
        address = urlsplit(base_url)
        for _ in range(20):
            sandbox.fail_with("half")
            with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
                connection.sendall(b"POST /Authorization/OAuth/Token HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
                connection.sendall(b"body")
                received = b""
                while piece := connection.recv(65536):
                    received += piece
            assert received.endswith(b'{"access_token":"A1')


# ------------------------------------------------------------------------- what MailUp's own clients call


@pytest.mark.parametrize("channel", ["Email", "Sms"])
def test_both_spellings_of_deferred_sendings(http: requests.Session, sandbox: Sandbox, channel: str) -> None:
    access_token = log_in(http)["access_token"]
    http.headers["Authorization"] = f"Bearer {access_token}"
    prefix = "" if channel == "Email" else "/Sms"
    path = f"{API}/Console{prefix}/List/1/{'Email' if channel == 'Email' else 'Message'}"
    message = http.post(path, json={"Subject": "S", "Content": "C"}).json()["idMessage"]
    http.post(f"{path}/{message}/Send", params={"datetime": "2035-06-01 12:00:00Z"})
    sending = http.get(f"{API}/Console/{channel}/Sendings/Deferred").json()["Items"][0]["Id"]

    answers = [http.get(f"{API}/Console/{channel}/{each}/{sending}/Deferred") for each in ("Sending", "Sendings")]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


def test_the_deprecated_update_of_a_list(http: requests.Session) -> None:
    http.headers["Authorization"] = f"Bearer {log_in(http)['access_token']}"
    path = f"{API}/Console/User/List/2"

    assert http.put(path, json={"Name": "Bread"}).status_code == 400
    assert http.put(path, json={"IdList": 2, "Name": "Bread"}).json()["Name"] == "Bread"
    assert "Bread" in [each["Name"] for each in http.get(f"{API}/Console/User/Lists").json()["Items"]]


def test_a_service_answers_its_own_paths_alone(http: requests.Session) -> None:
    http.headers["Authorization"] = f"Bearer {log_in(http)['access_token']}"
    statistics = API.replace("Console", "MailStatistics")

    assert http.get(f"{API}/Console/User/Lists").status_code == http.get(f"{API}/CONSOLE/user/lists").status_code == 200
    assert http.get(f"{statistics}/Console/User/Lists").status_code == 404
    path = f"{API}/Console/List/1/Email"
    message = http.post(path, json={"Subject": "S", "Content": "C"}).json()["idMessage"]
    assert http.get(f"{statistics}/Message/{message}/Count/Views").json() == 0
    assert http.get(f"{API}/Message/{message}/Count/Views").status_code == 404


def test_the_deprecated_creation_of_a_list(http: requests.Session) -> None:
    http.headers["Authorization"] = f"Bearer {log_in(http)['access_token']}"
    path, sent = f"{API}/Console/User/Lists", {"Name": "Offers", "nl_sendername": "Ada", "kbmax": 50, "scope": "x"}

    assert http.post(path, json={**sent, "useDefaultSettings": True, "Name": ""}).status_code == 400
    assert http.post(path, json=sent).status_code == 400
    number = http.post(path, json={**sent, "idSettings": 1}).json()
    made = http.get(f"{API}/Console/List/{number}").json()
    assert (number, made["Name"], made["NLSenderName"], made["KBMax"]) == (4, "Offers", "Ada", 50)
    assert "scope" not in made


@pytest.mark.parametrize(
    ("filterby", "ids"),
    [
        ("idList==1&Name=='Newsletter '", [1]),
        ("idList==1&Name=='Recipes'", []),
        ("idList==1|Name=='Recipes'", [1, 2]),
        ("idList==3|idList==1&idList==2", [3]),
        ("idList==3|idList==1&&idList==1", [1]),
        ("idList==3||idList==1&idList==2", [3]),
        ("idList==3||idList==1&&idList==1", [1, 3]),
        ("(idList==3||idList==1)&idList==1", [1]),
    ],
)
def test_single_signs_combine_too_and_bind_stronger(http: requests.Session, filterby: str, ids: list[int]) -> None:
    http.headers["Authorization"] = f"Bearer {log_in(http)['access_token']}"
    found = http.get(f"{API}/Console/User/Lists", params={"filterby": filterby}).json()["Items"]

    assert [each["idList"] for each in found] == ids
