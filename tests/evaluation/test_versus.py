"""Two models on the same rows."""

import numpy as np
import pytest

from judge_server.evaluation.scored_response import ScoredResponse
from judge_server.evaluation.versus import differences


def model(values, *, first_row=1, per_row=1, prompts=None):
    return [
        ScoredResponse(
            row=first_row + place // per_row,
            prompt=prompts[place // per_row] if prompts else f"p{first_row + place // per_row}",
            scores={"overall": value, "axis:accuracy": value},
        )
        for place, value in enumerate(values)
    ]


def test_a_row_counts_once_with_the_mean_of_its_responses_and_only_if_both_have_it():
    first = model([0.2, 0.4, 0.6, 1.0], per_row=2)
    second = model([0.5, 0.5, 0.9])
    overall, axis = differences(first, second)
    assert (overall.name, axis.name) == ("overall", "axis:accuracy")
    assert (overall.first, overall.second) == (pytest.approx(0.55), pytest.approx(0.5))
    assert overall.difference.value == pytest.approx(0.05)
    assert (overall.difference.n, overall.higher, overall.lower) == (2, 1, 1)
    assert overall.conclusion == "not enough evidence"


def test_a_failed_response_is_no_zero():
    failed = ScoredResponse(row=1, prompt="p1", failure="timeout")
    assert differences([failed], model([0.9])) == []


@pytest.mark.parametrize(("gain", "told"), [(0.1, "better"), (-0.1, "worse"), (0.0, "no clear difference")])
def test_pairing_shows_a_small_difference_among_very_different_rows(gain, told):
    random = np.random.default_rng(3)
    hard = random.uniform(0, 1, 80)
    second = hard + random.normal(0, 0.05, 80)
    overall = differences(model((hard + random.normal(0, 0.05, 80) + gain).tolist()), model(second.tolist()))[0]
    assert overall.conclusion == told


def test_rows_of_one_prompt_are_no_independent_evidence():
    random = np.random.default_rng(4)
    by_prompt = random.normal(0.05, 0.2, 30)
    prompts = [f"p{place // 10}" for place in range(300)]
    first = np.repeat(by_prompt, 10)
    alone = differences(model(first.tolist()), model([0.0] * 300))[0]
    clustered = differences(
        model(first.tolist(), prompts=[f"p{place // 10}" for place in range(300)]), model([0.0] * 300, prompts=prompts)
    )[0]
    assert clustered.difference.clusters == 30
    assert clustered.difference.high - clustered.difference.low > 2 * (alone.difference.high - alone.difference.low)


def test_equal_models_are_seldom_told_apart():
    """At most 5 % of 400 comparisons of equal models claim a difference, within the error of 400 (3 standard
    deviations)."""
    claims = 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        hard = random.uniform(0, 1, 40)
        first, second = (np.round(hard + random.normal(0, 0.3, 40), 1) for _ in range(2))
        overall = differences(model(first.tolist()), model(second.tolist()))[0]
        claims += overall.conclusion in {"better", "worse"}
    assert claims <= 400 * 0.05 + 3 * (400 * 0.05 * 0.95) ** 0.5
