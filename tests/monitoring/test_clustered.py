"""Means, differences and rank correlations, with what rollouts of one prompt share taken into account."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from judge_server.monitoring.clustered import (
    Sample,
    above,
    estimate,
    probability_of_change,
    sample,
    share,
    stratified_share,
    two_sided,
)
from judge_server.monitoring.length import correlation, spearman


def prompts(chance, clusters, rollouts, spread):
    """Answers yes or no whose probability differs from prompt to prompt."""
    easy = np.clip(0.5 + chance.normal(0, spread, clusters), 0, 1)
    return (chance.random((clusters, rollouts)) < easy[:, None]).ravel().astype(float)


def names(clusters, rollouts):
    return [f"p{number}" for number in range(clusters) for _ in range(rollouts)]


@pytest.mark.parametrize("degrees", [10, 20, 50, 120])
@pytest.mark.parametrize("t", [0.5, 2.0, 4.0, 6.0])
def test_the_tail_of_students_t_is_that_of_scipy_within_a_few_percent(t, degrees):
    assert two_sided(t, degrees) == pytest.approx(2 * stats.t.sf(t, degrees), rel=0.06)


def test_a_change_is_called_one_as_often_as_the_level_says_also_where_rollouts_share_prompts():
    chance = np.random.default_rng(1)
    called = 0
    for _ in range(1_000):
        before, after = (sample(prompts(chance, 60, 8, 0.25), names(60, 8)) for _ in range(2))
        called += probability_of_change(before, after) <= 0.05
    assert 25 <= called <= 75


def test_an_interval_that_forgets_the_prompts_would_be_too_narrow():
    values = prompts(np.random.default_rng(2), 60, 8, 0.3)
    clustered = estimate(sample(values, names(60, 8)))
    naive = estimate(sample(values, [str(place) for place in range(480)]))
    assert clustered.value == naive.value
    assert clustered.high - clustered.low > 1.3 * (naive.high - naive.low)


def test_intervals_hold_the_truth_as_often_as_they_say():
    chance = np.random.default_rng(3)
    held = 0
    for _ in range(500):
        found = estimate(sample(chance.normal(2.0, 1.0, 30), [str(place) for place in range(30)]))
        held += found.low <= 2.0 <= found.high
    assert 460 <= held <= 490


def test_where_all_say_the_same_the_interval_still_reaches_beyond():
    never = share(sample([0.0] * 400, names(50, 8)))
    assert never.value == never.low == 0
    assert 1 - 0.05 ** (1 / 400) < never.high < 0.0713  # wider than for 400 rows alone, narrower than for 50


def test_rare_shares_are_covered_as_often_as_they_say():
    chance = np.random.default_rng(5)
    held = 0
    for _ in range(500):
        own = np.repeat(chance.beta(0.02 * 9, 0.98 * 9, 60), 6)
        found = share(sample((chance.random(360) < own).astype(float), names(60, 6)))
        held += found.low <= 0.02 <= found.high
    assert held >= 460


def test_a_share_of_strata_is_covered_although_one_of_them_says_the_same_throughout():
    chance = np.random.default_rng(6)
    held = 0
    for _ in range(500):
        parts = [sample((chance.random(n) < rate).astype(float), names(n, 1)) for n, rate in ((40, 0.98), (40, 0.7))]
        _, low, high = stratified_share(parts, [1_800, 200])
        held += low <= 0.9 * 0.98 + 0.1 * 0.7 <= high
    assert held >= 465


def test_nothing_is_said_of_one_prompt_or_of_no_rows():
    one = sample([1.0, 0.0], ["p", "p"])
    assert probability_of_change(one, one) == 1
    assert probability_of_change(sample([], []), one) == 1


def test_ratios_weigh_their_denominators():
    assert sample([1, 0], ["a", "b"], [1, 9]).mean == pytest.approx(0.1)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=60))
def test_the_rank_correlation_is_that_of_scipy(pairs):
    first, second = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    ours = spearman(first, second, np.zeros(len(first), dtype=np.intp))
    if ours is None:
        assert len(set(first)) == 1 or len(set(second)) == 1
    else:
        assert ours == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-9)


def test_the_error_of_the_rank_correlation_is_that_of_repetition():
    chance = np.random.default_rng(4)
    values, errors = [], []
    for _ in range(150):
        shared = chance.normal(size=(50, 1)) * 0.7
        first = (shared + chance.normal(size=(50, 8))).ravel()
        second = 0.4 * first + chance.normal(size=400)
        found = correlation(first, second, names(50, 8))
        values.append(found.value)
        errors.append(found.error)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.2)


def test_how_hard_a_prompt_is_says_nothing_of_what_its_rollouts_are_rewarded_for():
    chance = np.random.default_rng(5)
    hard = chance.normal(size=(50, 1)) * 3
    first, second = ((hard + chance.normal(size=(50, 8))).ravel() for _ in range(2))
    assert stats.spearmanr(first, second).statistic > 0.8
    assert abs(correlation(first, second, names(50, 8)).value) < 0.15


def test_there_is_no_correlation_with_what_never_varies():
    assert correlation([1.0] * 50, list(range(50)), [str(place) for place in range(50)]) is None
    assert correlation([1.0, 2.0], [1.0, 2.0], ["a", "b"]) is None


def test_a_share_at_its_limit_hardly_ever_alarms_in_a_day_of_looks():
    """288 looks at the newest 2,000 rows, of which 100 are new each time, at the level of one of eleven monitors."""
    chance, level, runs = np.random.default_rng(8), 0.00015 / 11, 20
    wrong = 0
    for _ in range(runs):
        rows = (chance.random(2_000 + 287 * 100) < 0.3).astype(float)
        windows = (rows[100 * look : 100 * look + 2_000].reshape(500, 4).sum(axis=1) for look in range(288))
        wrong += any(above(Sample(one, np.full(500, 4.0), 2_000), 0.3, level, bounded=True) for one in windows)
    assert wrong <= 1
    now = Sample(np.full(500, 1.6), np.full(500, 4.0), 2_000)
    assert above(now, 0.3, level, bounded=True)
