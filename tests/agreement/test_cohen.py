import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from judge_server.agreement.cohen import cohen_metrics
from judge_server.agreement.pair import pair_table, table_of
from judge_server.agreement.scale import Scale
from tests.agreement.textbook import estimates, values

codes = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=60)
FOUR = Scale.of([0, 1, 2, 3])


def kappas(pairs, scale=FOUR):
    first, second = np.array(pairs, dtype=np.int64).T
    return values(pair_table(first, second, np.arange(len(first)), scale.size), cohen_metrics(scale))


def test_kappa_of_the_textbook_tables():
    assert values(table_of([[20, 5], [10, 15]]), cohen_metrics(Scale.of([0, 1])))["cohen_kappa"] == pytest.approx(0.4)
    found = values(table_of([[44, 5, 1], [7, 20, 3], [9, 5, 6]]), cohen_metrics(Scale.of([0, 1, 2])))
    expected = {"cohen_kappa": 0.491525, "cohen_kappa_linear": 0.473684, "cohen_kappa_quadratic": 0.454545}
    assert found == pytest.approx(expected, abs=1e-6)


def test_kappa_of_the_paradox_table_is_below_zero_though_nearly_all_agree():
    assert values(table_of([[118, 5], [2, 0]]), cohen_metrics(Scale.of([0, 1])))["cohen_kappa"] == pytest.approx(
        -0.0234, abs=5e-5
    )


@given(codes)
def test_kappa_is_that_of_scikit_learn_and_statsmodels(pairs):
    first, second = np.array(pairs).T
    found = kappas(pairs)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert all(np.isnan(value) for value in found.values())
        return
    for name, weights in (
        ("cohen_kappa", None),
        ("cohen_kappa_linear", "linear"),
        ("cohen_kappa_quadratic", "quadratic"),
    ):
        assert found[name] == pytest.approx(cohen_kappa_score(first, second, labels=range(4), weights=weights))
    table = np.zeros((4, 4))
    np.add.at(table, (first, second), 1)
    assert found["cohen_kappa"] == pytest.approx(cohens_kappa(table, return_results=False))


@given(codes, st.randoms(use_true_random=False))
def test_kappa_ignores_the_order_of_items_and_of_raters(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    turned = [(second, first) for first, second in shuffled]
    assert kappas(shuffled) == pytest.approx(kappas(pairs), nan_ok=True)
    assert kappas(turned) == pytest.approx(kappas(pairs), nan_ok=True)


@given(codes)
def test_kappa_stays_within_its_bounds_and_is_one_at_perfect_agreement(pairs):
    assert all(np.isnan(value) or -1 - 1e-12 <= value <= 1 + 1e-12 for value in kappas(pairs).values())
    perfect = kappas([(first, first) for first, _ in pairs])
    assert all(np.isnan(value) or value == pytest.approx(1) for value in perfect.values())


def test_a_constant_column_has_no_kappa_and_says_why():
    found = estimates(table_of([[30, 0], [20, 0]]), cohen_metrics(Scale.of([0, 1])))["cohen_kappa"]
    assert (found.value, found.low, found.high) == (None, None, None)
    assert "single label" in found.note
    assert found.n == 50


def test_a_step_that_nobody_used_is_still_a_step():
    used = values(table_of([[5, 2], [1, 6]]), cohen_metrics(Scale(labels=("1", "5"), values=(1.0, 5.0))))
    spaced = np.zeros((5, 5), dtype=int)
    spaced[np.ix_([0, 4], [0, 4])] = [[5, 2], [1, 6]]
    assert values(table_of(spaced), cohen_metrics(Scale.of([1, 2, 3, 4, 5]))) == pytest.approx(used)


def test_names_without_an_order_have_no_weighted_kappa():
    assert [metric.name for metric in cohen_metrics(Scale(labels=("a", "b", "c")))] == ["cohen_kappa"]
