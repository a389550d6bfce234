"""Records: parsing rows in every spelling of MailUp's keys, and how records behave as values."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_mailup import mailup
from django_mailup.exceptions import UnexpectedResponse
from django_mailup.mailup import Group, ImportDetails, MessageDetails, Recipient, RecipientCount, Record, Tag, Trial
from django_mailup.mailup.__main__ import operations
from django_mailup.mailup.flow import Answer
from django_mailup.mailup.paging import Ask, parse_page
from django_mailup.mailup.records import MAX_SHAPES, key, list_of


class Thing(Record):
    """A record with a field of each kind."""

    id: int = key("idThing", "ThingId")
    name: str = key("Name")
    size: int | None = key("Size")
    open: bool = key("Open")
    made_at: datetime | None = key("Made")
    parts: tuple[int, ...] = key("Parts", parse=lambda value: tuple(value or ()))


WHOLE = {"idThing": 7, "Name": "x", "Size": 2, "Open": True, "Made": "2020-01-27 10:38:00.000", "Parts": [1, 2]}
MADE_AT = datetime(2020, 1, 27, 10, 38, tzinfo=UTC)


def parsed(row: object) -> Thing:
    """Parse a row as part of a page, which keeps its JSON as text. Check that parsing it alone gives the same."""
    body = json.dumps({"Items": [row], "TotalElementsCount": 1})
    (found,) = parse_page(Answer(body, 200, {}), Thing, ask=Ask(0, 20)).items
    assert found == Thing.parse(row)
    assert found.raw == Thing.parse(row).raw == row
    return found


def subclasses(of: type[Record]) -> Iterator[type[Record]]:
    for each in of.__subclasses__():
        yield each
        yield from subclasses(each)


def test_the_records_of_resources_are_public() -> None:
    assert operations()  # loads every resource
    names = {each.__name__ for each in subclasses(Record) if each.__module__.startswith("django_mailup.")}

    assert len(names) > 20
    assert names - set(mailup.__all__) == set()


# ---------------------------------------------------------------------------------------- parsing


def test_fields_are_parsed_by_their_types() -> None:
    assert parsed(WHOLE) == Thing(id=7, name="x", size=2, open=True, made_at=MADE_AT, parts=(1, 2))


def test_what_is_missing_is_empty() -> None:
    assert parsed({"idThing": 7}) == Thing(id=7, name="", size=None, open=False, made_at=None, parts=())


@pytest.mark.parametrize("name", ["idThing", "IDTHING", "ThingId", "thingid", "IdThing"])
def test_keys_have_several_spellings_in_any_letter_case(name: str) -> None:
    assert parsed({name: 7}).id == 7


def test_the_first_spelling_wins_and_an_exact_one_before_another_letter_case() -> None:
    assert parsed({"ThingId": 1, "idThing": 2}).id == 2
    assert parsed({"IDTHING": 1, "ThingId": 2}).id == 2
    assert parsed({"thingid": 1, "IDTHING": 2}).id == 2


@pytest.mark.parametrize(
    ("row", "field", "expected"),
    [
        ({"idThing": "7"}, "id", 7),
        ({"idThing": 1, "Size": "12"}, "size", 12),
        ({"idThing": 1, "Size": "many"}, "size", None),
        ({"idThing": 1, "Size": True}, "size", None),
        ({"idThing": 1, "Name": None}, "name", ""),
        ({"idThing": 1, "Name": 5}, "name", "5"),
        ({"idThing": 1, "Open": "true"}, "open", False),
        ({"idThing": 1, "Open": None}, "open", False),
        ({"idThing": 1, "Made": ""}, "made_at", None),
        ({"idThing": 1, "Made": "0001-01-01 00:00:00"}, "made_at", None),
        ({"idThing": 1, "Made": "soon"}, "made_at", None),
        ({"idThing": 1, "Made": "2020-01-27T11:38:00+01:00"}, "made_at", MADE_AT),
        ({"idThing": 1, "Parts": None}, "parts", ()),
    ],
    ids=repr,
)
def test_values_are_taken_leniently(row: dict[str, Any], field: str, expected: Any) -> None:
    assert getattr(parsed(row), field) == expected


def test_a_number_of_python_that_is_not_finite_is_none() -> None:
    assert Thing.parse({"idThing": 1, "Size": float("inf")}).size is None


@pytest.mark.parametrize("row", [{}, {"idThing": None}, {"idThing": "seven"}, {"idThing": True}, [], 5, None], ids=repr)
def test_a_row_without_an_id_is_no_record(row: object) -> None:
    for _ in range(2):  # the second time, the shape of the row is cached
        with pytest.raises(UnexpectedResponse):
            Thing.parse(row)


def test_shapes_do_not_mix() -> None:
    rows: list[dict[str, Any]] = [
        {"idThing": 1, "Name": "a"}, {"Name": "b", "idThing": 2}, {"idThing": 3, "NAME": "c"}, {"idThing": 4},
        {"idThing": 5, "NAME": "d", "Name": "e"}, {"idThing": 6, "name": "f", "Size": 1},
    ]  # fmt: skip
    body = json.dumps({"Items": rows * 2})
    found = parse_page(Answer(body, 200, {}), Thing, ask=Ask(0, 20)).items

    assert [each.name for each in found] == ["a", "b", "c", "", "e", "f"] * 2
    assert [each.raw for each in found] == rows * 2


def test_rows_of_ever_new_shapes_are_parsed_without_being_remembered_for_ever() -> None:
    from django_mailup.mailup.records import _plans

    for number in range(3 * MAX_SHAPES):
        assert Thing.parse({"idThing": number, f"Extra{number}": 1}).id == number
    assert len(_plans(Thing)) <= MAX_SHAPES


def test_an_argument_of_the_call_stands_for_a_missing_number() -> None:
    assert Group.parse({"idGroup": 1}, arguments={"list_id": 5}).list_id == 5
    assert Group.parse({"idGroup": 1, "ListId": "6"}, arguments={"list_id": 5}).list_id == 6
    with pytest.raises(UnexpectedResponse, match="idList"):
        Group.parse({"idGroup": 1})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([{"Id": 1, "Value": "Ada", "Description": "n"}, {"Id": 2, "Value": ""}], {1: "Ada", 2: ""}),
        ([{"ID": "1", "value": 5}, {"Id": "x"}, 5, None, {"Id": 2, "Value": None}], {1: "5", 2: ""}),
        ([{"Id": 1, "Value": "a"}, {"Id": 1, "Value": "b"}], {1: "b"}),
        ([{"Id": [1], "Value": "a"}, {"Id": 2, "Value": ["b"]}], {2: "['b']"}),
        ([], {}), (None, {}), ({}, {}), ("text", {}), (5, {}),
    ],
    ids=repr,
)  # fmt: skip
def test_personal_fields(fields: object, expected: dict[int, str]) -> None:
    for _ in range(2):  # the second time, their ids are cached
        found = Recipient.parse({"idRecipient": 1, "Fields": fields}).fields
        assert found == expected
        assert (dict(found), len(found), repr(found)) == (expected, len(expected), repr(expected))
        assert found.get(99) is None


@pytest.mark.parametrize(("value", "expected"), [("new", "new"), (None, ""), (5, "5"), (True, "True")], ids=repr)
def test_personal_fields_whose_ids_are_known_are_still_parsed(value: object, expected: str) -> None:
    Recipient.parse({"idRecipient": 1, "Fields": [{"Id": 7, "Value": "x"}]})

    assert Recipient.parse({"idRecipient": 1, "Fields": [{"Id": 7, "Value": value}]}).fields == {7: expected}


def test_inherited_fields_are_parsed_too() -> None:
    row = {"idMessage": 1, "Subject": "s", "Content": "c", "Tags": [{"Id": 3, "Name": "x"}, {"Name": "y"}, 4]}
    found = MessageDetails.parse(row)

    assert (found.id, found.subject, found.content, found.tag_ids, found.list_id) == (1, "s", "c", (3,), None)


def test_other_things_in_an_array_are_left_out() -> None:
    parse = list_of(Tag)

    assert [each.id for each in parse([{"Id": 1}, 5, None, {"id": "2"}])] == [1, 2]
    assert parse({"Items": [{"Id": 3}]}) == [Tag(id=3, name="", enabled=False)]
    for body in ({}, None, "x", {"Items": None}):
        with pytest.raises(UnexpectedResponse):
            parse(body)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.fixed_dictionaries(
        {"idThing": st.integers(1)},
        optional={
            "Name": st.none() | st.integers() | st.text(), "SIZE": st.none() | st.text(max_size=3) | FLOATS,
            "Open": st.booleans() | st.none(), "made": st.text(max_size=20) | st.datetimes().map(str),
            "Other": st.recursive(st.text() | FLOATS, st.lists, max_leaves=5),
        },
    )
)  # fmt: skip
def test_no_value_breaks_parsing(row: dict[str, Any]) -> None:
    body = json.dumps({"Items": [row, row]})
    one, other = parse_page(Answer(body, 200, {}), Thing, ask=Ask(0, 20)).items

    assert one == other == Thing.parse(row)
    assert one.raw == row


# ---------------------------------------------------------------------------------------- values


def test_equality_is_of_class_and_fields_without_the_original() -> None:
    one = RecipientCount.parse({"IdRecipient": 1, "Email": "a", "Count": 2, "Url": "x"})

    assert one == RecipientCount(recipient_id=1, email="a", count=2)
    assert one != RecipientCount(recipient_id=1, email="a", count=3)
    assert Tag(id=1, name="", enabled=True) != Group(
        id=1, list_id=1, name="", notes="", deletable=True, count=None
    )  # fmt: skip
    assert Tag(id=1, name="", enabled=True) != (1, "", True)


def test_records_go_into_sets() -> None:
    one, other = Recipient.parse({"idRecipient": 1, "Fields": [{"Id": 1, "Value": "x"}]}), Recipient.parse(
        {"IdRecipient": "1", "Fields": [{"Id": 1, "Value": "x"}], "Mood": "fine"}
    )  # fmt: skip

    assert {one, other} == {one}
    assert hash(one) == hash(dataclasses.replace(one, email="new"))
    assert len({one, dataclasses.replace(one, email="new")}) == 2
    counted = RecipientCount(recipient_id=1, email="a", count=1)
    assert {counted, copy.copy(counted)} == {counted}
    assert hash(counted) != hash(dataclasses.replace(counted, count=2))
    assert hash(ImportDetails.parse({"IdImport": 1, "IdGroups": [1]})) == hash(ImportDetails.parse({"IdImport": 1}))


def test_repr_has_neither_the_original_nor_secrets() -> None:
    trial = Trial.parse({"Id": "1", "Hash": "secret", "Other": "thing"})

    assert repr(trial) == "Trial(id='1')"
    assert repr(Tag.parse({"Id": 1, "Mood": "fine"})) == "Tag(id=1, name='', enabled=False)"


def test_records_are_frozen_and_have_slots() -> None:
    tag = Tag.parse({"Id": 1})

    for name in ("id", "raw"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(tag, name, 2)
    with pytest.raises((AttributeError, TypeError)):
        object.__setattr__(tag, "mood", "fine")
    assert not hasattr(tag, "__dict__")


def test_a_record_can_be_made_in_a_test_without_an_original() -> None:
    tag = Tag(id=1, name="x", enabled=True)

    assert tag.raw == {}
    assert Tag(id=1, name="x", enabled=True, raw={"Id": 1}).raw == {"Id": 1}
    with pytest.raises(TypeError):
        Tag(id=1, name="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Tag(1, "x", True)  # type: ignore[misc]


def test_records_are_copied_and_pickled_whole() -> None:
    found = parsed(WHOLE)

    for other in (pickle.loads(pickle.dumps(found)), copy.copy(found), copy.deepcopy(found)):  # noqa: S301
        assert (other, other.raw, type(other)) == (found, WHOLE, Thing)
    assert dataclasses.replace(found, name="y").raw == WHOLE


def test_the_original_is_the_rows_own_json_and_not_the_page() -> None:
    row = '{"idThing" : 7,\t"Name":"\\u00e0 \\/ è \\ud83d\\ude00","Size":null, "Size":3}'
    page = parse_page(Answer(f'{{"Items":[{row} , {row}]}}', 200, {}), Thing, ask=Ask(0, 20))

    assert [each.name for each in page.items] == ["à / è 😀"] * 2
    assert page.items[0].raw == json.loads(row)
    assert page.items[0].size == 3
