"""Safe arithmetic over named components.

Grammar (the operators and functions of OpenAI's multi grader)::

    sum     = product (("+" | "-") product)*
    product = unary (("*" | "/") unary)*
    unary   = "-" unary | power
    power   = atom ("^" unary)?
    atom    = number | name | function "(" sum ("," sum)* ")" | "(" sum ")"

Python evaluates none of the text: it is parsed once into a tree of closures, which is applied to numbers.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

Values = Mapping[str, float]
Node = Callable[[Values], float]

_TOKEN = re.compile(
    r"\s*(?:((?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|([A-Za-z_][A-Za-z0-9_.:]*)|([-+*/^(),]))"
)
_MAX_DEPTH = 50
_MAX_LENGTH = 10_000
_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": math.pow,
}
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
        """The value for ``values`` (every name must be there); raises UndefinedResult if it or an intermediate value is
        not finite."""
        try:
            return self.node(values)
        except (ArithmeticError, ValueError) as fault:
            raise UndefinedResult(f"{self.text!r} has no value here: {fault}") from fault


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.names, self.at = text.rstrip(), set[str](), 0
        self.tokens: list[tuple[str, str, int]] = []
        if len(text) > _MAX_LENGTH:
            raise BadExpression(f"{len(text)} characters long; at most {_MAX_LENGTH} are read")
        position = 0
        while position < len(self.text):
            match = _TOKEN.match(self.text, position)
            if match is None:
                rest = self.text[position:].lstrip()
                raise BadExpression(f"column {len(self.text) - len(rest) + 1}: cannot read {rest[:10]!r}")
            group = match.lastindex or 1
            self.tokens.append((("number", "name", "symbol")[group - 1], match.group(group), match.start(group)))
            position = match.end()

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
        return self._chain(("+", "-"), self._product, depth)

    def _product(self, depth: int) -> Node:
        return self._chain(("*", "/"), self._unary, depth)

    def _chain(self, symbols: tuple[str, ...], operand: Callable[[int], Node], depth: int) -> Node:
        first = operand(depth)
        rest: list[tuple[Callable[[float, float], float], Node]] = []
        while symbol := self._take(*symbols):
            rest.append((_OPERATORS[symbol], operand(depth)))
        return _from_left_to_right(first, rest) if rest else first

    def _unary(self, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise BadExpression(f"column {self._peek()[2] + 1}: nested deeper than {_MAX_DEPTH} levels")
        if self._take("-"):
            operand = self._unary(depth + 1)
            return lambda values: -operand(values)
        base = self._atom(depth)
        if self._take("^"):
            return _from_left_to_right(base, [(_OPERATORS["^"], self._unary(depth + 1))])
        return base

    def _atom(self, depth: int) -> Node:
        kind, text, position = self._peek()
        if kind == "number":
            self.at += 1
            return _constant(text, position)
        if kind == "name":
            self.at += 1
            return self._call(text, position, depth) if self._take("(") else self._name(text)
        if self._take("("):
            node = self.sum(depth + 1)
            if not self._take(")"):
                raise self._fail("')'")
            return node
        raise self._fail("a number, a name or '('")

    def _name(self, name: str) -> Node:
        self.names.add(name)
        return lambda values: _finite(values[name])

    def _call(self, name: str, position: int, depth: int) -> Node:
        if name not in _FUNCTIONS:
            known = ", ".join(sorted(_FUNCTIONS))
            raise BadExpression(f"column {position + 1}: unknown function {name!r}; known: {known}")
        arguments = [self.sum(depth + 1)]
        while self._take(","):
            arguments.append(self.sum(depth + 1))
        if not self._take(")"):
            raise self._fail("',' or ')'")
        fewest, most, function = _FUNCTIONS[name]
        if len(arguments) < fewest or (most is not None and len(arguments) > most):
            wanted = "one argument" if most == 1 else f"at least {fewest} arguments"
            raise BadExpression(f"column {position + 1}: {name} takes {wanted}, not {len(arguments)}")
        return lambda values: float(function(*[argument(values) for argument in arguments]))


def _constant(text: str, position: int) -> Node:
    number = float(text)
    if not math.isfinite(number):
        raise BadExpression(f"column {position + 1}: the number {text[:20]} is too large")
    return lambda values: number


def _from_left_to_right(first: Node, rest: list[tuple[Callable[[float, float], float], Node]]) -> Node:
    def value(values: Values) -> float:
        result = first(values)
        for operate, operand in rest:
            result = _finite(operate(result, operand(values)))
        return result

    return value


def _finite(number: float) -> float:
    # an intermediate infinity could become NaN, which min and max would hide
    if not math.isfinite(number):
        raise OverflowError("a value on the way is not finite")
    return number
