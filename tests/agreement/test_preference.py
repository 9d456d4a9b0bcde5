import numpy as np
import pytest

from judge_server.agreement.preference import MISSING, PREFERENCE_METRICS, preference_evidence
from tests.agreement.textbook import estimates, values


def measured(human, forward, swapped=None):
    columns = [None if column is None else np.array(column) for column in (human, forward, swapped)]
    return values(preference_evidence(*columns, np.arange(len(human))), PREFERENCE_METRICS)


def test_preferences_and_ties_by_hand():
    found = measured([1, 1, -1, 0, 0], [1, -1, 0, 0, 1])
    assert found["preference_accuracy"] == pytest.approx(2 / 5)
    assert found["preference_accuracy_half_ties"] == pytest.approx((2 + 0.5 + 0.5) / 5)
    assert found["preference_accuracy_without_ties"] == pytest.approx(1 / 2)
    assert found["judge_tie_rate"] == pytest.approx(2 / 5)
    assert found["human_tie_rate"] == pytest.approx(2 / 5)
    assert np.isnan(found["swap_consistency"])


def test_a_judge_that_always_takes_the_first_shown_is_never_consistent():
    found = measured([1, -1, 1, -1], [1] * 4, [-1] * 4)
    assert found["swap_consistency"] == 0
    assert found["first_shown_rate"] == 1
    assert found["preference_accuracy"] == 0.5
    assert found["preference_accuracy_both_orders"] == 0


def test_a_judge_without_a_place_it_likes_is_consistent():
    found = measured([1, -1, 0], [1, -1, 0], [1, -1, 0])
    assert found["swap_consistency"] == 1
    assert found["first_shown_rate"] == 0.5
    assert found["preference_accuracy_both_orders"] == 1


def test_a_missing_verdict_is_neither_right_nor_wrong():
    assert measured([1, 1], [1, MISSING])["preference_accuracy"] == 1
    assert measured([1, MISSING], [1, 1])["preference_accuracy"] == 1
    assert measured([1, 1], [1, 1], [1, MISSING])["swap_consistency"] == 1


def test_pairs_judged_in_one_order_have_no_consistency_and_say_so():
    human = np.ones(40, dtype=np.int64)
    found = estimates(preference_evidence(human, human, None, np.arange(40)), PREFERENCE_METRICS)["swap_consistency"]
    assert found.value is None
    assert "both orders" in found.note
