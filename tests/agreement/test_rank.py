import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from judge_server.agreement.rank import rank_evidence
from tests.agreement.textbook import estimates, values

columns = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=50)


def measured(x, y):
    return values(*rank_evidence(np.asarray(x, dtype=float), np.asarray(y, dtype=float), np.arange(len(x))))


@given(columns)
def test_rank_correlations_are_those_of_scipy(pairs):
    x, y = np.array(pairs).T
    found = measured(x, y)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert all(np.isnan(value) for value in found.values())
        return
    assert found["spearman"] == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found["kendall_tau_b"] == pytest.approx(stats.kendalltau(x, y).statistic)
    assert found["kendall_tau_c"] == pytest.approx(stats.kendalltau(x, y, variant="c").statistic)


@given(columns)
def test_only_the_order_counts(pairs):
    x, y = np.array(pairs, dtype=float).T
    assert measured(np.exp(x), y**3) == pytest.approx(measured(x, y), nan_ok=True)
    backwards = {name: -value for name, value in measured(-x, y).items()}
    assert backwards == pytest.approx(measured(x, y), nan_ok=True)


def test_many_levels_keep_the_exact_value_and_nearly_the_exact_interval():
    rng = np.random.default_rng(4)
    x = rng.normal(size=600)
    y = x + rng.normal(size=600)
    cluster = np.repeat(np.arange(150), 4)
    evidence, metrics = rank_evidence(x, y, cluster)
    assert np.prod(evidence.shape) <= 4096
    found = estimates(evidence, metrics)
    assert found["spearman"].value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found["kendall_tau_b"].value == pytest.approx(stats.kendalltau(x, y).statistic)
    rows = np.arange(600).reshape(150, 4)
    drawn = [rows[rng.integers(0, 150, 150)].ravel() for _ in range(1000)]
    low, high = np.quantile([stats.spearmanr(x[row], y[row]).statistic for row in drawn], [0.025, 0.975])
    assert (found["spearman"].low, found["spearman"].high) == pytest.approx((low, high), abs=0.015)
