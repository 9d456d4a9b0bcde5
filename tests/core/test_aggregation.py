import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from judge_server.core.aggregation import UNDECIDED, Aggregation, LengthAdjustment, Points, WeightedMean

AGGREGATION = TypeAdapter(Aggregation)


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "mean"},
        {},
        {"kind": "points", "clip": [1, 0]},
        {"kind": "points", "clip": [0, 0]},
        {"kind": "points", "clip": [0]},
        {"kind": "points", "clip": ["0", "1"]},
        {"kind": "points", "clip": [0, float("inf")]},
        {"kind": "points", "scale": [0, 1e12]},
        {"kind": "points", "expression": "a"},
        {"kind": "points", "length_adjustment": {"penalty": -1}},
        {"kind": "points", "length_adjustment": {"penalty": 1, "unit": 0}},
        {"kind": "points", "length_adjustment": {"penalty": 1, "unit": 1e-300}},
        {"kind": "expression"},
        {"kind": "expression", "expression": ""},
        {"kind": "expression", "expression": "1 +"},
        {"kind": "expression", "expression": "a", "parameters": {"Gamma": 1}},
        {"kind": "expression", "expression": "a", "parameters": {"gamma": "0.3"}},
        {"kind": "expression", "expression": "a", "parameters": {"gamma": True}},
    ],
    ids=str,
)
def test_what_an_aggregation_cannot_mean_is_refused(given):
    with pytest.raises(ValidationError):
        AGGREGATION.validate_python(given)


def test_a_bad_expression_is_refused_with_its_column():
    with pytest.raises(ValidationError, match="column 4: expected a number"):
        AGGREGATION.validate_python({"kind": "expression", "expression": "1 +"})


def test_bounds_are_what_the_declaration_gives():
    assert (Points().floor, Points().ceiling) == (None, 1.0)
    assert (WeightedMean().floor, WeightedMean().ceiling) == (0.0, 1.0)
    assert (Points(clip=(0, 1), scale=(-1, 1)).floor, Points(clip=(0, 1), scale=(-1, 1)).ceiling) == (-1.0, 1.0)
    adjusted = WeightedMean(length_adjustment=LengthAdjustment(penalty=0.1))
    assert (adjusted.floor, adjusted.ceiling) == (None, 1.4)
    formula = AGGREGATION.validate_python({"kind": "expression", "expression": "a"})
    assert (formula.floor, formula.ceiling) == (None, None)


def test_both_ends_of_a_scale_are_met_exactly():
    scaled = Points(scale=(-0.1, 0.2))
    assert (scaled.finish(0.0, 0), scaled.finish(1.0, 0)) == (-0.1, 0.2)
    low, high = -3.0, -0.7  # rounding loses the upper end
    assert low + (high - low) < high
    assert Points(scale=(low, high)).finish(1.0, 0) == high


def test_a_scale_goes_on_beyond_its_range_at_the_same_slope():
    scaled = Points(scale=(2, 4))
    assert [scaled.finish(value, 0) for value in (-0.5, 0.25, 1.0, 1.5, 2.0, 3.0)] == [1.0, 2.5, 4.0, 5.0, 6.0, 8.0]


def test_bounds_in_the_wrong_order_are_named_in_their_order():
    with pytest.raises(ValidationError, match=r"the lower bound 2\.0 must be smaller than the upper bound 1\.0"):
        Points(scale=(2, 1))


def test_the_length_adjustment_is_that_of_healthbench():
    assert LengthAdjustment(penalty=0.5).adjust(1.0, 2_500) == 0.5
    assert LengthAdjustment(penalty=0.5, center=100, unit=50).adjust(1.0, 25) == 1.75


@pytest.mark.parametrize(
    ("field", "accepted", "refused"),
    [
        ("penalty", 0.0, -1e-9),
        ("penalty", 1e9, 1e9 + 0.5),
        ("unit", 1e-9, 0.9e-9),
        ("unit", 1e9, 1e9 + 0.5),
    ],
)
def test_a_length_adjustment_has_limits(field, accepted, refused):
    assert getattr(LengthAdjustment(**{"penalty": 1.0} | {field: accepted}), field) == accepted
    with pytest.raises(ValidationError):
        LengthAdjustment(**{"penalty": 1.0} | {field: refused})


def test_an_expression_has_up_to_a_thousand_characters():
    longest = "a" + " + a" * 249 + "   "
    assert len(longest) == 1_000
    assert AGGREGATION.validate_python({"kind": "expression", "expression": longest})
    with pytest.raises(ValidationError, match="at most 1000"):
        AGGREGATION.validate_python({"kind": "expression", "expression": longest + " "})


def test_the_value_of_a_criterion_cannot_be_changed():
    with pytest.raises(AttributeError):
        UNDECIDED.applicable = False


NUMBERS = st.floats(-2, 2)


@settings(max_examples=200)
@given(st.floats(-9, 9), st.floats(0.01, 9), NUMBERS, NUMBERS)
def test_a_scale_keeps_order_and_never_leaves_its_range(low, width, one, other):
    scaled = Points(scale=(low, low + width))
    smaller, greater = sorted((one, other))
    assert scaled.finish(smaller, 0) <= scaled.finish(greater, 0)
    assert low <= scaled.finish(min(max(one, 0.0), 1.0), 0) <= low + width


@settings(max_examples=100)
@given(NUMBERS, st.integers(0, 100_000), st.integers(0, 100_000))
def test_a_longer_response_is_never_worth_more(value, first, second):
    adjusted = Points(length_adjustment=LengthAdjustment(penalty=0.0299))
    shorter, longer = sorted((first, second))
    assert adjusted.finish(value, longer) <= adjusted.finish(value, shorter)


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "points"},
        {"kind": "weighted_mean", "clip": [0, 1]},
        {"kind": "all", "scale": [-1, 1]},
        {"kind": "any"},
        {"kind": "expression", "expression": "a - gamma*b", "parameters": {"gamma": 0.5}},
    ],
    ids=lambda given: given["kind"],
)
def test_every_kind_survives_its_own_json(given):
    made = AGGREGATION.validate_python(given)
    assert AGGREGATION.validate_json(made.model_dump_json(exclude_defaults=True)) == made
    assert AGGREGATION.validate_json(made.model_dump_json()) == made
