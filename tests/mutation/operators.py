"""The mutants of a source file: each replaces one piece of its text, found by the syntax tree."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

COMPARISONS: Final = {
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"), ast.Is: ("is", "is not"), ast.IsNot: (r"is\s+not", "is"), ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
}  # fmt: skip
TURNED_ROUND: Final = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
ARITHMETIC: Final = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"), ast.BitOr: ("|", "&"), ast.BitAnd: ("&", "|"),
}  # fmt: skip
# Calls of these methods are replaced by the object they are called on.
LINKS: Final = frozenset({
    "astimezone", "casefold", "distinct", "exclude", "filter", "lower", "lstrip", "only", "order_by", "replace",
    "rstrip", "select_for_update", "strip", "upper", "using",
})  # fmt: skip
TEXTS_FOR_PEOPLE: Final = frozenset({"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext"})
ONLY_FOR_TYPES: Final = frozenset({"overload", "final", "override", "abstractmethod", "runtime_checkable"})
NOTHING: Final = '__import__("contextlib").nullcontext()'
Node = ast.expr | ast.stmt


@dataclass(frozen=True)
class Mutant:
    """A fault in one file. Positions are offsets in its bytes; lines count from 1."""

    path: str
    function: str
    """The qualified name of the function or class around it; empty at the level of the module."""
    line: int
    first: int
    """The first and the last line of the statement, or of the header of a compound one: who runs these reaches it."""
    last: int
    when_imported: bool
    """Whether it runs when the module is imported, as constants, decorators and defaults do."""
    operator: str
    start: int
    end: int
    replacement: str
    before: str
    """The lines that change, as they are and as they will be, with single spaces."""
    after: str
    key: str
    """Names the mutant: a hash of the file and of the change."""
    original: bytes = field(repr=False)
    """The file without the fault, as it was when the mutant was made."""

    def source(self) -> bytes:
        """Return the file with the fault."""
        return self.original[: self.start] + self.replacement.encode() + self.original[self.end :]


@dataclass(frozen=True)
class _Place:
    """Where in the file a node stands. See Mutant."""

    function: str
    first: int
    last: int
    when_imported: bool
    in_function: bool


def mutants_of(root: Path, path: str, *, bodies_only: bool = False) -> list[Mutant]:
    """Return the mutants of a file, in the order of its lines. Those that are no Python are left out.

    Args:
        root: the folder that `path` is relative to.
        bodies_only: only what stands in functions, no constants of modules and classes.
    """
    source = (root / path).read_bytes()
    found = _File(path, source, bodies_only)
    found.walk_body(ast.parse(source).body, _Place("", 1, 1, when_imported=True, in_function=False))
    return sorted({each.key: each for each in found.mutants}.values(), key=lambda each: (each.start, each.key))


class _File:
    def __init__(self, path: str, source: bytes, bodies_only: bool) -> None:
        self.mutants: list[Mutant] = []
        self._path, self._source, self._bodies_only = path, source, bodies_only
        self._conditions: set[ast.expr] = set()
        """Always true and always false, they need no mutant that turns them round: it is easier to notice."""
        self._digest = hashlib.sha256(source).hexdigest()
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def _start(self, node: ast.AST) -> int:
        return self._lines[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]

    def _end(self, node: ast.AST) -> int:
        return self._lines[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def _add(self, operator: str, place: _Place, start: int, end: int, replacement: str) -> None:
        if self._bodies_only and not place.in_function:
            return
        source = self._source
        changed = source[:start] + replacement.encode() + source[end:]
        try:
            compile(changed, self._path, "exec", dont_inherit=True)
        except SyntaxError:
            return
        head, tail = source.rfind(b"\n", 0, start) + 1, source.find(b"\n", end)
        before, after = source[head:tail], source[head:start] + replacement.encode() + source[end:tail]
        key = hashlib.sha256(f"{self._digest} {start} {end} {replacement}".encode()).hexdigest()[:20]
        self.mutants.append(
            Mutant(
                self._path, place.function, source.count(b"\n", 0, start) + 1, place.first, place.last,
                place.when_imported, operator, start, end, replacement,
                " ".join(before.decode().split()), " ".join(after.decode().split()), key, source,
            )
        )  # fmt: skip

    def _replace(self, operator: str, place: _Place, node: ast.AST, replacement: str) -> None:
        self._add(operator, place, self._start(node), self._end(node), replacement)

    def _replace_token(self, operator: str, place: _Place, left: Node, right: Node, token: str, by: str) -> None:
        """Replace an operator between two expressions."""
        start, end = self._end(left), self._start(right)
        found = re.search(token.encode(), self._source[start:end])
        if found:
            self._add(operator, place, start + found.start(), start + found.end(), by)

    def walk_body(self, body: list[ast.stmt], place: _Place) -> None:
        """Mutate statements, and what they consist of."""
        for each in body:
            self._statement(each, place)

    def _statement(self, node: ast.stmt, around: _Place) -> None:
        if isinstance(node, (ast.Assert, ast.Import, ast.ImportFrom)) or _is_no_behaviour(node):
            return
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self._definition(node, around)
            return
        inner: list[ast.stmt] = [each for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt)]
        if isinstance(node, (ast.Match, ast.Try)):
            last = node.lineno
        else:
            last = max(node.lineno, inner[0].lineno - 1) if inner else node.end_lineno or node.lineno
        place = _Place(around.function, node.lineno, last, around.when_imported, around.in_function)
        for operator, start, end, replacement in self._changed_statement(node):
            self._add(operator, place, start, end, replacement)
        if isinstance(node, (ast.If, ast.While)):
            self._condition(node.test, place)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr) and child is not getattr(node, "annotation", None):
                self._expression(child, place)
            elif isinstance(child, ast.stmt):
                self._statement(child, around)
            elif isinstance(child, ast.withitem):
                self._replace("with", place, child.context_expr, NOTHING)
                self._expression(child.context_expr, place)
            elif isinstance(child, ast.ExceptHandler):
                self._handler(child, around)
            elif isinstance(child, ast.match_case):
                self.walk_body(child.body, around)

    def _changed_statement(self, node: ast.stmt) -> Iterator[tuple[str, int, int, str]]:
        start, end = self._start(node), self._end(node)
        if isinstance(node, ast.Return) and node.value is not None:
            if not (isinstance(node.value, ast.Constant) and node.value.value is None):
                yield "return", self._start(node.value), self._end(node.value), "None"
        elif _can_go(node):
            yield "statement", start, end, "pass"
        if isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
            token, by = ARITHMETIC[type(node.op)]
            at = self._source.index(f"{token}=".encode(), self._end(node.target))
            yield "arithmetic", at, at + len(token), by

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, around: _Place) -> None:
        is_class = isinstance(node, ast.ClassDef)
        name = f"{around.function}.{node.name}".lstrip(".")
        # Decorators and defaults run with the import, unless the function stands in another one. Who runs the body
        # reaches them.
        top = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        first, last = (node.body[0].lineno, node.end_lineno or 0) if around.when_imported else (top, node.lineno)
        header = _Place(name, first, last, around.when_imported, around.in_function or not is_class)
        for decorator in node.decorator_list:
            start = self._source.rindex(b"@", 0, self._start(decorator))
            self._add("decorator", header, start, self._end(decorator), "")
            for items in (each for each in ast.walk(decorator) if isinstance(each, ast.List)):
                for item in items.elts:
                    self._replace("decorator", header, item, "*[]")
            if not ast.unparse(decorator).startswith("dataclass("):  # frozen and slots are no behaviour
                self._expression(decorator, header)
        if isinstance(node, ast.ClassDef):
            for keyword in node.keywords:
                self._expression(keyword.value, header)
            for each in node.body if node.bases else []:
                if isinstance(each, ast.Assign):
                    self._replace("statement", header, each, "pass")
            self.walk_body(node.body, _Place(name, first, last, around.when_imported, around.in_function))
        else:
            for default in [*node.args.defaults, *(each for each in node.args.kw_defaults if each is not None)]:
                self._expression(default, header)
            self.walk_body(node.body, _Place(name, 0, 0, when_imported=False, in_function=True))

    def _handler(self, handler: ast.ExceptHandler, around: _Place) -> None:
        place = _Place(around.function, handler.lineno, handler.lineno, around.when_imported, around.in_function)
        caught = handler.type
        if isinstance(caught, ast.Tuple):
            for each in caught.elts:
                self._replace("except", place, each, "*()")
        elif caught is not None:
            self._replace("except", place, caught, "()")
        if caught is not None and ast.unparse(caught) not in ("Exception", "BaseException"):
            self._replace("except", place, caught, "Exception")
        self.walk_body(handler.body, around)

    def _condition(self, node: ast.expr, place: _Place) -> None:
        self._conditions.add(node)
        if not isinstance(node, ast.Constant):
            self._replace("condition", place, node, "True")
            self._replace("condition", place, node, "False")

    def _expression(self, node: ast.expr, place: _Place) -> None:
        if isinstance(node, ast.JoinedStr):
            # Positions in f-strings are wrong before Python 3.12.
            if " " not in "".join(str(each.value) for each in node.values if isinstance(each, ast.Constant)):
                self._replace("text", place, node, '"XX"')
            return
        if isinstance(node, ast.Constant):
            self._constant(node, place)
        elif isinstance(node, ast.Compare):
            for left, kind, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
                if node not in self._conditions or not isinstance(kind, TURNED_ROUND):
                    self._replace_token("comparison", place, left, right, *COMPARISONS[type(kind)])
        elif isinstance(node, ast.BoolOp):
            token, by, neutral = ("and", "or", "True") if isinstance(node.op, ast.And) else ("or", "and", "False")
            for left, right in zip(node.values, node.values[1:], strict=False):
                self._replace_token("and, or", place, left, right, token, by)
            for value in node.values:
                self._replace("operand", place, value, neutral)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            if node not in self._conditions:
                self._add("not", place, self._start(node), self._start(node) + len("not"), "")
        elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            token, by = ARITHMETIC[type(node.op)]
            self._replace_token("arithmetic", place, node.left, node.right, re.escape(token), by)
        elif isinstance(node, ast.IfExp):
            self._condition(node.test, place)
        elif isinstance(node, ast.Lambda):
            self._replace("return", place, node.body, "None")
        elif isinstance(node, ast.Slice):
            for bound in (node.lower, node.upper):
                if bound is not None:
                    self._replace("slice", place, bound, "")
        elif isinstance(node, ast.Call):
            self._call(node, place)
        self._children(node, place)

    def _children(self, node: ast.expr, place: _Place) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                skipped = isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and child is node.slice
                if not (skipped and ast.unparse(node.value) in ("Literal", "Callable", "Task")):
                    self._expression(child, place)
            elif isinstance(child, ast.comprehension):
                for test in child.ifs:
                    self._condition(test, place)
                for each in (child.iter, *child.ifs):
                    self._expression(each, place)
            elif isinstance(child, ast.arguments):
                for default in [*child.defaults, *(each for each in child.kw_defaults if each is not None)]:
                    self._expression(default, place)

    def _call(self, node: ast.Call, place: _Place) -> None:
        for keyword in node.keywords:
            if keyword.arg is not None:
                self._replace("keyword", place, keyword, "**{}")
        if isinstance(node.func, ast.Attribute) and node.func.attr in LINKS:
            dot = self._source.rindex(b".", 0, self._end(node.func) - len(node.func.attr))
            self._add("link", place, dot, self._end(node), "")
        name = ast.unparse(node.func)
        if name in TEXTS_FOR_PEOPLE or name in ("TypeVar", "ParamSpec", "NewType", "cast"):
            # Texts and types are no behaviour; what a cast returns is.
            node.args = node.args[1:] if name == "cast" else []
        for keyword in node.keywords:
            self._expression(keyword.value, place)

    def _constant(self, node: ast.Constant, place: _Place) -> None:
        value = node.value
        if isinstance(value, bool):
            self._replace("constant", place, node, str(not value))
        elif isinstance(value, (int, float)):
            self._replace("constant", place, node, repr(value + 1))
        elif isinstance(value, str) and not re.search(r"\S\s+\S", value):
            self._replace("text", place, node, repr(f"XX{value}"))
        elif isinstance(value, bytes):
            self._replace("text", place, node, repr(b"XX" + value))


def _can_go(node: ast.stmt) -> bool:
    """Return whether a mutant leaves out this statement. Without an assignment to a name there would be a NameError."""
    if isinstance(node, ast.Assign):
        targets = [part for each in node.targets for part in getattr(each, "elts", [each])]
        return any(isinstance(each, (ast.Attribute, ast.Subscript)) for each in targets)
    if isinstance(node, ast.Expr):
        return isinstance(node.value, (ast.Call, ast.YieldFrom))
    return isinstance(node, (ast.Raise, ast.Continue, ast.Break, ast.Return, ast.AugAssign, ast.Delete))


def _is_no_behaviour(node: ast.stmt) -> bool:
    """Return whether a statement changes nothing while the program runs, as docstrings and types don't."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.ClassDef):
        return any(ast.unparse(base).split("[")[0] in ("Protocol", "TypedDict") for base in node.bases)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return any(ast.unparse(each).rpartition(".")[2] in ONLY_FOR_TYPES for each in node.decorator_list)
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "__slots__")
