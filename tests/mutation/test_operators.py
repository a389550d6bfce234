"""The mutants of pieces of code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.operators import Mutant, mutants_of

CASES = [
    # (a function's body, the mutated lines)
    ("return a == b", ["return None", "return a != b"]),
    ("return a < b", ["return None", "return a <= b"]),
    ("return a not in b", ["return None", "return a in b"]),
    ("return a is not None", ["return None", "return a is None"]),
    ("return not (a)", ["return None", "return (a)"]),
    ("return a and b", ["return None", "return a or b", "return True and b", "return a and True"]),
    ("return a or (b)", ["return None", "return a and (b)", "return False or (b)", "return a or (False)"]),
    ("return a + 1", ["return None", "return a - 1", "return a + 2"]),
    ("return a % 1.5", ["return None", "return a * 1.5", "return a % 2.5"]),
    ("return True", ["return None", "return False"]),
    ("return 'id'", ["return None", "return 'XXid'"]),
    ("return b''", ["return None", "return b'XX'"]),
    ("return 'è' == a", ["return None", "return 'è' != a", "return 'XXè' == a"]),
    ("return f'{a}-{b}'", ["return None", 'return "XX"']),
    ("return f'{a} are {b}'", ["return None"]),
    ("return 'a sentence for people'", ["return None"]),
    ("return None", []),
    ("return", ["pass"]),
    ("return a[1:b]", ["return None", "return a[:b]", "return a[2:b]", "return a[1:]"]),
    ("return a if b else c", ["return None", "return a if True else c", "return a if False else c"]),
    ("if not a: b = c", ["if True: b = c", "if False: b = c"]),
    ("if a == b: c = d", ["if True: c = d", "if False: c = d"]),
    ("if a > b: c = d", ["if True: c = d", "if False: c = d", "if a >= b: c = d"]),
    ("while a: break", ["while True: break", "while False: break", "while a: pass"]),
    ("return [x for x in a if b]", ["return None", "return [x for x in a if True]", "return [x for x in a if False]"]),
    ("return lambda: a", ["return None", "return lambda: None"]),
    ("a(b, c=d)", ["pass", "a(b, **{})"]),
    ("a(b, c=d, **e)", ["pass", "a(b, **{}, **e)"]),
    ("return a.filter(b).first()", ["return None", "return a.first()"]),
    ("return (a + b).lower()", ["return None", "return (a + b)", "return (a - b).lower()"]),
    ("a.b = c", ["pass"]),
    ("a[b] = c", ["pass"]),
    ("a, b[c] = d", ["pass"]),
    ("a = b", []),
    ("a: int | None = b", []),
    ("a += b", ["pass", "a -= b"]),
    ("del a[b]", ["pass"]),
    ("raise a", ["pass"]),
    ("yield from a", ["pass"]),
    ("assert a == 1", []),
    ("import a", []),
    ("with a, b as c: d = c", ['with __import__("contextlib").nullcontext(), b as c: d = c',
                               'with a, __import__("contextlib").nullcontext() as c: d = c']),
    ("'A docstring.'", []),
    ("return _('Save')", ["return None"]),
    ("return cast('T', a)", ["return None"]),
    ("return Literal['a']", ["return None"]),
]  # fmt: skip


def _mutants(folder: Path, code: str, **options: bool) -> list[Mutant]:
    (folder / "code.py").write_text(code, encoding="utf-8")
    return mutants_of(folder, "code.py", **options)


def _after(folder: Path, code: str) -> list[str]:
    return sorted(each.after for each in _mutants(folder, code))


@pytest.mark.parametrize(("body", "expected"), CASES, ids=[body for body, _ in CASES])
def test_a_statement(tmp_path: Path, body: str, expected: list[str]) -> None:
    assert _after(tmp_path, f"def f(a, b, c, d, e):\n    {body}\n") == sorted(expected)


def test_exceptions_that_are_caught(tmp_path: Path) -> None:
    """One class less, none, and all."""
    found = _after(tmp_path, "try:\n    a = b\nexcept (C, D):\n    e = f\nexcept G:\n    e = f\n")
    expected = ["except (*(), D):", "except (C, *()):", "except Exception:", "except ():", "except Exception:"]
    assert found == sorted(expected)


def test_decorators_and_the_items_of_their_lists(tmp_path: Path) -> None:
    found = _after(tmp_path, "@a([b, c])\n@d\ndef f():\n    e = g\n")
    assert found == sorted(["", "", "@a([*[], c])", "@a([b, *[]])"])


def test_how_a_dataclass_is_made_is_left_out(tmp_path: Path) -> None:
    assert _after(tmp_path, "@dataclass(frozen=True)\nclass A:\n    b: int = 1\n") == ["", "b: int = 2"]


def test_what_is_only_for_types_is_left_out(tmp_path: Path) -> None:
    code = """
from __future__ import annotations
if TYPE_CHECKING:
    A = 1
__all__ = ["a"]
T = TypeVar("T", bound="A")
class P(Protocol):
    a: int = 1
@overload
def f(a: Literal["x"] | None = "x") -> int | None: ...
"""
    assert [each.after for each in _mutants(tmp_path, code)] == [
        'T = TypeVar("T", **{})',
        "T = TypeVar(\"T\", bound='XXA')",
    ]


def test_where_a_mutant_stands(tmp_path: Path) -> None:
    function = "def f(self, g=2):\n        return (\n            g\n            + 3\n        )\n"
    code = f"A = 1\n\n\nclass B(C):\n    d = e\n\n    {function}"
    found = {each.after: each for each in _mutants(tmp_path, code)}
    constant, attribute, default, number = found["A = 2"], found["pass"], found["def f(self, g=3):"], found["+ 4"]
    assert (constant.function, constant.line, constant.when_imported) == ("", 1, True)
    assert (attribute.function, attribute.first, attribute.last, attribute.when_imported) == ("B", 5, 11, True)
    assert (default.function, default.first, default.last, default.when_imported) == ("B.f", 8, 11, True)
    assert (number.function, number.first, number.last, number.when_imported) == ("B.f", 8, 11, False)
    assert number.line == 10
    assert number.source().decode() == code.replace("+ 3", "+ 4")


def test_the_header_of_a_compound_statement_is_reached_without_its_body(tmp_path: Path) -> None:
    found = _mutants(tmp_path, "def f(a):\n    if (\n        a\n        and b\n    ):\n        return c\n")
    assert {(each.first, each.last) for each in found if each.operator == "condition"} == {(2, 5)}


def test_only_bodies(tmp_path: Path) -> None:
    found = _mutants(tmp_path, "A = B(1, c=lambda: d)\n\n\ndef f(a=2):\n    a = 3\n", bodies_only=True)
    assert [each.after for each in found] == ["def f(a=3):", "a = 4"]


def test_the_key_belongs_to_the_file_and_to_the_change(tmp_path: Path) -> None:
    first, second = _mutants(tmp_path, "a = 1\nb = 1\n")
    (third, fourth) = _mutants(tmp_path, "a = 1\nb = 1 \n")
    assert len({first.key, second.key, third.key, fourth.key}) == 4
