"""Short bounds on waiting, which fail on a busy machine; a long one costs nothing.

    python -m benchmarks.short_waits

Prints the lines of tests that bound a wait by less than a minute, unless the wait is meant to expire.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHORTEST_SECONDS = 60.0
CLOCKS = {"monotonic", "perf_counter", "time"}
WAITS = {"timeout", "wait_for", "join", "wait", "wait_until", "until", "result", "communicate"}
CALLS = {"get", "post", "put", "delete", "request", "stream", "Client", "AsyncClient", "create_connection", "run"}
OTHERS = {
    "Backoff",
    "Event",
    "_ended",
    "_over",
}  # a reckoning, and events that a loop looks at between pieces of its work
EXPIRING = {"TimeoutError", "ReadTimeout", "TimeoutExpired", "Exception"}


def _number(node: ast.expr | None) -> float | None:
    return float(node.value) if isinstance(node, ast.Constant) and type(node.value) in (int, float) else None


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _expires(node: ast.AST) -> bool:
    """Whether a block expects that a wait ends too late."""
    if not isinstance(node, ast.With | ast.AsyncWith):
        return False
    calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
    named = [name for call in calls if _name(call.func) in ("raises", "suppress") for name in ast.walk(call)]
    return any(isinstance(name, ast.Name | ast.Attribute) and _name(name) in EXPIRING for name in named)


def _bounds(node: ast.AST) -> Iterator[float | None]:
    """The numbers of seconds by which ``node`` bounds a wait."""
    match node:
        case ast.Compare(left=ast.BinOp(left=ast.Call(func=clock), op=ast.Sub()), ops=[ast.Lt() | ast.LtE()]):
            if _name(clock) in CLOCKS:
                yield _number(node.comparators[0])
        case ast.Call(func=function) if _name(function) in WAITS | CALLS and _owner(function) not in OTHERS:
            if _name(function) in WAITS:
                yield from (_number(given) for given in node.args)
            yield from (_number(given.value) for given in node.keywords if given.arg in ("timeout", "seconds"))
            if _owner(function) == "httpx" and not any(given.arg == "timeout" for given in node.keywords):
                yield 5.0  # its own bound


def _owner(function: ast.expr) -> str:
    """The last name of what the function belongs to."""
    if not isinstance(function, ast.Attribute):
        return ""
    return _name(function.value.func if isinstance(function.value, ast.Call) else function.value)


def short_waits(tree: ast.AST) -> Iterator[int]:
    """The lines with too short a bound."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if _expires(node):
            continue
        if any(seconds is not None and 0 < seconds < SHORTEST_SECONDS for seconds in _bounds(node)):
            yield getattr(node, "lineno", 0)
        waiting.extend(ast.iter_child_nodes(node))


if __name__ == "__main__":
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for line in sorted(short_waits(ast.parse(path.read_text(encoding="utf-8")))):
            print(f"{path.relative_to(ROOT)}:{line}")
