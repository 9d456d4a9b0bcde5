"""Every metric is in [0, 1], 1 for equal texts, and takes bounded time."""

from typing import get_args

import pytest

from judge_server.core.grader import Metric, TextSimilarity
from judge_server.scoring.graders.grader_input import GraderInput
from judge_server.scoring.graders.text_similarity import measure_similarity, similarity

METRICS = get_args(Metric)
TEXT = "Rest, drink water, and see a doctor if the pain does not go away within two days."


@pytest.mark.parametrize("metric", METRICS)
def test_equal_texts_are_alike_and_strange_ones_are_not(metric):
    assert similarity(metric, TEXT, TEXT) == pytest.approx(1, abs=0.01)
    assert similarity(metric, "zzz", TEXT) < 0.1
    assert similarity(metric, "", TEXT) == similarity(metric, TEXT, "") == 0


@pytest.mark.parametrize("metric", METRICS)
def test_nearer_texts_are_more_alike(metric):
    near = TEXT.replace("two", "three")
    far = "Rest and drink water now."
    assert similarity(metric, near, TEXT) > similarity(metric, far, TEXT)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("metric", METRICS)
def test_long_hostile_texts_take_bounded_time(metric):
    assert 0 <= similarity(metric, "a b " * 250_000, "b a " * 250_000) <= 1


@pytest.mark.parametrize(("order", "value"), [(1, 5 / 6), (2, 3 / 5), (3, 1 / 4), (4, 0.0), (5, 0.0)])
def test_rouge_counts_runs_of_words(order, value):
    assert similarity(f"rouge_{order}", "the cat sat on the mat", "the cat lay on the mat") == pytest.approx(value)


async def test_templates_are_filled():
    grader = TextSimilarity(
        type="text_similarity", input="{{sample.output_text}}", reference="{{item.a}}", evaluation_metric="rouge_l"
    )
    assert await measure_similarity(grader, GraderInput("one two", {"a": "one two"})) == 1
