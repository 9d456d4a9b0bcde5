"""NeMo Gym's aggregate figures; a failed judge is in none of them."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.reward import reward
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.server.dialects.nemo_gym_metrics import ADJUSTMENT, aggregate, reward_components, rounded
from tests.submissions import rubric


def rollout(task, index, reward, **fields):
    return {"_ng_task_index": task, "_ng_rollout_index": index, "reward": reward, **fields}


def test_statistics_stand_by_task_and_over_all():
    found = aggregate([rollout(0, 0, 0.0), rollout(0, 1, 1.0), rollout(1, 0, 0.5)])
    assert found.agent_metrics["mean/reward"] == 0.5
    assert found.agent_metrics["std/reward"] == 0.5
    assert found.key_metrics == {"mean/reward": 0.5}
    assert [group["_ng_task_index"] for group in found.group_level_metrics] == [0, 1]
    assert found.group_level_metrics[0]["std/reward"] == pytest.approx(0.5**0.5)
    assert found.group_level_metrics[1] | {"std/reward": 0.0} == found.group_level_metrics[1]


def test_rollouts_whose_judge_failed_are_left_out_and_counted():
    found = aggregate([rollout(0, 0, 1.0), rollout(0, 1, 0.0, _ng_failure_class="judge_failed")])
    assert found.agent_metrics["mean/reward"] == 1.0
    assert found.agent_metrics["judge_failed"] == 0.5


def test_usage_and_truths_count_and_texts_do_not():
    found = aggregate([rollout(0, 0, 1.0, solved=True, note="x", response={"usage": {"output_tokens": 7}})])
    assert found.key_metrics == {"mean/reward": 1.0, "mean/solved": 1.0, "mean/output_tokens": 7.0}


def test_nothing_gives_nothing():
    assert aggregate([]).model_dump() == {"group_level_metrics": [], "agent_metrics": {}, "key_metrics": {}}


POINTS = st.lists(st.floats(-100, 100).filter(lambda point: abs(point) > 1e-6), min_size=1, max_size=12)


def judged(values, points):
    return tuple(
        Verdict(criterion=f"c{place}", status=VerdictStatus.OK, source="judge", points=point, value=value, met=value)
        for place, (point, value) in enumerate(zip(points, values, strict=True))
    )


@given(data=st.data(), points=POINTS, kind=st.sampled_from(["points", "weighted_mean"]))
def test_components_sum_to_the_reward_exactly_in_any_order(data, points, kind):
    points = [abs(point) for point in points] if kind == "weighted_mean" else points
    values = [data.draw(st.floats(0, 1)) for _ in points]
    form = Rubric.model_validate(rubric(*points, aggregate={"kind": kind, "clip": [0, 1]}))
    verdicts = judged(values, points)
    value = reward(form, verdicts).reward
    if value is None:
        return
    parts = reward_components(form, verdicts, value)
    if parts is None:
        return
    shuffled = random.Random(0).sample(list(parts.values()), len(parts))
    assert sum(parts.values()) == sum(shuffled) == math.fsum(shuffled) == rounded(value)
    assert abs(rounded(value) - value) < 1e-12
    assert list(parts) == [*(f"c{place}" for place in range(len(points))), ADJUSTMENT]


def test_the_names_stay_the_same_where_a_criterion_is_undecided():
    form = Rubric.model_validate(rubric(5, 3, missing={"policy": "skip", "min_coverage": 0.1}))
    parts = reward_components(form, judged([1.0], [5]), 1.0)
    assert parts == {"c0": 1.0, "c1": 0.0, ADJUSTMENT: 0.0}


def test_clipping_and_gates_stand_in_the_adjustment():
    form = Rubric.model_validate(rubric(5, -9, aggregate={"kind": "points", "clip": [0, 1]}))
    parts = reward_components(form, judged([1.0, 1.0], [5, -9]), 0.0)
    assert parts[ADJUSTMENT] == -(parts["c0"] + parts["c1"])


def test_an_aggregation_that_is_no_sum_has_no_components():
    form = Rubric.model_validate(rubric(5, 3, aggregate={"kind": "all"}))
    assert reward_components(form, judged([1.0, 1.0], [5, 3]), 1.0) is None
