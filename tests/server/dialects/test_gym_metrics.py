"""NeMo Gym's aggregate figures; a failed judge is in none of them."""

import pytest

from judge_server.server.dialects.gym_metrics import aggregate


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
