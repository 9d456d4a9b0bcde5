"""Judges that fail over HTTP: no false zero anywhere, and retries give what a judge that never fails gives."""

import pytest

from tests.end_to_end.fault_matrix import CELLS, COUNTS, CRITERIA, MODES, P_MET, faults_in, points_of, reward_of
from tests.end_to_end.faults import run_matrix, shake


@pytest.mark.timeout(300)
@pytest.mark.parametrize("policies", [("null",), pytest.param(("null", "worst"), marks=pytest.mark.long)])
def test_whatever_the_judge_does_the_reward_is_null_and_typed_or_what_the_rubric_says(policies):
    found = run_matrix(policies=policies)
    assert found.faults == []
    assert found.rewards >= len(CELLS) * 3 * len(policies)
    assert 0 < found.nulls < found.rewards
    assert {"judge_unavailable", "unusable_verdict", "low_label_mass"} <= set(found.types)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", [60, pytest.param(250, marks=pytest.mark.long)])
@pytest.mark.timeout(300)
def test_with_a_tenth_of_all_calls_failing_at_random_retries_give_the_same_rewards(mode, count):
    shaken = shake(mode, submissions=count, share=0.1, seed=7)
    assert shaken.broken_calls >= 0.05 * shaken.calls
    assert shaken.wrong == 0
    assert shaken.equal >= count - 1


def test_the_matrix_knows_a_false_zero_when_it_sees_one():
    cell = CELLS["direct-500-5"]
    verdicts = [
        {"value": None, "error": {"type": "judge_unavailable"}}
        if number < cell.broken
        else {"value": P_MET, "error": None}
        for number in range(CRITERIA)
    ]
    sound = {"reward": None, "error": {"type": "judge_unavailable"}, "verdicts": verdicts}
    assert list(faults_in(sound, cell, "null")) == []
    assert list(faults_in(sound | {"reward": 0.0}, cell, "null")) == ["the reward is 0.0, not None"]
    assert len(list(faults_in(sound | {"error": None}, cell, "null"))) == 1
    zero = [{"value": 0.0, "error": None}, *verdicts[1:]]
    assert "criterion 0 has the value 0.0" in next(iter(faults_in(sound | {"verdicts": zero}, cell, "null")))
    untyped = [{"value": None, "error": None}, *verdicts[1:]]
    assert "neither a value nor a typed error" in next(iter(faults_in(sound | {"verdicts": untyped}, cell, "null")))


def test_no_right_reward_of_the_matrix_is_zero_by_chance():
    for broken in COUNTS:
        values = [None if number < broken else P_MET for number in range(CRITERIA)]
        for policy in ("null", "skip", "worst"):
            assert reward_of(policy, values) is None or reward_of(policy, values) > 0.1
    assert sum(map(points_of, range(CRITERIA))) > 0
