import math
import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge_server.core.expression import BadExpression, Expression, UndefinedResult


def value(text, **names):
    return Expression.parse(text).evaluate(names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        (".5 + 2.", 2.5),
        ("1e3", 1000),
        ("2.5E-1", 0.25),
        ("1 - 2 - 3", -4),
        ("8 / 4 / 2", 1),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("2 * 3 ^ 2", 18),
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", -4),
        ("2 ^ -1", 0.5),
        ("- - 3", 3),
        ("2 - -3", 5),
        ("2 * -3", -6),
        ("0 ^ 0", 1),
        ("min(3, 1, 2)", 1),
        ("max(3, 1, 2)", 3),
        ("abs(-2)", 2),
        ("floor(-1.5) + ceil(1.2)", 0),
        ("exp(0) + sqrt(9) + log(1)", 4),
        ("  min ( 1 ,\n2 ) ", 1),
    ],
)
def test_arithmetic_follows_the_usual_precedence(text, expected):
    assert value(text) == expected


def test_names_may_be_ids_tags_and_dotted_paths():
    expression = Expression.parse("a_1 + axis:safety * item.b - exp")
    assert expression.names == {"a_1", "axis:safety", "item.b", "exp"}
    assert expression.evaluate({"a_1": 1, "axis:safety": 2, "item.b": 3, "exp": 4}) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 1: expected a number, a name or '(', found 'the end'"),
        ("1 +", "column 4: expected a number"),
        ("1 2", "column 3: expected an operator or the end, found '2'"),
        ("a $ b", "column 3: cannot read '$ b'"),
        ("(1", "column 3: expected ')', found 'the end'"),
        ("min(1, 2", "column 9: expected ',' or ')'"),
        ("1 + evil(2)", "column 5: unknown function 'evil'; known: abs, ceil, exp"),
        ("2 * sqrt(1, 2)", "column 5: sqrt takes one argument, not 2"),
        ("max(1)", "column 1: max takes at least 2 arguments, not 1"),
        ("1 + 1e999", "column 5: the number 1e999 is too large"),
        ("a ** b", "column 4: expected a number"),
        ("a if b else c", "column 3: expected an operator or the end, found 'if'"),
        ("a.__class__()", "unknown function 'a.__class__'"),
        ("__import__('os')", "cannot read"),
        ("٣ + 1", "cannot read"),
    ],
)
def test_a_fault_is_named_with_its_column(text, message):
    with pytest.raises(BadExpression, match=re.escape(message)):
        Expression.parse(text)


@pytest.mark.parametrize(
    "bomb",
    ["(" * 5_000 + "1" + ")" * 5_000, "-" * 5_000 + "1", "2^" * 5_000 + "2", "abs(" * 2_000 + "1" + ")" * 2_000],
)
def test_a_deep_bomb_is_refused(bomb):
    with pytest.raises(BadExpression, match=r"nested deeper than 50 levels|characters long"):
        Expression.parse(bomb)


def test_fifty_levels_are_enough_for_anybody():
    assert value("(" * 50 + "1" + ")" * 50) == 1


def test_a_long_sum_needs_no_deep_stack():
    assert value("+".join(["a"] * 5_000), a=1) == 5_000


def test_a_text_beyond_ten_thousand_characters_is_refused():
    with pytest.raises(BadExpression, match="10001 characters long"):
        Expression.parse("1" + " " * 9_999 + "1")


@pytest.mark.parametrize(
    "text",
    ["1 / a", "log(a)", "sqrt(a - 1)", "a ^ -1", "(a - 8) ^ 0.5", "exp(1000)", "9^999", "1e308 * 10", "1/(a*a)"],
)
def test_what_has_no_finite_value_is_undefined(text):
    with pytest.raises(UndefinedResult):
        value(text, a=0.0)


@pytest.mark.parametrize("text", ["min(1, 1e308*10 - 1e308*10)", "max(0, 1e308*10)", "0 * (1e308 * 10)", "min(1, a)"])
def test_an_infinity_on_the_way_is_never_hidden(text):
    with pytest.raises(UndefinedResult):
        value(text, a=math.inf)


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_a_bad_expression(text):
    with suppress(BadExpression):
        Expression.parse(text)


PIECES = st.sampled_from(
    ["a", "b", "1", "0.5", "+", "-", "*", "/", "^", "(", ")", ",", "min(", "log(", "exp(", "foo(", " "]
)


@settings(max_examples=200)
@given(st.lists(PIECES, max_size=25).map("".join), st.floats(0, 1), st.floats(0, 1))
def test_any_expression_has_a_finite_value_or_is_undefined(text, a, b):
    with suppress(BadExpression, UndefinedResult):
        expression = Expression.parse(text)
        values = dict.fromkeys(expression.names, a) | {"b": b}
        assert math.isfinite(expression.evaluate(values))


@st.composite
def python_twins(draw, depth=4):
    """An expression, and the same in Python."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        number = draw(st.integers(0, 9))
        return str(number), float(number)
    left, right = draw(python_twins(depth - 1)), draw(python_twins(depth - 1))
    symbol = draw(st.sampled_from("+-*"))
    result = {"+": left[1] + right[1], "-": left[1] - right[1], "*": left[1] * right[1]}[symbol]
    return f"({left[0]}{symbol}{right[0]})", result


@settings(max_examples=150)
@given(python_twins())
def test_arithmetic_agrees_with_python(twin):
    assert value(twin[0]) == twin[1]
