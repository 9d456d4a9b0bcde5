import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from judge_server.agreement.probability import PROBABILITY_METRICS, probability_evidence, reliability_curve
from tests.agreement.textbook import estimates, values


def evidence(p, y, bins=10):
    return probability_evidence(np.array(p, dtype=float), np.array(y, dtype=float), np.arange(len(p)), bins)


def test_brier_and_ece_of_the_textbook_example():
    found = values(evidence([0.1, 0.9, 0.8, 0.3], [0, 1, 1, 0]), PROBABILITY_METRICS)
    assert found == pytest.approx({"brier": 0.0375, "ece": 0.175, "calibration_error": 0.0})


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
def test_brier_is_that_of_scikit_learn(rows):
    p, y = zip(*rows, strict=True)
    found = values(evidence(p, y), PROBABILITY_METRICS)
    assert found["brier"] == pytest.approx(brier_score_loss(y, p, labels=[0, 1]))
    assert 0 <= found["ece"] <= 1


def test_the_last_bin_holds_certainty():
    curve = reliability_curve(evidence([1.0, 0.95, 0.0], [1, 0, 0]))
    assert [entry.n for entry in curve] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert curve[9].mean_probability == pytest.approx(0.975)
    assert curve[9].rate == 0.5
    assert curve[9].rate_low < 0.5 < curve[9].rate_high
    assert curve[4].rate is None


def test_items_without_a_probability_are_left_out_and_not_counted_as_zero():
    assert evidence([0.5, np.nan, 0.5], [1, 1, np.nan]).n == 1
    empty = estimates(evidence([np.nan], [1]), PROBABILITY_METRICS)["brier"]
    assert (empty.value, empty.note) == (None, "no item has both a probability and a label")


def test_ece_has_no_interval_and_says_why():
    rng = np.random.default_rng(0)
    p = rng.random(400)
    found = estimates(evidence(p, rng.random(400) < p), PROBABILITY_METRICS)["ece"]
    assert found.value > 0
    assert (found.low, found.high) == (None, None)
    assert "chance alone" in found.note


def test_a_calibrated_judge_has_an_error_of_about_zero_however_few_labels_there_are():
    rng = np.random.default_rng(1)
    plain, corrected, excluded = [], [], 0
    for _ in range(60):
        p = rng.random(100)
        found = estimates(evidence(p, rng.random(100) < p), PROBABILITY_METRICS)
        plain.append(found["ece"].value)
        corrected.append(found["calibration_error"].value)
        excluded += found["calibration_error"].low > 0
    assert np.mean(plain) > 0.08
    assert np.mean(corrected) < 0.05
    assert excluded <= 5


def test_the_error_of_a_judge_that_is_too_sure_is_found():
    rng = np.random.default_rng(2)
    truth = rng.random(4000) < 0.7
    found = estimates(evidence(np.full(4000, 0.95), truth), PROBABILITY_METRICS)["calibration_error"]
    assert found.value == pytest.approx(0.25, abs=0.02)
    assert 0.22 < found.low < found.value < found.high < 0.28


def test_copies_within_a_prompt_do_not_make_an_error_significant():
    rng = np.random.default_rng(3)
    p = np.repeat(rng.random(60), 20)
    y = np.repeat(rng.random(60) < p[::20], 20)
    rows = probability_evidence(p, y.astype(float), np.repeat(np.arange(60), 20))
    assert estimates(rows, PROBABILITY_METRICS)["calibration_error"].low == 0


@pytest.mark.parametrize("jitter", [0.0, 1e-9, 1e-6, 1e-4], ids=str)
def test_bins_whose_items_all_err_alike_have_a_calibration_error(jitter):
    """A judge that gives one probability to all: the variance within a bin is rounding, or next to nothing."""
    n = 60
    p = np.where(np.arange(n) % 2 == 0, 0.9700003, 0.0300001) + jitter * np.sin(np.arange(n))
    y = (np.arange(n) % 2 == 0).astype(np.float64)
    found = estimates(evidence(p, y), PROBABILITY_METRICS)["calibration_error"]
    assert found.value == pytest.approx(0.03, abs=0.001)
    if found.low is not None:
        assert found.low <= found.value <= found.high
