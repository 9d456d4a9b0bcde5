import numpy as np
import pytest

from judge_server.agreement.prediction_powered import prediction_powered_mean

LABELS, NEAR = np.array([1, 0, 1, 1, 0, 1.0]), np.array([1, 0, 1, 0, 0, 1.0])
FAR = np.array([1, 1, 0, 1, 0, 1, 1, 0, 1, 1.0])


def test_the_mean_and_interval_of_the_worked_example():
    found = prediction_powered_mean(LABELS, NEAR, FAR)
    assert (found.value, found.low, found.high) == pytest.approx((0.866667, 0.454850, 1.278484), abs=1e-6)


def test_without_weight_the_judge_is_ignored():
    found = prediction_powered_mean(LABELS, NEAR, FAR, weight=0)
    assert found.value == pytest.approx(LABELS.mean())


def test_the_tuned_weight_is_never_wider_than_both_extremes():
    rng = np.random.default_rng(0)
    far, near = rng.random(5000), rng.random(200)
    labels = 0.4 * near + rng.random(200)

    def width(weight):
        found = prediction_powered_mean(labels, near, far, weight=weight)
        return found.high - found.low

    assert width(None) <= min(width(0.0), width(1.0)) * 1.001


def test_copies_of_a_prompt_add_no_certainty():
    once = prediction_powered_mean(LABELS, NEAR, FAR)
    groups = np.tile(np.arange(6), 5), np.tile(np.arange(10), 5)
    copied = prediction_powered_mean(np.tile(LABELS, 5), np.tile(NEAR, 5), np.tile(FAR, 5), clusters=groups)
    assert (copied.value, copied.low, copied.high) == pytest.approx((once.value, once.low, once.high))
    assert copied.clusters == 6


def test_one_label_is_too_few_and_says_so():
    found = prediction_powered_mean(LABELS[:1], NEAR[:1], FAR)
    assert found.value is None
    assert found.needed == 2
