"""Filters and orders: the text that is sent, and that the sandbox understands it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_mailup.exceptions import BadRequest
from django_mailup.mailup import Expression, Field, MailUpClient
from django_mailup.mailup.expressions import filter_parameter, literal, order_parameter
from django_mailup.sandbox import expressions
from django_mailup.sandbox.adapter import SandboxAdapter

EMAIL, NUMBER = Field("Email"), Field("idRecipient")


@pytest.mark.parametrize(
    ("where", "sent"),
    [
        (EMAIL == "ada@example.com", "\"Email=='ada@example.com'\""),
        (EMAIL == "o'neil@example.com", "\"Email=='o''neil@example.com'\""),
        (EMAIL.contains("a+b"), "\"Email.Contains('a+b')\""),
        (EMAIL.starts_with("a") & ~EMAIL.ends_with("b"), "\"(Email.StartsWith('a') && !(Email.EndsWith('b')))\""),
        ((NUMBER == 1) | (NUMBER != 2), '"(idRecipient==1 || idRecipient!=2)"'),
        ((NUMBER < 1) & (NUMBER <= 2) & (NUMBER > 3), '"((idRecipient<1 && idRecipient<=2) && idRecipient>3)"'),
        (Field("Enabled") == True, '"Enabled==true"'),  # noqa: E712
        (Field("Name") == 'say "hi"', "Name=='say \"hi\"'"),
        ("[idList==1]", "[idList==1]"),
    ],
    ids=str,
)
def test_filters_are_written_as_mailup_documents_them(where: Expression | str, sent: str) -> None:
    assert filter_parameter(where) == sent


@pytest.mark.parametrize("value", [None, 1.5, object()], ids=["None", "1.5", "object"])
def test_what_no_filter_can_compare_with_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="compares"):
        value == EMAIL  # noqa: B015


@pytest.mark.parametrize(
    ("order", "sent"), [(["Name", "-idGroup"], '"Name asc;idGroup desc"'), ("Id+asc", "Id+asc"), (("Id",), '"Id asc"')]
)
def test_orders(order: str | list[str], sent: str) -> None:
    assert order_parameter(order) == sent


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=30), st.text("ab'\"+ ", max_size=10))
def test_any_text_finds_itself_and_nothing_else(value: str, other: str) -> None:
    rows = [{"Name": value}, {"Name": other}]
    expression = filter_parameter(Field("Name") == value)

    assert expressions.filter_rows(rows, expression) == [row for row in rows if row["Name"] == value]
    assert expressions.filter_rows(rows, filter_parameter(Field("Name") != value)) == [
        r for r in rows if r["Name"] != value
    ]


@given(st.integers(), st.integers())
def test_numbers_compare_as_numbers(one: int, two: int) -> None:
    rows = [{"Id": abs(one)}]

    for operator, expected in (("<", abs(one) < abs(two)), (">=", abs(one) >= abs(two))):
        assert bool(expressions.filter_rows(rows, f"Id{operator}{literal(abs(two))}")) == expected


def test_signs_survive_the_way(client: MailUpClient, adapter: SandboxAdapter) -> None:
    for address in ("a+b@example.com", "o'neil@example.com", "c&d=e#f@example.com"):
        client.recipients.add(list_id=1, email=address)
        found = list(client.recipients.subscribed(list_id=1, where=address == EMAIL))
        assert [each.email for each in found] == [address]
        query = urlsplit(adapter.requests[-1].url or "").query
        assert "%2B" in query or "+b@" not in parse_qs(query)["filterby"][0]


@pytest.mark.parametrize("where", ["Nonsense == 1", "Email ==", "Email.Nonsense('a')", "((", "Email < 5", "§"])
def test_a_filter_that_mailup_does_not_understand(client: MailUpClient, where: str) -> None:
    client.recipients.add(list_id=1, email="ada@example.com")
    with pytest.raises(BadRequest):
        list(client.recipients.subscribed(list_id=1, where=where))


@pytest.mark.parametrize(
    "address", ["o'neil@example.com", "ada@example.com", "plus+tag@example.com", "it's'odd@example.com"]
)
def test_looking_somebody_up_finds_that_one(client: MailUpClient, address: str) -> None:
    for other in (address, f"x{address}", f"{address}.uk", "zoe@example.com"):
        client.recipients.add(list_id=1, email=other)

    for spelling in (address, address.upper()):
        found = client.recipients.find(email=spelling)
        assert found is not None
        assert found.email == address
    assert client.recipients.find(email="nobody@example.com") is None
