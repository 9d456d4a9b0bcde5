import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from judge_server.agreement.coincidence import as_item_coincidences, item_coincidences
from judge_server.agreement.fleiss import FLEISS_KAPPA, RAW_AGREEMENT
from judge_server.agreement.pair import table_of
from tests.agreement.textbook import FLEISS, estimates, values

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
