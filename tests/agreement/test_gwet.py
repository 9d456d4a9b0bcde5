import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.agreement.coincidence import as_item_coincidences, item_coincidences
from judge_server.agreement.gwet import gwet_metrics
from judge_server.agreement.pair import table_of
from judge_server.agreement.scale import Scale
from tests.agreement.textbook import KRIPPENDORFF_COUNTS, values


def test_ac_of_the_canonical_data():
    found = values(item_coincidences(KRIPPENDORFF_COUNTS, np.arange(12)), gwet_metrics(Scale.of([1, 2, 3, 4, 5])))
    expected = {
        "gwet_ac1": 0.77544,
        "gwet_ac2_linear": 0.85874,
        "gwet_ac2_quadratic": 0.91400,
        "gwet_ac2_ordinal": 0.89894,
    }
    assert found == pytest.approx(expected, abs=5e-6)


def test_ac1_of_the_paradox_table_is_high_where_kappa_is_below_zero():
    (ac1, *_) = gwet_metrics(Scale.of([0, 1]))
    assert float(ac1.value(as_item_coincidences(table_of([[118, 5], [2, 0]]).total()))[0]) == pytest.approx(
        0.94078, abs=5e-6
    )


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), min_size=1, max_size=20))
def test_ac1_is_its_definition_with_any_number_of_raters_an_item(rows):
    counts = np.array([[row.count(label) for label in range(4)] for row in rows], dtype=float)
    found = values(item_coincidences(counts, np.arange(len(rows))), gwet_metrics(Scale.of([0, 1, 2, 3])))["gwet_ac1"]
    agreement = [(row * (row - 1)).sum() / (row.sum() * (row.sum() - 1)) for row in counts if row.sum() >= 2]
    if not agreement:
        assert np.isnan(found)
        return
    share = (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0)
    chance = (share * (1 - share)).sum() / 3
    assert found == pytest.approx((np.mean(agreement) - chance) / (1 - chance))


def test_a_scale_of_one_label_has_no_ac():
    assert np.isnan(
        values(item_coincidences(np.full((3, 1), 2.0), np.arange(3)), gwet_metrics(Scale.of(["a"])))["gwet_ac1"]
    )
