"""Small faults that are put into a module's syntax tree, one at a time."""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum", "maximum": "minimum"}
GUARDS = ("slots", "strict")  # zip's strict and a class's slots change nothing that a correct caller sees
LONGEST = 120  # characters of an expression that is shown whole
Change = Callable[[ast.AST], None]
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Fault(NamedTuple):
    """One change of a module. ``name``: the function (or class) it stands in, with what became of what: unique in the
    module, and the same after lines have moved. ``lines``: first and last line of its statement, without the statements
    inside that one. ``called``: whether it stands in a function's body, which an import does not run. ``node`` and
    ``change`` count the nodes of the tree and the changes of that node."""

    line: int
    name: str
    lines: tuple[int, int]
    called: bool
    node: int
    change: int

    def tree(self, source: str) -> ast.Module:
        """The source with this change."""
        tree = ast.parse(source)
        node = list(ast.walk(tree))[self.node]
        list(changes(node))[self.change](node)
        return ast.fix_missing_locations(tree)


class _Place(NamedTuple):
    """Where a node stands. ``shown``: the statement, or what of it is short enough to be read."""

    shown: ast.AST
    within: str
    lines: tuple[int, int]
    called: bool


def faults(source: str) -> Iterator[Fault]:
    """Every fault of the source, in the order of its text; annotations and docstrings are left alone."""
    tree = ast.parse(source)
    number = {node: place for place, node in enumerate(ast.walk(tree))}
    seen: Counter[str] = Counter()
    for node, place in sorted(_places(tree), key=lambda pair: (_line(pair[0]), number[pair[0]])):
        for order, change in enumerate(changes(node)):
            name = f"{place.within}: {_text(place.shown)}  →  "
            before = dict(vars(node))
            change(node)
            name += _text(place.shown)
            vars(node).update(before)
            seen[name] += 1
            unique = name if seen[name] == 1 else f"{name} ({seen[name]})"
            yield Fault(_line(node), unique, place.lines, place.called, number[node], order)


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())


def changes(node: ast.AST) -> Iterator[Change]:
    """What can be changed in one node: each comparison, sign, operator and number, ``and``, ``or`` and ``not``, and the
    choice of the smallest or largest."""
    match node:
        case ast.Compare(ops=operators):
            for place, operator in enumerate(operators):
                if type(operator) in COMPARISONS:
                    yield lambda target, place=place: _compare_otherwise(target, place)
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in OPERATORS:
            yield lambda target: setattr(target, "op", OPERATORS[type(target.op)]())
        case ast.BoolOp():
            yield lambda target: setattr(target, "op", ast.Or() if isinstance(target.op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not()):
            yield lambda target: setattr(target, "operand", ast.UnaryOp(ast.Not(), target.operand))
        case ast.UnaryOp(op=ast.USub()):
            yield lambda target: setattr(target, "op", ast.UAdd())
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in CALLS:
            yield _call_otherwise
        case ast.Constant(value=bool() | int() | float()):
            yield _value_otherwise


def _call_otherwise(target: ast.Call) -> None:
    match target.func:
        case ast.Name(id=name):
            target.func = ast.Name(CALLS[name], ast.Load())
        case ast.Attribute(value=value, attr=name):
            target.func = ast.Attribute(value, CALLS[name], ast.Load())


def _value_otherwise(target: ast.Constant) -> None:
    target.value = not target.value if isinstance(target.value, bool) else target.value + 1


def _compare_otherwise(target: ast.Compare, place: int) -> None:
    other = COMPARISONS[type(target.ops[place])]()
    target.ops = [*target.ops[:place], other, *target.ops[place + 1 :]]


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _places(tree: ast.Module) -> Iterator[tuple[ast.AST, _Place]]:
    """Every node that is computed, with where it stands."""
    waiting: list[tuple[ast.AST, _Place]] = [(one, _Place(one, "module", (0, 0), called=False)) for one in tree.body]
    while waiting:
        node, place = waiting.pop()
        if isinstance(node, ast.stmt):
            place = place._replace(lines=_own_lines(node), shown=node)
        elif isinstance(node, ast.expr) and _is_long(place.shown):
            place = place._replace(shown=node)
        yield node, place
        if isinstance(node, Function | ast.ClassDef):
            place = place._replace(within=node.name if place.within == "module" else f"{place.within}.{node.name}")
        for name, value in ast.iter_fields(node):
            if name in {"annotation", "returns", "type_comment"}:
                continue
            inside = place._replace(called=place.called or (isinstance(node, Function) and name == "body"))
            waiting += [(one, inside) for one in (value if isinstance(value, list) else [value]) if _is_node(one)]


def _is_long(node: ast.AST) -> bool:
    return (
        hasattr(node, "body")
        or (getattr(node, "end_col_offset", 0) - getattr(node, "col_offset", 0)) > LONGEST
        or (getattr(node, "end_lineno", 0) > _line(node))
    )


def _is_node(value: object) -> bool:
    if isinstance(value, ast.keyword) and value.arg in GUARDS:
        return False
    return isinstance(value, ast.AST) and not isinstance(
        value, ast.expr_context | ast.operator | ast.cmpop | ast.boolop
    )


def _own_lines(statement: ast.stmt) -> tuple[int, int]:
    last = statement.end_lineno or statement.lineno
    inside = [getattr(statement, name)[0] for name in ("body", "cases") if getattr(statement, name, None)]
    return statement.lineno, max(min([last, *(_line(one) - 1 for one in inside if _line(one))]), statement.lineno)
