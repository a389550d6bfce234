"""The limits of JSON: nesting, and numbers that are none. The rest is tested with pages and records."""

from __future__ import annotations

from typing import Any

import pytest

from django_mailup.mailup import decoding

DEEPEST = decoding.MAX_NESTING


def nested(depth: int, kind: str = "[]") -> str:
    opening, closing = ("[", "]") if kind == "[]" else ('{"a":', "}")
    return opening * depth + "1" + closing * depth


@pytest.mark.parametrize("kind", ["[]", "{}"])
def test_nesting_has_a_limit(kind: str) -> None:
    assert decoding.decode(nested(DEEPEST, kind))
    for depth in (DEEPEST + 1, 5_000, 1_000_000):
        with pytest.raises(ValueError, match="nested"):
            decoding.decode(nested(depth, kind))


def test_many_values_beside_each_other_and_brackets_in_texts_are_not_nested() -> None:
    assert len(decoding.decode("[" + ",".join(["[{}]"] * 1000) + "]")) == 1000
    assert decoding.decode('"' + "[" * 1000 + '"') == "[" * 1000
    assert decoding.decode('["' + "]" * 1000 + '",' + nested(DEEPEST - 1) + "]")


def test_brackets_in_texts_hide_no_nesting() -> None:
    with pytest.raises(ValueError, match="nested"):
        decoding.decode('["' + "]" * 1000 + '",' + nested(DEEPEST) + "]")


@pytest.mark.slow
@pytest.mark.parametrize("value", ["[]", "{}"])
def test_the_number_of_values_has_a_limit(value: str) -> None:
    most = ",".join([value] * (decoding.MAX_VALUES - 2))
    assert len(decoding.decode(f"[{most}]")) == decoding.MAX_VALUES - 2
    assert page(f'{{"Items":[],"More":"{most}"}}') == []
    for source in (f"[{most},{value},{value}]", f'{{"Items":[{most},{value}]}}', f'{{"Items":[{{"a":[{most}]}}]}}'):
        with pytest.raises(ValueError, match="too many"):
            decoding.decode(source)
        with pytest.raises(ValueError, match="too many"):
            page(source)


def page(source: str) -> list[Any]:
    return decoding.decode_page(source, lambda rows: [row for row, _ in rows])[1]


def test_an_answer_without_items_is_no_page() -> None:
    assert decoding.decode_page('{"More":[1]}', list) == (None, [])


@pytest.mark.parametrize("depth", [DEEPEST + 1, 100_000])
def test_pages_have_the_same_limit(depth: int) -> None:
    assert page(f'{{"Items":[{{"a":{nested(3)}}}],"More":{nested(3)}}}') == [{"a": [[[1]]]}]
    for source in (f'{{"Items":[{{"a":{nested(depth)}}}]}}', f'{{"More":{nested(depth)},"Items":[]}}'):
        with pytest.raises(ValueError, match="nested"):
            page(source)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("form", ["%s", "[%s]", '{"a":%s}'])
def test_numbers_that_are_not_finite_are_refused(value: str, form: str) -> None:
    with pytest.raises(ValueError):
        decoding.decode(form % value)
    with pytest.raises(ValueError):
        page('{"Items":[{"a":%s}]}' % (form % value))


def test_other_numbers_are_read() -> None:
    assert decoding.decode("[1.5, 1e3, -0.0, 12]") == [1.5, 1000.0, 0.0, 12]
