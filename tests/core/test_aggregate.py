import pytest

from judge_server.core.aggregation import (
    NOT_APPLICABLE,
    UNDECIDED,
    AllOf,
    AnyOf,
    CriterionValue,
    Points,
    WeightedMean,
    combine,
    component,
    points_score,
    weighted_mean,
)

DECIDED = [(3.0, 0.5), (-2.0, 0.25), (1.0, 1.0)]


@pytest.mark.parametrize(
    ("aggregate", "expected"), [(Points(), 0.5), (AllOf(kind="all"), 0.5), (AnyOf(kind="any"), 1.0)]
)
def test_each_kind_has_its_arithmetic(aggregate, expected):
    assert combine(aggregate, DECIDED) == expected


def test_a_weighted_mean_without_weight_is_the_plain_mean():
    assert combine(WeightedMean(), [(3.0, 1.0), (1.0, 0.0)]) == 0.75
    assert weighted_mean([(0.0, 1.0), (0.0, 0.5)]) == 0.75
    assert weighted_mean([]) is None


def test_points_need_something_positive():
    assert points_score([(-1.0, 1.0), (0.0, 1.0)]) is None
    assert points_score([]) is None


def test_what_is_undecided_applies_and_what_does_not_apply_is_no_gap():
    """A failed verdict may hide points; a criterion that does not apply hides none."""
    assert CriterionValue(applicable=True, value=None) == UNDECIDED
    assert CriterionValue(applicable=False, value=None) == NOT_APPLICABLE


def test_sums_are_exact():
    assert points_score([(0.1, 1.0)] * 10) == 1.0
    assert weighted_mean([(0.1, 1.0)] * 3) == 1.0


def test_a_component_reads_only_what_applies_and_is_decided():
    assert (
        component(
            [(1.0, CriterionValue(True, 1.0)), (-1.0, CriterionValue(True, 0.0)), (5.0, CriterionValue(True, None))]
        )
        == 0.5
    )
    assert component([(1.0, CriterionValue(False, None))]) is None
