"""Means over responses: clipped last, with the published deviation and an interval that counts prompts."""

import numpy as np
import pytest

from judge_server.core.aggregation import LengthAdjustment
from judge_server.evaluation.scored_response import ScoredResponse
from judge_server.evaluation.summary import summarise


def responses(values, *, per_prompt=1, characters=2_000, **tags):
    return [
        ScoredResponse(
            row=place // per_prompt + 1,
            prompt=f"p{place // per_prompt}",
            scores={"overall": value, **tags},
            characters=characters,
        )
        for place, value in enumerate(values)
    ]


def test_the_mean_is_clipped_and_single_scores_are_not():
    (overall,) = summarise(responses([-1.0, -0.5, 0.6]), clip=True)
    assert (overall.value, overall.n, overall.prompts) == (0.0, 3, 3)
    (plain,) = summarise(responses([-1.0, -0.5, 0.6]), clip=False)
    assert plain.value == pytest.approx(-0.3)


def test_the_bootstrap_deviation_is_that_of_a_mean():
    values = np.random.default_rng(1).normal(0.5, 0.2, 400)
    (overall,) = summarise(responses(values.tolist()), clip=True)
    assert overall.bootstrap_std == pytest.approx(values.std() / 20, rel=0.1)


def test_several_responses_to_a_prompt_widen_the_interval_and_not_the_deviation():
    by_prompt = np.random.default_rng(2).normal(0.5, 0.2, 50)
    (alone,) = summarise(responses(np.repeat(by_prompt, 8).tolist()), clip=True)
    (clustered,) = summarise(responses(np.repeat(by_prompt, 8).tolist(), per_prompt=8), clip=True)
    assert clustered.prompts == 50
    assert clustered.bootstrap_std == alone.bootstrap_std
    assert clustered.high - clustered.low > 2 * (alone.high - alone.low)


def test_the_length_adjustment_is_taken_of_each_response_and_clipped_last():
    found = responses([0.5, 0.1], characters=4_000)
    overall, adjusted = summarise(found, clip=True, adjustment=LengthAdjustment(penalty=0.1))
    assert overall.value == pytest.approx(0.3)
    assert adjusted.name == "length_adjusted"
    assert adjusted.value == 0.0, "the mean of .1 and -.3"


def test_overall_then_themes_axes_and_the_rest():
    tags = {"level:example": 1.0, "axis:accuracy": 1.0, "theme:hedging": 1.0, "theme:context": 1.0, "plain": 1.0}
    names = [one.name for one in summarise(responses([0.5], **tags), clip=True)]
    assert names == ["overall", "theme:context", "theme:hedging", "axis:accuracy", "level:example", "plain"]


def test_few_prompts_have_no_interval_and_say_why():
    (overall,) = summarise(responses([0.5, 0.6, 0.7]), clip=True)
    assert (overall.low, overall.high) == (None, None)
    assert "at least 20 are needed" in overall.note


def test_responses_without_a_score_are_left_out():
    failed = ScoredResponse(row=9, prompt="p9", failure="timeout")
    assert summarise([failed], clip=True, adjustment=LengthAdjustment(penalty=0.1)) == []
    assert summarise([*responses([0.5]), failed], clip=True)[0].n == 1
