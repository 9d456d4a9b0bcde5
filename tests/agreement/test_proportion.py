import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from judge_server.agreement.proportion import proportion, trials_for


def test_wilson_of_eight_in_ten():
    found = proportion(8, 10)
    assert (found.value, found.low, found.high) == pytest.approx((0.8, 0.4902, 0.9433), abs=5e-5)


@given(st.integers(1, 200).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_wilson_is_that_of_statsmodels(counts):
    found = proportion(*counts)
    assert (found.low, found.high) == pytest.approx(proportion_confint(*counts, method="wilson"), abs=1e-12)


def test_no_trials_are_no_proportion():
    assert proportion(0, 0).value is None
    with pytest.raises(ValueError, match="successes"):
        proportion(3, 2)


def test_the_trials_that_a_half_width_takes():
    assert trials_for(0.05) == 385
    assert trials_for(0.05, rate=0.9) < 385
