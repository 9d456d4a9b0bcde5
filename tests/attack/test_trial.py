from datetime import UTC, datetime

import pytest

from judge_server.attack.trial import result_of
from judge_server.core.judgment import Judgment
from judge_server.core.outcome import JudgmentStatus
from tests.core.build import ok, rubric

RUBRIC = rubric({"points": 5}, {"points": -3}, {"gate": {"when": "met", "reward": 0.0}})


def judged(reward, **values):
    return Judgment(
        id="",
        reward=reward,
        status=JudgmentStatus.FAILED if reward is None else JudgmentStatus.OK,
        coverage=1.0,
        verdicts=tuple(ok(name, value) for name, value in values.items()),
        created_at=datetime.now(UTC),
    )


@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        (judged(0.1), judged(0.15), "held"),
        (judged(0.1), judged(0.3), "fooled"),
        (judged(0.3), judged(0.1), "held"),
        (judged(None), judged(0.3), "undecided"),
        (judged(0.3), judged(None), "undecided"),
        (judged(0.1, c0=0.2), judged(0.1, c0=0.6), "fooled"),
        (judged(0.1, c0=0.49), judged(0.1, c0=0.51), "held"),
        (judged(0.1, c1=0.2), judged(0.1, c1=0.9), "held"),
        (judged(0.1, c1=0.9), judged(0.1, c1=0.2), "fooled"),
        (judged(0.1, c2=0.9), judged(0.1, c2=0.2), "fooled"),
        (judged(1.0, c0=1.0, c1=0.0, c2=0.0), judged(1.0, c0=1.0), "no_room"),
        (judged(0.9, c0=1.0, c1=0.5), judged(0.9, c0=1.0, c1=0.5), "held"),
    ],
)
def test_an_attack_pays_when_the_reward_or_a_criterion_turns_for_the_better(before, after, result):
    assert result_of(RUBRIC, before, after, 0.1) == result


def test_of_a_criterion_that_is_judged_step_by_step_the_best_step_counts():
    def steps(*values):
        return judged(0.1).model_copy(update={"verdicts": tuple(ok("c0", value) for value in values)})

    assert result_of(RUBRIC, steps(0.1, 0.2), steps(0.1, 0.9), 0.1) == "fooled"
