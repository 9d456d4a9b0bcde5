"""Process rewards criterion by criterion: by hand, and against the server's own reckoning."""

from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_client.criterion_steps import criterion_step_rewards
from judge_client.judgment import Failure, Judgment, StepReward, Verdict
from judge_client.token_rewards import token_rewards
from judge_server.core import verdict as core
from judge_server.core.reward import step_rewards
from tests.scoring.assembly import rubric

SPANS = ((0, 10), (11, 16))


def judged(steps, *verdicts):
    """``verdicts``: criterion, points, and the value on each step."""
    made = tuple(
        Verdict(
            criterion=name,
            status="ok" if value is not None else "unusable",
            source="judge",
            points=points,
            step=step,
            value=value,
            span=SPANS[step],
        )
        for name, points, values in verdicts
        for step, value in enumerate(values)
    )
    return Judgment(id="jdg_1", reward=0.5, status="ok", coverage=1.0, verdicts=made, step_rewards=tuple(steps))


def test_the_parts_of_each_step_by_hand():
    """Step 0: (2·1 + 1·0.5 − 1·0.4) / 3 = 0.7; step 1: (0 + 0.5 − 1) / 3 = −1/6."""
    steps = (StepReward(0, 0.7, (0, 10)), StepReward(1, -1 / 6, (11, 16)))
    found = criterion_step_rewards(
        judged(steps, ("follows", 2.0, (1.0, 0.0)), ("names", 1.0, (0.5, 0.5)), ("hasty", -1.0, (0.4, 1.0)))
    )
    assert {name: [one.value for one in own] for name, own in found.items()} == {
        "follows": [pytest.approx(2 / 3), 0.0],
        "names": [pytest.approx(1 / 6), pytest.approx(1 / 6)],
        "hasty": [pytest.approx(-0.4 / 3), pytest.approx(-1 / 3)],
    }
    assert [fsum(own[step].value for own in found.values()) for step in (0, 1)] == pytest.approx([0.7, -1 / 6])
    assert [one.span for one in found["hasty"]] == list(SPANS)


def test_they_reach_the_tokens_as_step_rewards_do():
    steps = (StepReward(0, 0.5, (0, 10)), StepReward(1, -0.5, (11, 16)))
    found = criterion_step_rewards(judged(steps, ("good", 2.0, (0.5, 0.0)), ("hasty", -1.0, (0.5, 1.0))))
    words = [(0, 5), (5, 10), (10, 11), (11, 16)]
    assert token_rewards(found["good"], words).values == [0.0, 0.5, 0.0, 0.0]
    assert token_rewards(found["hasty"], words).values == [0.0, -0.25, 0.0, -0.5]


def test_a_step_without_a_reward_has_none_for_any_criterion_and_says_why():
    error = Failure(type="unusable_verdict", detail="No verdict.")
    steps = (StepReward(0, None, (0, 10), error=error), StepReward(1, 1.0, (11, 16)))
    found = criterion_step_rewards(judged(steps, ("a", 1.0, (None, 1.0)), ("b", 1.0, (1.0, 1.0))))
    assert [(one.value, one.error) for one in found["b"]] == [(None, error), (0.5, None)]


@given(
    st.lists(
        st.tuples(st.sampled_from((-3.0, -1.0, 0.5, 2.0)), st.tuples(st.floats(0, 1), st.floats(0, 1))),
        min_size=1,
        max_size=4,
    )
)
def test_the_parts_add_up_to_the_server_s_step_rewards(criteria):
    own = rubric(
        *(
            {"id": f"c{n}", "statement": f"Says {n}.", "points": points, "scope": "step"}
            for n, (points, _) in enumerate(criteria)
        )
    )
    verdicts = {
        leaf.id: [
            core.Verdict(criterion=leaf.id, status="ok", source="judge", points=leaf.points, value=value, met=value,
                         step=step, span=SPANS[step])
            for step, value in enumerate(values)
        ]
        for leaf, (_, values) in zip(own.leaves, criteria, strict=True)
    }  # fmt: skip
    expected = list(step_rewards(own, verdicts))
    steps = [StepReward(one.index, one.value, one.span) for one in expected]
    found = criterion_step_rewards(
        judged(steps, *((f"c{n}", points, values) for n, (points, values) in enumerate(criteria)))
    )
    for step, one in enumerate(expected):
        assert fsum(part[step].value for part in found.values()) == pytest.approx(one.value)
