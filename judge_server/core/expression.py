"""Safe arithmetic over named components.

Grammar (the operators and functions of OpenAI's multi grader)::

    sum     = product (("+" | "-") product)*
    product = unary (("*" | "/") unary)*
    unary   = "-" unary | power
    power   = atom ("^" unary)?
    atom    = number | name | function "(" sum ("," sum)* ")" | "(" sum ")"

Nothing is evaluated by Python: the text becomes a tree of closures once, and a tree is applied to numbers.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

Values = Mapping[str, float]
Node = Callable[[Values], float]

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_][A-Za-z0-9_.:]*)|([-+*/^(),]))")
_MAX_DEPTH = 50
_FUNCTIONS: dict[str, tuple[int, int | None, Callable[..., float]]] = {
    "min": (2, None, min),
    "max": (2, None, max),
    "abs": (1, 1, abs),
    "floor": (1, 1, math.floor),
    "ceil": (1, 1, math.ceil),
    "exp": (1, 1, math.exp),
    "sqrt": (1, 1, math.sqrt),
    "log": (1, 1, math.log),
}


class BadExpression(ValueError):
    """The text is not an expression of the grammar."""


class UndefinedResult(ArithmeticError):
    """The expression has no finite value for these numbers."""


@dataclass(frozen=True)
class Expression:
    """A parsed expression: ``names`` it reads, and its value for given numbers."""

    text: str
    names: frozenset[str]
    node: Node

    @staticmethod
    @lru_cache(maxsize=1024)
    def parse(text: str) -> "Expression":
        """Parse ``text``; raises BadExpression with the column of the fault."""
        parser = _Parser(text)
        node = parser.sum(0)
        parser.expect_end()
        return Expression(text, frozenset(parser.names), node)

    def evaluate(self, values: Values) -> float:
        """The value for ``values`` (every name must be there); raises UndefinedResult where it is not finite."""
        try:
            result = float(self.node(values))
        except (ArithmeticError, ValueError, TypeError) as fault:
            raise UndefinedResult(f"{self.text!r} has no value here: {fault}") from fault
        if not math.isfinite(result):
            raise UndefinedResult(f"{self.text!r} is not finite here")
        return result


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.names = text, set[str]()
        self.tokens: list[tuple[str, str, int]] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise BadExpression(f"column {position + 1}: cannot read {text[position:].strip()[:10]!r}")
            kind = ("number", "name", "symbol")[(match.lastindex or 1) - 1]
            self.tokens.append((kind, match.group(match.lastindex or 1), match.start(match.lastindex or 1)))
            position = match.end()
        self.at = 0

    def _peek(self) -> tuple[str, str, int]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "the end", len(self.text))

    def _take(self, *symbols: str) -> str | None:
        kind, text, _ = self._peek()
        if kind == "symbol" and text in symbols:
            self.at += 1
            return text
        return None

    def _fail(self, wanted: str) -> BadExpression:
        _, text, position = self._peek()
        return BadExpression(f"column {position + 1}: expected {wanted}, found {text!r}")

    def expect_end(self) -> None:
        if self._peek()[0] != "end":
            raise self._fail("an operator or the end")

    def sum(self, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise BadExpression(f"nested deeper than {_MAX_DEPTH} levels")
        node = self._product(depth)
        while symbol := self._take("+", "-"):
            node = _binary(symbol, node, self._product(depth))
        return node

    def _product(self, depth: int) -> Node:
        node = self._unary(depth)
        while symbol := self._take("*", "/"):
            node = _binary(symbol, node, self._unary(depth))
        return node

    def _unary(self, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise BadExpression(f"nested deeper than {_MAX_DEPTH} levels")
        if self._take("-"):
            operand = self._unary(depth + 1)
            return lambda values: -operand(values)
        base = self._atom(depth)
        if self._take("^"):
            return _binary("^", base, self._unary(depth + 1))
        return base

    def _atom(self, depth: int) -> Node:
        kind, text, _ = self._peek()
        if kind == "number":
            self.at += 1
            number = float(text)
            return lambda values: number
        if kind == "name":
            self.at += 1
            return self._call(text, depth) if self._take("(") else self._name(text)
        if self._take("("):
            node = self.sum(depth + 1)
            if not self._take(")"):
                raise self._fail("')'")
            return node
        raise self._fail("a number, a name or '('")

    def _name(self, name: str) -> Node:
        self.names.add(name)
        return lambda values: values[name]

    def _call(self, name: str, depth: int) -> Node:
        if name not in _FUNCTIONS:
            raise BadExpression(f"unknown function {name!r}; known: {', '.join(sorted(_FUNCTIONS))}")
        arguments = [self.sum(depth + 1)]
        while self._take(","):
            arguments.append(self.sum(depth + 1))
        if not self._take(")"):
            raise self._fail("',' or ')'")
        fewest, most, function = _FUNCTIONS[name]
        if len(arguments) < fewest or (most is not None and len(arguments) > most):
            raise BadExpression(f"{name} takes {most or f'at least {fewest}'} arguments, not {len(arguments)}")
        return lambda values: float(function(*(argument(values) for argument in arguments)))


def _binary(symbol: str, left: Node, right: Node) -> Node:
    match symbol:
        case "+":
            return lambda values: left(values) + right(values)
        case "-":
            return lambda values: left(values) - right(values)
        case "*":
            return lambda values: left(values) * right(values)
        case "/":
            return lambda values: left(values) / right(values)
        case _:
            return lambda values: math.pow(left(values), right(values))
