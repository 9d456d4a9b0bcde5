"""numeric and math."""

import asyncio

import pytest

from judge_server.core.submission import Submission
from judge_server.judging import checks
from judge_server.judging.checks.numeric import last_number
from tests.judging.checks.deciding import criterion, decided, value


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("it is 42", 42),
        ("1,234,567.5 kg", 1234567.5),
        ("−3.5", -3.5),
        ("from 3-5", 5),
        ("- 5 apples", 5),
        ("x=-2", -2),
        ("$1,000", 1000),
        ("6.02e23", 6.02e23),
        ("1.2 × 10^-3 M", 1.2e-3),
        ("1.2 × 10⁻³ M", 1.2e-3),
        ("10^6", 1e6),
        ("3/4", 0.75),
        ("1 1/2 cups", 1.5),
        ("2½", 2.5),
        ("½", 0.5),
        (".5", 0.5),
        ("\\boxed{7}.", 7),
        ("7 then 1/0", 7),
        ("B12 and x2", None),
        ("none", None),
    ],
)
def test_the_last_number_is_read(text, number):
    found = last_number(text)
    assert (found and found.value) == (number if number is None else pytest.approx(number))


def test_a_percentage_equals_itself_its_share_and_the_bare_number():
    spec = {"kind": "numeric"}
    assert value(spec, "12 %", "12%") == 1
    assert value(spec, "12 percent", "0.12") == 1
    assert value(spec, "12", "12%") == 1
    assert value(spec, "0.12 %", "12%") == 0


def test_a_tolerance_is_absolute_or_relative():
    assert value({"kind": "numeric", "against": 100, "tolerance": 1}, "101") == 1
    assert value({"kind": "numeric", "against": 100, "tolerance": 1}, "102") == 0
    assert value({"kind": "numeric", "against": 1000, "tolerance": 0.01, "relative": True}, "1009") == 1


def test_a_number_too_large_to_hold_equals_nothing():
    assert value({"kind": "numeric", "against": 1, "tolerance": 1e300}, "9" * 50_000) == 0
    assert value({"kind": "numeric", "against": 1}, "1e" + "9" * 5_000) == 0


def test_a_reference_without_a_number_is_a_failure_and_not_a_zero():
    verdict = decided({"kind": "numeric"}, "5", "five")
    assert verdict.value is None
    assert verdict.error is not None
    assert verdict.error.type == "check_failed"


@pytest.mark.parametrize(
    ("answer", "reference", "met"),
    [
        ("The answer is $\\frac{1}{2}$.", "0.5", 1),
        ("so \\boxed{1+x^2}", "x^2+1", 1),
        ("so \\boxed{x^2}", "x^2+1", 0),
        ("therefore x = 10", "10", 1),
        ("\\boxed{\\{2,1\\}}", "{1,2}", 1),
        ("I do not know", "7", 0),
        ("five, so 5", "The answer is 5.", 1),
    ],
)
def test_expressions_are_compared_as_mathematics(answer, reference, met):
    assert value({"kind": "math"}, answer, reference) == met


async def test_a_hostile_expression_ends_in_a_typed_timeout_while_the_loop_goes_on():
    hostile = [criterion({"kind": "math", "against": "5"})] * 2
    submission = Submission(prompt="Q", response="$9^{9^{9^{9}}}$")
    passes, done = 0, asyncio.gather(*(checks.decide(each, submission) for each in hostile))
    while not done.done():
        await asyncio.sleep(0.01)
        passes += 1
    for verdict in done.result():
        assert verdict.value is None
        assert verdict.error is not None
        assert verdict.error.type == "check_timeout"
    assert passes > 20, "the loop stood still"
    assert value({"kind": "math"}, "5", "5") == 1, "the next comparison gets a fresh process"


def test_a_giant_nested_expression_is_bounded():
    text = "$" + "(" * 1_900 + "1" + ")" * 1_900 + "$"
    verdict = decided({"kind": "math"}, text, "5")
    assert verdict.status != "ok" or verdict.value == 0
    assert decided({"kind": "math"}, "5", "(" * 3_000).error is not None
