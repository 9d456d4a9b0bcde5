import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from judge_server.agreement.discrimination import MOST_LEVELS, discrimination_task
from judge_server.agreement.interval import influence
from judge_server.agreement.resampling import leave_one_out
from tests.agreement.textbook import estimates


def auc(p, y, cluster=None):
    ids = np.arange(len(p)) if cluster is None else cluster
    return estimates(*discrimination_task(np.array(p, dtype=float), np.array(y, dtype=float), ids))["auc"]


def obuchowski(p, y, cluster):
    """Variance of the area from the sums of its structural components within clusters (Obuchowski 1997)."""
    yes, no = p[y == 1], p[y == 0]
    wins = (yes[:, None] > no[None, :]) + (yes[:, None] == no[None, :]) / 2
    value, many = wins.mean(), len(np.unique(cluster))
    names = np.unique(cluster)
    of_yes = np.array([(wins.mean(axis=1) - value)[cluster[y == 1] == name].sum() for name in names])
    of_no = np.array([(wins.mean(axis=0) - value)[cluster[y == 0] == name].sum() for name in names])
    with_yes, with_no = len(np.unique(cluster[y == 1])), len(np.unique(cluster[y == 0]))
    return (
        with_yes / (with_yes - 1) * (of_yes**2).sum() / len(yes) ** 2
        + with_no / (with_no - 1) * (of_no**2).sum() / len(no) ** 2
        + 2 * many / (many - 1) * (of_yes * of_no).sum() / (len(yes) * len(no))
    )


def drawn(prompts, per_prompt, seed):
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(prompts), per_prompt)
    shared = rng.normal(size=prompts)[cluster]
    truth = (0.7 * rng.normal(size=prompts)[cluster] + 0.7 * rng.normal(size=len(cluster))) > 0.4
    score = truth * 1.0 + 0.7 * shared + 0.7 * rng.normal(size=len(cluster))
    return 1 / (1 + np.exp(-score)), truth.astype(float), cluster


def test_the_area_of_four_items_counted_by_hand():
    assert auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]).value == pytest.approx(0.75)
    assert auc([0.5, 0.5], [0, 1]).value == pytest.approx(0.5)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1)), min_size=2, max_size=40))
def test_the_area_is_that_of_scikit_learn(rows):
    p, y = (np.array(side) for side in zip(*rows, strict=True))
    found = auc(p / 6, y)
    if len(set(y)) < 2:
        assert found.value is None
        assert "only one of the two labels" in found.note
    else:
        assert found.value == pytest.approx(roc_auc_score(y, p))


def test_more_levels_than_the_table_holds_leave_the_value_exact():
    p, y, cluster = drawn(400, 5, 1)
    assert len(np.unique(p)) > MOST_LEVELS
    assert auc(p, y, cluster).value == pytest.approx(roc_auc_score(y, p), abs=1e-12)


@pytest.mark.parametrize(("prompts", "per_prompt"), [(60, 5), (200, 2), (300, 1)])
def test_the_variance_is_that_of_obuchowski(prompts, per_prompt):
    p, y, cluster = drawn(prompts, per_prompt, 2)
    evidence, metrics = discrimination_task(p, y, cluster)
    variance = influence(leave_one_out(evidence, metrics)[0]).variance
    assert variance == pytest.approx(obuchowski(p, y, cluster), rel=0.06)


def test_copies_within_a_prompt_do_not_narrow_the_interval():
    p, y, cluster = drawn(100, 1, 3)
    once = auc(p, y, cluster)
    thrice = auc(np.repeat(p, 3), np.repeat(y, 3), np.repeat(cluster, 3))
    assert thrice.value == pytest.approx(once.value)
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=0.1)


def test_a_perfect_ranking_has_an_interval_below_one():
    p, y, cluster = drawn(100, 1, 4)
    found = auc((p + y) / 2 + y / 2, y, cluster)
    assert found.value == found.high == 1
    assert 0.8 < found.low < 0.99


def test_fewer_than_five_of_the_rarer_label_give_no_interval():
    p, y, cluster = drawn(100, 1, 5)
    y = np.where(np.cumsum(y) <= 4, y, 0)
    found = auc(p, y, cluster)
    assert found.value is not None
    assert found.low is None
    assert "at least 5 are needed" in found.note
