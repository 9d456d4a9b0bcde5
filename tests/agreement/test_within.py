import numpy as np
import pytest
from scipy import stats

from judge_server.agreement.within import ROW_CORRELATIONS, within_evidence, within_metric
from tests.agreement.textbook import estimates, values

SCIPY = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall_tau_b": stats.kendalltau}


def measured(name, x, y, group):
    return values(within_evidence(x, y, group, group, ROW_CORRELATIONS[name]), [within_metric(name)])[
        f"{name}_per_item"
    ]


@pytest.mark.parametrize("name", list(SCIPY))
def test_the_mean_over_prompts_is_that_of_scipy_prompt_by_prompt(name):
    rng = np.random.default_rng(6)
    group = np.repeat(np.arange(40), rng.integers(1, 9, 40))
    x, y = rng.integers(0, 4, len(group)).astype(float), rng.integers(0, 4, len(group)).astype(float)
    order = rng.permutation(len(group))
    single = [
        SCIPY[name](x[group == g], y[group == g]).statistic
        for g in range(40)
        if (group == g).sum() >= 2 and np.ptp(x[group == g]) and np.ptp(y[group == g])
    ]
    assert measured(name, x[order], y[order], group[order]) == pytest.approx(np.mean(single))


def test_prompts_without_a_correlation_are_not_counted():
    group = np.array([0, 0, 1, 1, 2])
    x, y = np.array([1.0, 2, 3, 3, 5]), np.array([1.0, 2, 1, 2, 3])
    evidence = within_evidence(x, y, group, group, ROW_CORRELATIONS["spearman"])
    assert evidence.n == 1
    assert values(evidence, [within_metric("spearman")])["spearman_per_item"] == pytest.approx(1)


def test_no_prompt_with_two_answers_says_so():
    each = np.arange(40)
    found = estimates(
        within_evidence(each * 1.0, each * 1.0, each, each, ROW_CORRELATIONS["pearson"]), [within_metric("pearson")]
    )
    assert found["pearson_per_item"].value is None
    assert "two answers" in found["pearson_per_item"].note


def test_knowing_which_prompts_are_hard_is_not_ranking_within_them():
    group = np.repeat(np.arange(50), 4)
    rng = np.random.default_rng(8)
    level = group * 1.0
    x, y = level + rng.normal(size=200), level + rng.normal(size=200)
    assert stats.pearsonr(x, y).statistic > 0.95
    assert abs(measured("pearson", x, y, group)) < 0.2
