"""The error of the reward: judge and people under one rubric."""

import numpy as np
import pytest

from judge_server.calibration.reward_error import reward_error
from judge_server.labels.label import CriterionScale, Label
from tests.calibration.measured import NO, YES, label_set, rubric

KNOWN = rubric(
    criteria=[{"id": "c0", "statement": "Says a.", "points": 3}, {"id": "c1", "statement": "Says b.", "points": 1}]
)
SCALES = [CriterionScale(criterion=name, kind="binary", classes=(NO, YES), positive=YES) for name in ("c0", "c1")]


def labels(wrong, *, items=200, probability=None, seed=0):
    """By criterion, the share of the items on which the judge says the opposite."""
    random = np.random.default_rng(seed)
    for number in range(items):
        for place, share in enumerate(wrong):
            truth = bool(random.random() < 0.5)
            said = truth ^ bool(random.random() < share)
            common = {"item": f"i{number}", "criterion": f"c{place}", "cluster": f"p{number}"}
            yield Label(annotator="h0", role="human", label=YES if truth else NO, **common)
            chance = None if probability is None else (probability if said else 1 - probability)
            yield Label(annotator="main", role="judge", label=YES if said else NO, probability=chance, **common)


def test_a_judge_that_is_right_has_no_error():
    found = reward_error(label_set(labels((0, 0)), *SCALES), "main", KNOWN)
    assert (found.error.value, found.bias.value, found.items) == (0, 0, 200)


def test_errors_on_the_criterion_with_more_points_cost_more():
    heavy, light = (
        reward_error(label_set(labels(wrong, items=400), *SCALES), "main", KNOWN) for wrong in ((0.2, 0), (0, 0.2))
    )
    assert heavy.error.value == pytest.approx(0.75 * np.sqrt(0.2), abs=0.05)
    assert light.error.value == pytest.approx(0.25 * np.sqrt(0.2), abs=0.03)
    assert heavy.error.low < heavy.error.value < heavy.error.high
    assert heavy.correlation.value < light.correlation.value


def test_a_judge_that_hedges_is_wrong_by_what_it_holds_back():
    found = reward_error(label_set(labels((0, 0), probability=0.9), *SCALES), "main", KNOWN)
    assert 0.05 < found.error.value < 0.11
    assert found.spread > 0.3
    assert "off by 0." in found.sentence


def test_only_criteria_that_both_sides_labelled_count():
    some = [label for label in labels((0, 0.5)) if label.role == "judge" or label.criterion == "c0"]
    found = reward_error(label_set(some, *SCALES), "main", KNOWN)
    assert found.error.value == 0


def test_without_a_shared_item_there_is_no_error_to_tell():
    apart = [
        label.model_copy(update={"item": f"x{label.item}", "cluster": f"x{label.cluster}"})
        if label.role == "judge"
        else label
        for label in labels((0, 0))
    ]
    assert reward_error(label_set(apart, *SCALES), "main", KNOWN) is None
