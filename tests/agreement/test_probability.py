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
    assert found == pytest.approx({"brier": 0.0375, "ece": 0.175})


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


def test_the_interval_of_ece_is_reflected_because_resampling_only_adds_noise_to_it():
    rng = np.random.default_rng(0)
    p = rng.random(400)
    found = estimates(evidence(p, rng.random(400) < p), PROBABILITY_METRICS)["ece"]
    assert 0 <= found.low < found.value
