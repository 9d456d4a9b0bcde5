import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from judge_server.agreement.calibration_line import line_task
from judge_server.agreement.interval import estimate
from judge_server.agreement.resampling import Resampling

DEFAULT = Resampling()


def judged(sharpness: float, shift: float = 0.0, items: int = 400, seed: int = 3):
    """True log-odds, and a judge that multiplies them and adds a shift."""
    random = np.random.default_rng(seed)
    score = random.normal(scale=1.5, size=items)
    truth = (random.random(items) < 1 / (1 + np.exp(-score))).astype(float)
    return 1 / (1 + np.exp(-(sharpness * score + shift))), truth


def lines(probability, truth, cluster=None):
    return estimate(*line_task(probability, truth, np.arange(len(truth)) if cluster is None else cluster), DEFAULT)


def test_slope_is_that_of_a_logistic_regression():
    probability, truth = judged(2.0, 0.7, items=200)
    probability = np.round(probability, 2).clip(0.01, 0.99)  # few levels: nothing is merged
    score = np.log(probability / (1 - probability))[:, np.newaxis]
    model = LogisticRegression(C=1e9, tol=1e-10).fit(score, truth)
    assert lines(probability, truth)["calibration_slope"].value == pytest.approx(model.coef_[0, 0], rel=1e-4)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 4.0])
def test_slope_finds_how_much_too_sure_a_judge_is(sharpness):
    found = lines(*judged(sharpness, items=2000))["calibration_slope"]
    assert found.low <= 1 / sharpness <= found.high
    assert found.high - found.low < 0.35 / sharpness


def test_a_generous_judge_has_an_intercept_below_zero():
    found = lines(*judged(1.0, 1.0, items=1000))["calibration_intercept"]
    assert found.low <= -1 <= found.high < 0


def test_copies_of_an_item_in_one_prompt_do_not_narrow_the_interval():
    probability, truth = judged(1.0)
    alone = lines(probability, truth)["calibration_slope"]
    copied = lines(np.repeat(probability, 4), np.repeat(truth, 4), np.repeat(np.arange(len(truth)), 4))
    assert copied["calibration_slope"].value == pytest.approx(alone.value, rel=0.05)
    assert copied["calibration_slope"].high - copied["calibration_slope"].low > 0.9 * (alone.high - alone.low)


def test_probabilities_that_separate_the_labels_have_no_slope():
    truth = np.repeat([0.0, 1.0], 50)
    found = lines(np.where(truth == 1, 0.9, 0.2) + np.tile([0, 0.05], 50), truth)["calibration_slope"]
    assert found.value is None
    assert "separate" in found.note
