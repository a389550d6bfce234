"""The unkind options: what each of them changes in the answers, and that the documented answers are the default."""

from __future__ import annotations

import time
from dataclasses import asdict
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from django_mailup.sandbox import MailingList, Options, Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

NOW = 1_900_000_000.0  # 2030-03-17 17:46:40 UTC
API = "https://services.mailup.com/API/v1.1/Rest/ConsoleService.svc/Console"


class Caller:
    """Calls the sandbox's REST API without this package's client."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._session = requests.Session()
        self._session.mount("https://", SandboxAdapter(sandbox))
        pair = sandbox.state.redeem_password("m12345", "sandbox", sandbox.client_id)
        self._session.headers["Authorization"] = f"Bearer {pair.access_token}"

    def send(self, verb: str, path: str, **options: Any) -> requests.Response:
        return self._session.request(verb, API + path, **options)

    def get(self, path: str, **params: Any) -> Any:
        return self.send("GET", path, params=params).json()

    def page(self, number: int, size: int) -> tuple[list[int], int]:
        """Return the ids on a page of lists, and the total that it tells."""
        page = self.get("/User/Lists", pageNumber=number, pageSize=size)
        return [each["idList"] for each in page["Items"]], page["TotalElementsCount"]


@pytest.fixture
def sandbox() -> Sandbox:
    made = Sandbox(Options(rate_limit=0), clock=lambda: NOW)
    made.state.users["m12345"].account.lists = [MailingList(number, f"L{number}") for number in range(1, 7)]
    return made


@pytest.fixture
def caller(sandbox: Sandbox) -> Caller:
    return Caller(sandbox)


def test_one_name_sets_them_all_and_single_ones_can_be_changed() -> None:
    unkind, kind = asdict(Options.unkind(rate_limit=0)), asdict(Options())
    changed = {name for name, value in unkind.items() if value != kind[name]}

    assert changed == {
        "rate_limit", "addresses", "matches", "totals", "max_page_size", "moving_rows", "clock_error", "dates", "names",
        "numbers",
    }  # fmt: skip
    assert Options.unkind(totals="zero", names="documented").totals == "zero"


@pytest.mark.parametrize(("totals", "told"), [("right", 6), ("zero", 0), ("low", 3), ("high", 9)])
def test_totals(caller: Caller, totals: str, told: int) -> None:
    caller.sandbox.configure(totals=totals)

    assert caller.page(0, 4) == ([1, 2, 3, 4], told)


def test_pages_are_shorter_than_asked_for_and_say_so(caller: Caller) -> None:
    caller.sandbox.configure(max_page_size=2)
    page = caller.get("/User/Lists", pageNumber=1, pageSize=500)

    assert ([each["idList"] for each in page["Items"]], page["PageSize"], page["Skipped"]) == ([3, 4], 2, 2)
    caller.sandbox.configure(page_size_told="asked")
    page = caller.get("/User/Lists", pageNumber=1, pageSize=500)
    assert ([each["idList"] for each in page["Items"]], page["PageSize"], page["Skipped"]) == ([3, 4], 500, 2)


def test_rows_that_come_in_push_others_to_the_next_page(caller: Caller) -> None:
    caller.sandbox.configure(moving_rows="in")
    pages = [caller.page(number, 3) for number in range(4)]

    assert pages == [([1, 2, 3], 6), ([3, 4, 5], 7), ([5, 6], 8), ([], 9)]
    assert caller.page(0, 3) == ([1, 2, 3], 6)
    assert caller.page(1, 1) == ([2], 6)  # with pages of one row no walk would get on


def test_rows_that_are_gone_pull_others_to_the_page_before_and_stay_gone(caller: Caller) -> None:
    caller.sandbox.configure(moving_rows="out")
    pages = [caller.page(number, 3) for number in (0, 1, 0, 1)]

    assert pages == [([1, 2, 3], 6), ([5, 6], 5), ([2, 3, 4], 5), ([5, 6], 5)]


@pytest.mark.parametrize(
    ("matches", "addresses", "found"),
    [
        ("whole", "ignore_case", ["ada@x.example"]),
        ("whole", "exact", []),
        ("part", "ignore_case", ["ada@x.example", "nada@x.example", "ADA@X.EXAMPLE.IT"]),
        ("part", "exact", ["ADA@X.EXAMPLE.IT"]),
    ],
)
def test_the_search_for_an_address(caller: Caller, matches: str, addresses: str, found: list[str]) -> None:
    caller.sandbox.configure(matches=matches, addresses=addresses)
    for email in ("ada@x.example", "nada@x.example", "ADA@X.EXAMPLE.IT"):
        caller.send("POST", "/List/1/Recipient", json={"Email": email})

    assert [each["Email"] for each in caller.get("/Recipients", email='"ADA@X.EXAMPLE"')["Items"]] == found


@pytest.mark.parametrize(("matches", "found"), [("whole", [1]), ("part", [1, 10, 11])])
@pytest.mark.parametrize("sign", ["==", "="])
def test_filters_that_compare_texts(caller: Caller, matches: str, sign: str, found: list[int]) -> None:
    caller.sandbox.configure(matches=matches)
    caller.sandbox.state.users["m12345"].account.lists += [MailingList(number, f"L{number}") for number in (10, 11)]
    lists = caller.get("/User/Lists", filterby=f"\"Name{sign}'L1'\"")["Items"]
    assert [each["idList"] for each in lists] == found
    assert caller.get("/User/Lists", filterby=f"\"Name{sign}'l1'\"")["Items"] == []
    assert [each["idList"] for each in caller.get("/User/Lists", filterby=f'"idList{sign}1"')["Items"]] == [1]


def test_a_clock_that_is_ahead_shows_in_the_header_and_in_all_times(caller: Caller) -> None:
    caller.sandbox.configure(clock_error=1800.0)
    answer = caller.send("POST", "/List/1/Email", json={"Subject": "S", "Content": "C"})

    assert answer.json()["CreationDate"] == "2030-03-17 18:16:40Z"
    assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == NOW + 1800


def test_the_header_date_is_right_by_default() -> None:
    answer = Caller(Sandbox()).send("GET", "/Authentication/Info")

    assert abs(parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()) < 60


def test_dates_in_another_zone_are_the_same_times(caller: Caller) -> None:
    caller.sandbox.configure(dates="offset", import_seconds=10.0)
    created = caller.send("POST", "/List/1/Email", json={"Subject": "2030-01-01", "Content": "C"}).json()
    caller.send("POST", "/List/1/Recipient", json={"Email": "ada@x.example"})
    caller.send("POST", "/List/1/Recipients", json=[{"Email": "bo@x.example"}])

    assert (created["CreationDate"], created["Subject"]) == ("2030-03-17 23:16:40+05:30", "2030-01-01")
    opt_in = caller.get("/List/1/Recipients/EmailOptins")["Items"][0]
    assert (opt_in["Optin_Date"], opt_in["Optout_Date"]) == ("2030-03-17 23:16:40+05:30", "")
    assert caller.get("/Imports")["Items"][0]["EndDate"] == "0001-01-01 00:00:00Z"


def test_names_in_another_letter_case(caller: Caller) -> None:
    caller.sandbox.configure(names="other_case")
    page = caller.get("/User/Lists")
    assert set(page) == {"isPaginated", "items", "pageNumber", "pageSize", "skipped", "totalElementsCount"}
    assert set(page["items"][0]) == {"company", "description", "name", "IdList", "ListGuid"}
    caller.send("POST", "/List/1/Recipient", json={"Email": "ada@x.example"})
    recipient = caller.get("/List/1/Recipients/Subscribed")["items"][0]
    assert (recipient["email"], set(recipient["fields"][0])) == ("ada@x.example", {"description", "id", "value"})


ERROR = {"errorCode": 404, "errorDescription": "List 99 does not exist.", "errorName": "NotFound", "errorStack": None}


def test_errors_speak_the_same_dialect_those_of_oauth_as_well(caller: Caller) -> None:
    caller.sandbox.configure(names="other_case", numbers="text", error_shape="mailup")
    assert caller.get("/List/99") == ERROR
    caller.sandbox.fail_with("status", status=503)
    assert set(caller.get("/List/1")) == set(ERROR)
    token = "https://services.mailup.com/Authorization/OAuth/Token"
    assert set(caller._session.post(token, data={"grant_type": "password"}).json()) == set(ERROR)
    caller.sandbox.configure(error_shape="oauth")
    assert set(caller._session.post(token, data={"grant_type": "password"}).json()) == {"error", "error_description"}


def test_numbers_as_text_and_texts_as_numbers(caller: Caller) -> None:
    caller.sandbox.configure(numbers="text")
    page, info = caller.get("/User/Lists"), caller.get("/Authentication/Info")

    assert (page["PageSize"], page["TotalElementsCount"], page["IsPaginated"]) == ("20", "6", False)
    assert page["Items"][0]["idList"] == "1"
    assert (info["UID"], info["Username"]) == (4321, "m12345")
    assert caller.send("POST", "/List/1/Recipient", json={"Email": "a@x.example"}).json() == "1"
    assert caller.get("/List/99")["ErrorCode"] == 404


def test_the_switches_can_be_changed_over_http(caller: Caller) -> None:
    answer = caller.send("GET", "/User/Lists")
    assert answer.json()["PageSize"] == 20
    caller._session.post("https://services.mailup.com/_sandbox/options", json={"clock_error": "-60", "totals": "zero"})

    assert (caller.sandbox.state.options.clock_error, caller.page(0, 3)[1]) == (-60.0, 0)
