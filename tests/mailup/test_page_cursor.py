"""Walking through pages whose sizes change, that time out, and between which rows move: each row once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from django_mailup.exceptions import MailUpUnavailable, UnexpectedResponse
from django_mailup.mailup import MailUpClient, Transport
from django_mailup.mailup.flow import Flow
from django_mailup.mailup.page_cursor import Page, PageCursor
from django_mailup.mailup.paging import Ask, PageSource
from django_mailup.sandbox import MailingList, Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

from .conftest import Source


class SlowForLargePages(SandboxAdapter):
    """A sandbox that has no answer in time for pages above a size. The size of each page that was asked for is kept."""

    def __init__(self, sandbox: Sandbox, largest: int) -> None:
        super().__init__(sandbox)
        self.largest = largest
        self.asked: list[tuple[int, int]] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        query = parse_qs(urlsplit(request.url or "").query)
        if "pageSize" in query:
            number, size = int(query["pageNumber"][0]), int(query["pageSize"][0])
            self.asked.append((number, size))
            if size > self.largest:
                raise requests.ReadTimeout
        return super().send(request, *args, **kwargs)


def slow(sandbox: Sandbox, largest: int, *, count: int = 1000) -> tuple[MailUpClient, SlowForLargePages]:
    sandbox.state.users["m12345"].account.lists = [MailingList(number, f"L{number}") for number in range(1, count + 1)]
    if sandbox.state.options.max_page_size < 100:
        sandbox.configure(max_page_size=1000)
    adapter = SlowForLargePages(sandbox, largest)
    return MailUpClient(Source(sandbox), transport=Transport(timeout=(1, 1), adapter=adapter), patience=30), adapter


def test_a_page_that_times_out_is_asked_for_in_a_smaller_size_and_not_repeated(sandbox: Sandbox) -> None:
    client, adapter = slow(sandbox, 125, count=600)

    assert [each.id for each in client.lists.all()] == list(range(1, 601))
    assert adapter.asked == [(0, 500), (0, 250), (0, 125), (1, 125), (2, 125), (3, 125), (4, 125)]


def test_a_page_in_the_middle_is_cut_at_the_same_place(sandbox: Sandbox) -> None:
    client, adapter = slow(sandbox, 500)
    walk = client.lists.all()
    found = [next(walk).id for _ in range(500)]
    adapter.largest = 250

    assert [*found, *(each.id for each in walk)] == list(range(1, 1001))
    assert adapter.asked == [(0, 500), (1, 500), (2, 250), (3, 250), (4, 250)]


def test_what_times_out_in_the_smallest_size_too_is_raised(sandbox: Sandbox) -> None:
    client, adapter = slow(sandbox, 1)
    with pytest.raises(MailUpUnavailable, match="in time"):
        next(client.lists.all())

    assert adapter.asked == [(0, 500), (0, 250), (0, 125)]


def test_a_page_is_halved_twice_at_most(sandbox: Sandbox) -> None:
    client, adapter = slow(sandbox, 1)
    with pytest.raises(MailUpUnavailable, match="in time"):
        next(client.lists.all(page_size=1000))

    assert adapter.asked == [(0, 1000), (0, 500), (0, 250)]


def test_a_page_of_odd_size_cannot_be_cut_and_is_repeated(sandbox: Sandbox) -> None:
    client, adapter = slow(sandbox, 1)
    with pytest.raises(MailUpUnavailable, match="in time"):
        next(client.lists.all(page_size=75))

    assert adapter.asked == [(0, 75)] * 3


def test_a_gateway_that_waits_in_vain_is_a_timeout_too(sandbox: Sandbox) -> None:
    client, adapter = slow(sandbox, 500)
    sandbox.fail_with("status", status=504, path="/User/Lists")

    assert next(client.lists.all()).id == 1
    assert adapter.asked == [(0, 500), (0, 250)]


def test_another_failure_is_repeated_as_it_was(sandbox: Sandbox) -> None:
    client, adapter = slow(sandbox, 500)
    sandbox.fail_with("drop", path="/User/Lists")

    assert next(client.lists.all()).id == 1
    assert adapter.asked == [(0, 500)] * 2


def test_the_size_that_mailup_grants_is_what_counts_and_is_cut(sandbox: Sandbox) -> None:
    sandbox.configure(max_page_size=100)
    client, adapter = slow(sandbox, 500, count=200)
    walk = client.lists.all()
    found = [next(walk).id for _ in range(100)]
    adapter.largest = 50

    assert [*found, *(each.id for each in walk)] == list(range(1, 201))
    assert adapter.asked == [(0, 500), (1, 100), (2, 50), (3, 50), (4, 50)]


@pytest.mark.kind_sandbox("the total is the only sign that rows are gone")
def test_rows_that_others_delete_meanwhile_hide_none(sandbox: Sandbox) -> None:
    client, adapter = slow(sandbox, 500, count=10)
    account = sandbox.state.users["m12345"].account
    walk = client.lists.all(page_size=3)
    found = [next(walk).id for _ in range(3)]
    del account.lists[0]

    assert [*found, *(each.id for each in walk)] == [1, 2, 3, 5, 6, 7, 4, 8, 9, 10]
    assert [number for number, _ in adapter.asked] == [0, 1, 0, 2, 3]  # the fourth list is now on the first page


@pytest.mark.kind_sandbox("the total is the only sign that rows are gone")
def test_a_row_that_moves_to_and_fro_is_not_lost(sandbox: Sandbox) -> None:
    client, adapter = slow(sandbox, 500, count=10)
    account = sandbox.state.users["m12345"].account
    walk = client.lists.all(page_size=3)
    found = [next(walk).id for _ in range(3)]
    gone = account.lists.pop(0)
    found += [next(walk).id for _ in range(3)]
    account.lists.insert(0, gone)

    assert sorted([*found, *(each.id for each in walk)]) == list(range(1, 11))
    assert [number for number, _ in adapter.asked] == [0, 1, 0, 1, 2, 3]


@pytest.mark.kind_sandbox("the rows that move would follow the size of pages")
def test_rows_read_long_ago_do_not_come_again_if_mailup_grants_less(sandbox: Sandbox) -> None:
    client, adapter = slow(sandbox, 500, count=100)
    walk = client.lists.all(page_size=10)
    found = [next(walk).id for _ in range(80)]
    sandbox.configure(max_page_size=1)

    assert [*found, *(each.id for each in walk)] == list(range(1, 101))
    assert adapter.asked[8:10] == [(8, 10), (80, 1)]


def test_rows_that_come_in_before_are_not_read_twice(sandbox: Sandbox) -> None:
    client, _ = slow(sandbox, 500, count=10)
    account = sandbox.state.users["m12345"].account
    walk = client.lists.all(page_size=3)
    found = [next(walk).id for _ in range(3)]
    account.lists.insert(0, MailingList(99, "New"))

    assert [*found, *(each.id for each in walk)] == list(range(1, 11))


def test_the_same_rows_again_are_no_error_if_a_whole_page_of_new_ones_came_in_before() -> None:
    cursor: PageCursor[int] = PageCursor(2, identify=lambda row: row)
    assert cursor.take(Page(items=[1, 2], number=0, size=2, total=4)) == [1, 2]
    assert cursor.take(Page(items=[1, 2], number=1, size=2, total=6)) == []
    assert (cursor.is_over, cursor.number) == (False, 2)
    with pytest.raises(UnexpectedResponse, match="again"):
        cursor.take(Page(items=[1, 2], number=2, size=2, total=6))


def test_a_page_without_a_size_is_not_the_last_one_before_the_total_is_there() -> None:
    cursor: PageCursor[int] = PageCursor(2)
    assert cursor.take(Page(items=[1, 2], number=0, size=0, total=3)) == [1, 2]
    assert (cursor.is_over, cursor.number, cursor.size) == (False, 1, 2)
    assert cursor.take(Page(items=[3], number=1, size=0, total=3)) == [3]
    assert cursor.is_over


def test_reports_of_text_messages_have_no_size_and_one_page(client: MailUpClient, sandbox: Sandbox) -> None:
    body = '{"IsPaginated":false,"Items":[{"Id":1},{"Id":2}],"PageNumber":0,"PageSize":0,"Skipped":0,%s}'
    sandbox.fail_with("body", status=200, body=body % '"TotalElementsCount":0', times=-1)

    assert [each.id for each in client.tags.all(list_id=1, page_size=2)] == [1, 2]


# ------------------------------------------------------------------------------ any order of events


class Shifting:
    """Rows in the order of their ids, on pages. Before each page some are deleted or added, or the size is cut.

    Args:
        sizes: what the server grants at most, for one page after the other.
    """

    def __init__(self, rows: int, sizes: list[int], chance: random.Random, moving: int) -> None:
        self.rows = list(range(0, 10 * rows, 10))
        self.stable = set(self.rows)
        self.calls = 0
        self._sizes, self._chance, self._moving = sizes, chance, moving

    def page(self, ask: Ask) -> Flow[Page[int]]:
        self.calls += 1
        assert self.calls < 5000
        if self._chance.random() < 0.2:
            raise MailUpUnavailable(reason="timeout")
        if self.calls > 1:
            self._move(ask.size)
        size = min(ask.size, self._sizes[self.calls % len(self._sizes)])
        start = ask.number * size
        return Page(items=self.rows[start : start + size], number=ask.number, size=size, total=len(self.rows))
        yield

    def _move(self, size: int) -> None:
        """Add or delete up to as many rows as may move between two calls, but not both: nothing would tell."""
        count = self._chance.randint(0, min(self._moving, size - 1))
        if self._chance.random() < 0.5:
            for _ in range(min(count, len(self.rows))):
                gone = self.rows.pop(self._chance.randrange(len(self.rows)))
                self.stable.discard(gone)
        else:
            self.rows = sorted({*self.rows, *(self._chance.randrange(10_000) * 10 + 5 for _ in range(count))})


def read(source: PageSource[int]) -> Iterator[int]:
    """Yield all items. A call that has timed out in every size is made again."""
    cursor = source.cursor()
    while not cursor.is_over:
        flow = source.next_items(cursor)
        try:
            next(flow)
        except StopIteration as over:
            yield from over.value
        except MailUpUnavailable:
            continue


SEEDS = st.integers(0, 10**9).map(random.Random)


@settings(deadline=None)
@given(st.integers(0, 120), st.integers(1, 48), st.integers(1, 60), st.integers(0, 4), SEEDS)
def test_each_row_once(rows: int, size: int, granted: int, moving: int, chance: random.Random) -> None:
    server = Shifting(rows, [granted], chance, moving)
    found = list(read(PageSource(server.page, size, lambda row: row)))

    assert len(found) == len(set(found))
    assert server.stable <= set(found)


@settings(deadline=None)
@given(st.integers(0, 120), st.integers(1, 48), st.lists(st.integers(1, 60), min_size=1, max_size=4), SEEDS)
def test_each_row_once_if_the_size_that_is_granted_changes(
    rows: int, size: int, granted: list[int], chance: random.Random
) -> None:
    server = Shifting(rows, granted, chance, 0)
    found = list(read(PageSource(server.page, size, lambda row: row)))

    assert sorted(found) == server.rows


def test_a_page_sent_again_is_an_error_even_if_its_rows_are_known(client: MailUpClient, sandbox: Sandbox) -> None:
    body = '{"Items":[{"Id":1},{"Id":2}],"PageSize":2,"TotalElementsCount":9}'
    sandbox.fail_with("body", status=200, body=body, times=-1)
    with pytest.raises(UnexpectedResponse, match="again"):
        list(client.tags.all(list_id=1, page_size=2))
