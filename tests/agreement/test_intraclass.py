import numpy as np
import pytest

from judge_server.agreement.intraclass import (
    CROSSED_METRICS,
    FORMS,
    ONE_WAY_METRICS,
    PAIR_METRICS,
    crossed,
    unbalanced,
)
from judge_server.agreement.moment import moments
from tests.agreement.textbook import SHROUT_FLEISS, values

SIX = np.arange(6)


def test_the_six_forms_of_shrout_and_fleiss():
    found = values(crossed(SHROUT_FLEISS, SIX), CROSSED_METRICS)
    expected = dict(zip(FORMS, (0.1657, 0.2898, 0.7148, 0.4428, 0.6201, 0.9093), strict=True))
    assert {form: found[form] for form in FORMS} == pytest.approx(expected, abs=5e-5)


def test_icc_without_further_name_is_absolute_agreement_of_single_raters():
    found = values(crossed(SHROUT_FLEISS, SIX), CROSSED_METRICS)
    assert found["icc"] == found["icc_2_1"]


def test_a_shift_that_all_raters_share_changes_nothing():
    assert values(crossed(SHROUT_FLEISS + 1e6, SIX), CROSSED_METRICS) == pytest.approx(
        values(crossed(SHROUT_FLEISS, SIX), CROSSED_METRICS)
    )


def test_items_without_all_raters_are_left_out_of_two_way_forms():
    gap = np.vstack([SHROUT_FLEISS, [1, np.nan, 3, 4]])
    assert crossed(gap, np.arange(7)).n == 6
    assert values(crossed(gap, np.arange(7)), CROSSED_METRICS) == pytest.approx(
        values(crossed(SHROUT_FLEISS, SIX), CROSSED_METRICS)
    )


def test_one_way_icc_from_single_ratings_is_that_of_the_matrix():
    item, _ = np.divmod(np.arange(24), 4)
    assert values(unbalanced(SHROUT_FLEISS.ravel(), item, SIX), ONE_WAY_METRICS)["icc_1_1"] == pytest.approx(
        0.1657, abs=5e-5
    )


def test_one_way_icc_takes_raters_that_change_from_item_to_item():
    """The analysis of variance by hand: k₀ for groups of 2, 3 and 3."""
    groups = [[1.0, 2.0], [4.0, 5.0, 6.0], [8.0, 8.0, 9.0]]
    every = np.concatenate(groups)
    between = sum(len(g) * (np.mean(g) - every.mean()) ** 2 for g in groups) / 2
    within = sum(((np.array(g) - np.mean(g)) ** 2).sum() for g in groups) / 5
    size = (8 - (4 + 9 + 9) / 8) / 2
    item = np.repeat(np.arange(3), [2, 3, 3])
    found = values(unbalanced(every, item, np.arange(3)), ONE_WAY_METRICS)["icc_1_1"]
    assert found == pytest.approx((between - within) / (between + (size - 1) * within))


def test_two_columns_have_the_forms_of_their_matrix():
    rng = np.random.default_rng(0)
    pair = rng.normal(size=(25, 2)) + rng.normal(size=(25, 1)) + 100
    cluster = np.arange(25)
    assert values(moments(pair[:, 0], pair[:, 1], cluster), PAIR_METRICS) == pytest.approx(
        values(crossed(pair, cluster), CROSSED_METRICS)
    )


def test_ratings_that_are_all_the_same_have_no_icc():
    assert all(
        np.isnan(value) for value in values(crossed(np.full((9, 3), 0.1), np.arange(9)), CROSSED_METRICS).values()
    )
