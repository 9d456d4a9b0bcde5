import pytest
from hypothesis import given
from hypothesis import strategies as some
from statsmodels.stats.proportion import proportion_confint

from judge_server.util.wilson import score_interval, wilson


@given(some.integers(1, 500), some.data(), some.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_interval_is_that_of_statsmodels(trials, data, confidence):
    successes = data.draw(some.integers(0, trials))
    theirs = proportion_confint(successes, trials, alpha=1 - confidence, method="wilson")
    assert wilson(successes, trials, confidence) == pytest.approx(theirs, abs=1e-12)


def test_without_a_wish_it_is_the_interval_of_95_per_cent():
    assert wilson(7, 20) == wilson(7, 20, 0.95)


def test_rates_at_the_ends_have_an_end_of_their_own_and_rounding_leads_nowhere_else():
    assert score_interval(-1e-17, 20, 1.96)[0] == 0.0
    assert score_interval(1 + 1e-16, 20, 1.96)[1] == 1.0
    assert wilson(0, 20)[0] == 0.0
    assert wilson(20, 20)[1] == 1.0


@pytest.mark.parametrize("trials", [4, 7, 9])
@pytest.mark.parametrize("quantile", [1.2815515655446008, 1.96, 2.5758293035489004])
def test_rounding_moves_no_end_off_its_bound(trials, quantile):
    assert score_interval(0.0, trials, quantile)[0] == 0.0
    assert score_interval(1 - 2**-53, trials, quantile)[1] <= 1.0
