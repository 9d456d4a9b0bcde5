"""Cohen's and Fleiss' κ and Gwet's AC: textbook values, reference implementations, and what is undefined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from judge_server.agreement.contingency import as_item_coincidences, item_coincidences, pair_table, table_of
from judge_server.agreement.kappa import FLEISS_KAPPA, RAW_AGREEMENT, cohen_metrics, gwet_metrics
from judge_server.agreement.scale import LabelScale
from tests.agreement.textbook import FLEISS, KRIPPENDORFF_COUNTS, estimates, values

codes = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=60)
FOUR = LabelScale.of([0, 1, 2, 3])


def kappas(pairs, scale=FOUR):
    first, second = np.array(pairs, dtype=np.int64).T
    return values(pair_table(first, second, np.arange(len(first)), scale.size), cohen_metrics(scale))


def test_kappa_of_the_textbook_tables():
    assert values(table_of([[20, 5], [10, 15]]), cohen_metrics(LabelScale.of([0, 1])))["cohen_kappa"] == pytest.approx(
        0.4
    )
    found = values(table_of([[44, 5, 1], [7, 20, 3], [9, 5, 6]]), cohen_metrics(LabelScale.of([0, 1, 2])))
    expected = {"cohen_kappa": 0.491525, "cohen_kappa_linear": 0.473684, "cohen_kappa_quadratic": 0.454545}
    assert found == pytest.approx(expected, abs=1e-6)


def test_kappa_of_the_paradox_table_is_below_zero_though_nearly_all_agree():
    assert values(table_of([[118, 5], [2, 0]]), cohen_metrics(LabelScale.of([0, 1])))["cohen_kappa"] == pytest.approx(
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
    found = estimates(table_of([[30, 0], [20, 0]]), cohen_metrics(LabelScale.of([0, 1])))["cohen_kappa"]
    assert (found.value, found.low, found.high) == (None, None, None)
    assert "single label" in found.note
    assert found.n == 50


def test_a_step_that_nobody_used_is_still_a_step():
    used = values(table_of([[5, 2], [1, 6]]), cohen_metrics(LabelScale(labels=("1", "5"), values=(1.0, 5.0))))
    spaced = np.zeros((5, 5), dtype=int)
    spaced[np.ix_([0, 4], [0, 4])] = [[5, 2], [1, 6]]
    assert values(table_of(spaced), cohen_metrics(LabelScale.of([1, 2, 3, 4, 5]))) == pytest.approx(used)


def test_names_without_an_order_have_no_weighted_kappa():
    assert [metric.name for metric in cohen_metrics(LabelScale(labels=("a", "b", "c")))] == ["cohen_kappa"]


METRICS = [FLEISS_KAPPA, RAW_AGREEMENT]


def panel(counts):
    return item_coincidences(np.asarray(counts, dtype=float), np.arange(len(counts)))


def test_fleiss_kappa_of_the_textbook_table():
    assert values(panel(FLEISS), METRICS)["fleiss_kappa"] == pytest.approx(0.20993, abs=5e-6)


def balanced(raters):
    return st.lists(st.lists(st.integers(0, 2), min_size=raters, max_size=raters), min_size=2, max_size=30)


@given(balanced(4))
def test_fleiss_kappa_is_that_of_statsmodels_where_all_items_have_all_raters(ratings):
    counts = np.array([[row.count(label) for label in range(3)] for row in ratings])
    found = values(panel(counts), METRICS)
    if (counts.sum(axis=0) > 0).sum() == 1:
        assert np.isnan(found["fleiss_kappa"])
        assert found["raw_agreement"] == 1
        return
    assert found["fleiss_kappa"] == pytest.approx(statsmodels_fleiss(counts))


def test_raw_agreement_of_two_raters_is_the_share_of_items_they_agree_on():
    assert values(panel([[2, 0], [1, 1], [0, 2], [0, 2]]), METRICS)["raw_agreement"] == pytest.approx(0.75)


def test_an_item_with_one_rating_has_no_agreement_to_give():
    alone = estimates(panel([[1, 0], [0, 1]]), METRICS)["raw_agreement"]
    assert alone.value is None
    assert alone.note == "no item has two ratings"


def test_a_table_of_two_raters_is_the_panel_of_two():
    table = np.array([[7, 2, 1], [0, 5, 3], [2, 2, 8]])
    counts = [
        np.eye(3)[row] + np.eye(3)[column] for row in range(3) for column in range(3) for _ in range(table[row, column])
    ]
    assert as_item_coincidences(table_of(table).total()) == pytest.approx(panel(counts).total())


def test_ac_of_the_canonical_data():
    found = values(item_coincidences(KRIPPENDORFF_COUNTS, np.arange(12)), gwet_metrics(LabelScale.of([1, 2, 3, 4, 5])))
    expected = {
        "gwet_ac1": 0.77544,
        "gwet_ac2_linear": 0.85874,
        "gwet_ac2_quadratic": 0.91400,
        "gwet_ac2_ordinal": 0.89894,
    }
    assert found == pytest.approx(expected, abs=5e-6)


def test_ac1_of_the_paradox_table_is_high_where_kappa_is_below_zero():
    (ac1, *_) = gwet_metrics(LabelScale.of([0, 1]))
    assert float(ac1.value(as_item_coincidences(table_of([[118, 5], [2, 0]]).total()))[0]) == pytest.approx(
        0.94078, abs=5e-6
    )


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), min_size=1, max_size=20))
def test_ac1_is_its_definition_with_any_number_of_raters_an_item(rows):
    counts = np.array([[row.count(label) for label in range(4)] for row in rows], dtype=float)
    found = values(item_coincidences(counts, np.arange(len(rows))), gwet_metrics(LabelScale.of([0, 1, 2, 3])))[
        "gwet_ac1"
    ]
    agreement = [(row * (row - 1)).sum() / (row.sum() * (row.sum() - 1)) for row in counts if row.sum() >= 2]
    if not agreement:
        assert np.isnan(found)
        return
    share = (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0)
    chance = (share * (1 - share)).sum() / 3
    assert found == pytest.approx((np.mean(agreement) - chance) / (1 - chance))


def test_a_scale_of_one_label_has_no_ac():
    assert np.isnan(
        values(item_coincidences(np.full((3, 1), 2.0), np.arange(3)), gwet_metrics(LabelScale.of(["a"])))["gwet_ac1"]
    )
