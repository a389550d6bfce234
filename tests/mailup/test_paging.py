"""Pages: parsing every form of the envelope, and an iterator that is lazy and always ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_mailup.exceptions import UnexpectedResponse
from django_mailup.mailup import MailUpClient, Page, Paged, RecipientCount, Tag
from django_mailup.mailup.flow import Answer, Flow
from django_mailup.mailup.paging import Ask, PageSource, parse_page
from django_mailup.mailup.synchronous import drive
from django_mailup.sandbox import MailingList, Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

T = TypeVar("T")


def parse(body: str) -> Page[Tag]:
    return parse_page(Answer(body, 200, {"Content-Type": "application/json"}), Tag, ask=Ask(3, 20))


ROWS = [{"Id": 1, "Name": "a"}, {"Id": 2, "Name": "b", "Items": [{"Id": 9}], "Deep": {"Items": []}}]
ENVELOPE = {"Items": ROWS, "PageNumber": 3, "PageSize": 2, "TotalElementsCount": 7}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(ENVELOPE),
        json.dumps(ENVELOPE, separators=(",", ":")),
        json.dumps(ENVELOPE, indent=2),
        json.dumps(ENVELOPE, indent="\t") + "\r\n ",
        json.dumps(dict(reversed(ENVELOPE.items()))),
        json.dumps({"Text": 'a "Items":[{"Id":5}] }', "Nested": {"Items": [{"Id": 6}]}, **ENVELOPE}),
        json.dumps({key.upper(): value for key, value in ENVELOPE.items()}),
        '{"Items":null,' + json.dumps(ENVELOPE)[1:],
        '{"Items":[{"Id":4}],' + json.dumps(ENVELOPE)[1:],
        json.dumps({**ENVELOPE, "Items": [5, *ROWS, None, [], "x"]}),
        "\ufeff".join(["", json.dumps(ENVELOPE)])[1:],
    ],
)
def test_an_envelope_in_any_form(body: str) -> None:
    page = parse(body)

    assert [(each.id, each.name) for each in page.items] == [(1, "a"), (2, "b")]
    assert [each.raw for each in page.items] == ROWS
    assert (page.number, page.size, page.total) == (3, 2, 7)


@pytest.mark.parametrize("body", ['{"Items":[]}', '{ "Items" : [ ] }', '{"Items":[],"PageNumber":true,"PageSize":"x"}'])
def test_what_the_envelope_leaves_out(body: str) -> None:
    assert parse(body) == Page(items=[], number=3, size=20, total=0)


@pytest.mark.parametrize(
    "body", ["", " ", "[]", "5", "null", "{}", '{"Items":null}', '{"Items":{}}', '{"Items":5,"PageSize":1}']
)
def test_what_is_no_page(body: str) -> None:
    with pytest.raises(UnexpectedResponse, match="not a page"):
        parse(body)


GOOD = '{"Items":[{"Id":1},{"Id":2}],"PageSize":2}'


@pytest.mark.parametrize(
    "body",
    [
        *(GOOD[:end] for end in range(1, len(GOOD))),
        GOOD + "x", GOOD + GOOD, GOOD.replace("},{", "}{"), GOOD.replace("]", ",]"), GOOD.replace(":2}]", ":2]"),
        GOOD.replace('"PageSize"', "PageSize"), GOOD.replace(":[", "["), GOOD[:-1] + ",}", "<html>", "\ufeff" + GOOD,
    ],
)  # fmt: skip
def test_what_is_no_json(body: str) -> None:
    with pytest.raises(ValueError):
        json.loads(body)
    with pytest.raises(UnexpectedResponse, match="not JSON") as caught:
        parse(body)
    assert caught.value.content_type == "application/json"


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
layouts = st.sampled_from([{"separators": (",", ":")}, {}, {"indent": 1}, {"ensure_ascii": False}])


@pytest.mark.slow
@given(
    st.lists(st.dictionaries(st.text(), values).map(lambda row: {**row, "Id": 1}) | scalars),
    st.dictionaries(st.text(), values),
    layouts,
    st.booleans(),
)
def test_splitting_a_page_gives_what_decoding_the_whole_gives(
    items: list[Any], rest: dict[str, Any], layout: dict[str, Any], last: bool
) -> None:
    rest = {key: value for key, value in rest.items() if key.casefold() != "items"}
    envelope = {**rest, "Items": items} if last else {"Items": items, **rest}
    body = json.dumps(envelope, **layout)
    rows = [row for row in json.loads(body)["Items"] if isinstance(row, dict)]

    assert json.dumps([each.raw for each in parse(body).items]) == json.dumps(rows)


# ----------------------------------------------------------------------------------- the iterator


def walk(fetch: Callable[[Ask], Page[T]], size: int, identify: Callable[[T], Any] | None = None) -> Paged[T]:
    """Return an iterator over the pages that a function returns."""

    def flow(ask: Ask) -> Flow[Page[T]]:
        return fetch(ask)
        yield

    def no_call(call: Any) -> Any:
        raise AssertionError

    return Paged(PageSource(flow, size, identify), lambda flow: drive(flow, no_call))


def pages(*rows: list[int], total: int, size: int = 2) -> tuple[Callable[[Ask], Page[RecipientCount]], list[int]]:
    """Return a function that fetches a page, and the list to which it appends the numbers of the pages."""
    asked: list[int] = []

    def fetch(ask: Ask) -> Page[RecipientCount]:
        asked.append(ask.number)
        found = rows[ask.number] if ask.number < len(rows) else []
        items = [RecipientCount.parse({"Count": 1, "Link": each}) for each in found]
        return Page(items=items, number=ask.number, size=size, total=total)

    return fetch, asked


def test_a_page_is_asked_for_when_its_first_item_is_needed() -> None:
    fetch, asked = pages([1, 2], [3, 4], [5], total=5)
    found = walk(fetch, 2)

    assert asked == []
    assert [next(found).raw["Link"] for _ in range(2)] == [1, 2]
    assert asked == [0]
    assert [each.raw["Link"] for each in found] == [3, 4, 5]
    assert asked == [0, 1, 2]
    assert list(found) == []
    assert asked == [0, 1, 2]


def test_pages_whose_records_are_equal_are_the_same_only_if_the_originals_are() -> None:
    fetch, _ = pages([1], [2], [3], total=3, size=1)
    assert len(list(walk(fetch, 1))) == 3

    same, _ = pages([1], [1], total=2, size=1)
    with pytest.raises(UnexpectedResponse, match="again"):
        list(walk(same, 1))


@pytest.mark.parametrize(("total", "expected"), [(0, 5), (3, 5), (4, 5), (5, 5), (9, 5)])
def test_a_total_that_is_wrong_neither_cuts_short_nor_prolongs_for_ever(total: int, expected: int) -> None:
    fetch, asked = pages([1, 2], [3, 4], [5], total=total)

    assert len(list(walk(fetch, 2))) == expected
    assert len(asked) <= 4


def test_items_that_come_twice_do_not_count_twice() -> None:
    fetch, asked = pages([1, 2], [2], [3], total=3)
    found = walk(fetch, 2, lambda item: item.raw["Link"])

    assert [each.raw["Link"] for each in found] == [1, 2, 3]
    assert asked == [0, 1, 2]


@pytest.mark.kind_sandbox("asks for single pages by their numbers")
def test_one_page_by_its_number(client: MailUpClient, sandbox: Sandbox, adapter: SandboxAdapter) -> None:
    sandbox.state.users["m12345"].account.lists = [MailingList(number, f"L{number}") for number in range(1, 26)]
    lists = client.lists.all(page_size=10)
    first, third = lists.page(), lists.page(2)

    assert ([each.id for each in third.items], third.number, third.size, third.total) == (
        [21, 22, 23, 24, 25],
        2,
        10,
        25,
    )
    assert [each.id for each in first.items] == list(range(1, 11))
    assert len(adapter.requests) == 2
    assert len(list(lists)) == 25  # all of them: fetching single pages moves no iterator
    assert list(lists.page(7).items) == []
    for wrong in (-1, True, "1"):
        with pytest.raises(ValueError, match="number"):
            lists.page(wrong)  # type: ignore[arg-type]
