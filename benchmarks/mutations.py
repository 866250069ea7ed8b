"""Single faults that can be put into a Python file: where they go and what they turn the text into.

A site is one node of the syntax tree at which something can go wrong in one or more ways: an operator, a number, a
bound of a slice, a call's arguments, a statement. Left out by rule, since no test ought to notice them: annotations,
docstrings and other strings, what is raised, warned of or logged, assertions, imports, decorators, `__all__`, bodies of
protocols, and what is only there for the type checker. Left out as well are faults that cannot run (dropping the first
binding of a name): anything notices them, and they would only flatter the share.
"""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitAnd: (ast.BitOr,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
}
ONE_WAY = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)  # whose operands may not be swapped
# Functions and methods that are taken for one another.
_TWINS = (
    ("min", "max"),
    ("any", "all"),
    ("sum", "mean"),
    ("floor", "ceil"),
    ("amin", "amax"),
    ("argmin", "argmax"),
    ("minimum", "maximum"),
    ("clamp_min", "clamp_max"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("zeros_", "ones_"),
    ("log10", "log"),
    ("log2", "log"),
    ("sin", "cos"),
    ("rfft", "fft"),
    ("append", "extend"),
    ("startswith", "endswith"),
    ("lower", "upper"),
    ("to_frames", "to_samples"),
)
TWINS = {name: other for pair in _TWINS for name, other in (pair, pair[::-1])}
# Methods without which a value still fits.
TRANSPARENT = ("abs", "sqrt", "square", "exp", "detach", "flatten", "strip", "lower", "upper", "conj")
# Functions that do not mind in which order they are told.
EVEN = (
    "min",
    "max",
    "minimum",
    "maximum",
    "transpose",
    "swapaxes",
    "gcd",
    "allclose",
    "isclose",
    "zip",
    "union",
)
SPOKEN = ("warn", "debug", "info", "warning", "error", "exception", "log", "print", "echo")


@dataclass(frozen=True)
class Mutant:
    """One fault: `start` and `end` are bytes of the file's text, `text` what stands there instead."""

    line: int
    kind: str
    start: int
    end: int
    text: str

    def applied(self, source: str) -> str:
        """The file's text with the fault in it."""
        raw = source.encode()
        return (raw[: self.start] + self.text.encode() + raw[self.end :]).decode()


Change = tuple[str, ast.AST]  # what kind of fault, and the node with the fault in it


def _negated(node: ast.expr) -> ast.expr:
    return node.operand if _is_not(node) else ast.UnaryOp(ast.Not(), node)  # type: ignore[attr-defined]


def _is_not(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _compare(node: ast.Compare) -> Iterator[Change]:
    for i, op in enumerate(node.ops):
        for other in COMPARISONS[type(op)]:
            ops = [*node.ops[:i], other(), *node.ops[i + 1 :]]
            yield "comparison", ast.Compare(node.left, ops, node.comparators)


def _arithmetic(node: ast.BinOp) -> Iterator[Change]:
    for other in ARITHMETIC.get(type(node.op), ()):
        yield "arithmetic", ast.BinOp(node.left, other(), node.right)
    if isinstance(node.op, ONE_WAY):
        yield "operands swapped", ast.BinOp(node.right, node.op, node.left)


def _logic(node: ast.BoolOp) -> Iterator[Change]:
    yield "and/or", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for i in range(len(node.values)):
        rest = [*node.values[:i], *node.values[i + 1 :]]
        yield "condition dropped", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _unary(node: ast.UnaryOp) -> Iterator[Change]:
    if isinstance(node.op, ast.Not):
        yield "negation", node.operand
    elif isinstance(node.op, ast.USub):
        yield "sign", node.operand
    elif isinstance(node.op, ast.Invert):
        yield "inversion", node.operand


def _constant(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, int | float):
        others = (
            [value + 1, value - 1, value * 2, 0] if isinstance(value, int) else [value * 2, value / 2, 0.0]
        )
        for other in dict.fromkeys(others):
            if other != value:
                yield "constant", ast.Constant(other)


def _condition(node: ast.IfExp) -> Iterator[Change]:
    yield "branch", ast.IfExp(_negated(node.test), node.body, node.orelse)


def _slice(node: ast.Slice) -> Iterator[Change]:
    if node.lower is not None:
        yield "bound dropped", ast.Slice(None, node.upper, node.step)
    if node.upper is not None:
        yield "bound dropped", ast.Slice(node.lower, None, node.step)
    if node.step is not None:
        yield "step dropped", ast.Slice(node.lower, node.upper, None)


def _call(node: ast.Call) -> Iterator[Change]:
    yield from _renamed(node)
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr in TRANSPARENT and not node.args:
        yield "call dropped", function.value
    plain = [not isinstance(a, ast.Starred) for a in node.args]
    for i in range(len(node.args) - 1 if _name_of(function) not in EVEN else 0):
        first, second = node.args[i : i + 2]
        alike = type(first) is type(second) and ast.dump(first) != ast.dump(second)
        if plain[i] and plain[i + 1] and alike:
            args = [*node.args[:i], second, first, *node.args[i + 2 :]]
            yield "arguments swapped", ast.Call(function, args, node.keywords)
    for k, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            yield (
                "keyword dropped",
                ast.Call(function, node.args, [*node.keywords[:k], *node.keywords[k + 1 :]]),
            )


def _renamed(node: ast.Call) -> Iterator[Change]:
    function = node.func
    if isinstance(function, ast.Name) and function.id in TWINS:
        yield "function", ast.Call(ast.Name(TWINS[function.id], ast.Load()), node.args, node.keywords)
    if isinstance(function, ast.Attribute) and function.attr in TWINS:
        other = ast.Attribute(function.value, TWINS[function.attr], ast.Load())
        yield "function", ast.Call(other, node.args, node.keywords)


def _branch(node: ast.If) -> Iterator[Change]:
    yield "branch", _negated(node.test)


def _return(node: ast.Return) -> Iterator[Change]:
    value = node.value
    if isinstance(value, ast.Tuple) and len(value.elts) > 1:
        elements = [*value.elts[1:], value.elts[0]]
        yield "return", ast.Return(ast.Tuple(elements, ast.Load()))
    if value is not None and not (isinstance(value, ast.Constant) and value.value is None):
        yield "return", ast.Return(ast.Constant(None))


def _dropped(_node: ast.stmt) -> Iterator[Change]:
    yield "statement dropped", ast.Pass()


def _jump(node: ast.stmt) -> Iterator[Change]:
    yield "jump", ast.Break() if isinstance(node, ast.Continue) else ast.Continue()


HANDLED: dict[type[ast.AST], Callable[..., Iterator[Change]]] = {
    ast.Compare: _compare,
    ast.BinOp: _arithmetic,
    ast.BoolOp: _logic,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.IfExp: _condition,
    ast.Slice: _slice,
    ast.Call: _call,
    ast.If: _branch,
    ast.Return: _return,
    ast.AugAssign: _dropped,
    ast.Expr: _dropped,
    ast.Assign: _dropped,
    ast.Break: _jump,
    ast.Continue: _jump,
}


def _name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


class _Walk:
    """Goes through a file and collects sites, outermost first."""

    def __init__(self, source: str) -> None:
        self.sites: list[list[Mutant]] = []
        lines = source.encode().splitlines(keepends=True)
        self._starts = [0]
        for line in lines:
            self._starts.append(self._starts[-1] + len(line))
        self._building = False  # whether the function at hand is an `__init__`
        self._bound: set[str] = set()  # names of the function at hand that have a value already

    def body(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.visit(statement)

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self._definition(node)
        elif not self._left_out(node):
            if type(node) in HANDLED and self._may_be_dropped(node):
                self._site(node)
            for child in self._children(node):
                self.visit(child)
        self._bind(node)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        if isinstance(node, ast.ClassDef):
            if not any(_name_of(base) in ("Protocol", "TypedDict", "NamedTuple") for base in node.bases):
                self.body(node.body)
            return
        outer, self._bound = self._bound, {a.arg for a in (*node.args.args, *node.args.kwonlyargs)}
        built, self._building = self._building, node.name == "__init__"
        for default in (*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)):
            self.visit(default)
        self.body(node.body)
        self._bound, self._building = outer, built

    def _left_out(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Raise | ast.Assert | ast.Import | ast.ImportFrom | ast.JoinedStr):
            return True
        if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call):
            return True
        if isinstance(node, ast.Call):
            return _name_of(node.func) in SPOKEN
        if isinstance(node, ast.If):
            return _name_of(node.test) == "TYPE_CHECKING"
        return isinstance(node, ast.Assign) and any(_name_of(t) == "__all__" for t in node.targets)

    def _children(self, node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.AnnAssign):
            yield from [node.value] if node.value is not None else []
        elif isinstance(node, ast.Call) and _name_of(node.func) in ("cast", "TypeVar"):
            yield from node.args[1:]
        else:
            yield from ast.iter_child_nodes(node)

    def _may_be_dropped(self, node: ast.AST) -> bool:
        """Whether an assignment or call can be left out and the file still runs."""
        if isinstance(node, ast.Expr):
            call = node.value
            return isinstance(call, ast.Call) and _name_of(call.func) not in SPOKEN
        if isinstance(node, ast.Assign):
            if self._building and isinstance(node.targets[0], ast.Attribute):
                return False
            names = [n for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
            stored = [n.id for n in names if isinstance(n.ctx, ast.Store)]
            return all(name in self._bound for name in stored)
        return True

    def _bind(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            self._bound.add(node.id)

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def _site(self, node: ast.AST) -> None:
        place = node.test if isinstance(node, ast.If) else node
        assert isinstance(place, ast.expr | ast.stmt | ast.Slice)
        start = self._offset(place.lineno, place.col_offset)
        end = self._offset(place.end_lineno or place.lineno, place.end_col_offset or 0)
        found = []
        for kind, changed in HANDLED[type(node)](node):
            text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(changed)))
            if isinstance(changed, ast.expr) and not isinstance(changed, ast.Constant | ast.Call | ast.Name):
                text = f"({text})"
            found.append(Mutant(place.lineno, kind, start, end, text))
        if found:
            self.sites.append(found)


def sites_of(source: str) -> list[list[Mutant]]:
    """All sites of a file in order, each with the faults that can be put there."""
    walk = _Walk(source)
    walk.body(ast.parse(source).body)
    return walk.sites


@cache
def _dumped(source: str) -> str:
    return ast.dump(ast.parse(source))


def runs(mutant: Mutant, source: str) -> bool:
    """Whether the file with the fault can be compiled and is another program than before."""
    try:
        return ast.dump(ast.parse(mutant.applied(source))) != _dumped(source)
    except SyntaxError:
        return False


def draw(files: dict[str, str], sample: int, seed: int) -> tuple[list[tuple[str, Mutant]], int]:
    """`sample` mutants of files (name, text), each at a site of its own, every site as likely, and how many sites.

    The same texts and seed give the same mutants, and a larger sample begins with the smaller one.
    """
    sites = [(name, site) for name in sorted(files) for site in sites_of(files[name])]
    chance = random.Random(seed)
    chance.shuffle(sites)
    drawn: list[tuple[str, Mutant]] = []
    for name, site in sites:
        ways = chance.sample(site, len(site))
        if len(drawn) < sample:
            drawn += [(name, way) for way in ways if runs(way, files[name])][:1]
    return drawn, len(sites)
