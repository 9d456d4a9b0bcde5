import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from judge_server.agreement.catalogue import table_metrics
from judge_server.agreement.contingency import pair_table
from judge_server.agreement.moment import MOMENT_METRICS, moments
from judge_server.agreement.rank import rank_evidence
from judge_server.agreement.scale import LabelScale
from tests.agreement.textbook import values

columns = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=3, max_size=40)


def measured(x, y):
    return values(moments(np.array(x, dtype=float), np.array(y, dtype=float), np.arange(len(x))), MOMENT_METRICS)


@given(columns)
def test_moments_give_what_the_columns_give(pairs):
    x, y = np.array(pairs, dtype=float).T
    found = measured(x, y)
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean((x - y) ** 2)))
    assert found["mae"] == pytest.approx(np.mean(np.abs(x - y)))
    assert found["mean_difference"] == pytest.approx(np.mean(x - y))
    if np.ptp(x) and np.ptp(y):
        assert found["pearson"] == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
    else:
        assert np.isnan(found["pearson"])


def test_a_large_offset_does_not_drown_a_small_spread():
    x, y = np.random.default_rng(1).normal(size=(2, 500))
    assert measured(x + 1e7, y + 1e7)["pearson"] == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-7)


def test_a_constant_column_has_no_correlation_even_where_its_mean_is_not_exact():
    assert np.isnan(measured([0.1] * 7, [1, 2, 3, 4, 5, 6, 7])["pearson"])


def test_items_that_one_side_misses_are_left_out():
    gap = moments(np.array([1.0, np.nan, 3, 4]), np.array([2.0, 1, np.nan, 4]), np.arange(4))
    assert gap.n == 2


def test_on_binary_data_phi_pearson_spearman_and_kendall_are_one():
    rng = np.random.default_rng(2)
    x = rng.integers(0, 2, 60)
    y = np.where(rng.random(60) < 0.7, x, 1 - x)
    pearson = measured(x, y)["pearson"]
    evidence, metrics = rank_evidence(x.astype(float), y.astype(float), np.arange(60))
    found = values(evidence, metrics)
    table = pair_table(y, x, np.arange(60), 2)
    (tn, fp), (fn, tp) = table.total()[0]
    phi = (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    assert [pearson, found["spearman"], found["kendall_tau_b"]] == pytest.approx([phi] * 3)
    assert "cohen_kappa" in values(table, table_metrics(LabelScale.of([0, 1])))
