"""Called as slime 624b824a8 and miles 31f1ca961 do (``async_rm`` and ``batched_async_rm`` of ``rollout/rm_hub``).

``SlimeSample`` has the members of ``slime.utils.types.Sample`` that a reward function sees.
"""

from argparse import Namespace
from dataclasses import dataclass, field
from typing import Any

import pytest

from judge_client import BadConfiguration, JudgeFailed
from judge_client.adapters import miles, slime
from tests.client.adapters.telling import (
    END,
    FAILING,
    GOOD,
    MESSAGES,
    QUESTION,
    RENDERED,
    RUBRIC,
    UNUSABLE,
    telling,
)

TRAINERS = {"slime": slime.reward, "miles": miles.reward}


@dataclass
class SlimeSample:
    prompt: Any = RENDERED
    response: str = GOOD + END
    label: Any = None
    reward: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def served():
    with telling() as (url, judge):
        yield url, judge


@pytest.fixture(params=TRAINERS)
def reward(request):
    return TRAINERS[request.param]


def arguments(url, **more):
    """As argparse and ``--custom-config-path`` leave them."""
    usual = {"judge_url": url, "judge_rubric": RUBRIC, "judge_deadline_seconds": 1.5, "reward_key": None}
    return Namespace(**usual | {"group_rm": False} | more)


async def test_one_sample_gets_a_number(served, reward):
    url, judge = served
    sample = SlimeSample()
    assert await reward(arguments(url), sample) == pytest.approx(0.9)
    assert sample.metadata["judge_result"] == {"judge_failed": 0.0, "judge_coverage": 1.0, "failure": None}
    assert QUESTION in str(judge.bodies[-1])
    assert "im_start" not in str(judge.bodies[-1])


async def test_prompts_may_be_messages(served, reward):
    assert await reward(arguments(served[0]), SlimeSample(prompt=MESSAGES)) == pytest.approx(0.9)


async def test_a_reward_key_gets_an_object(served, reward):
    found = await reward(arguments(served[0], reward_key="quality"), SlimeSample())
    assert found == {"quality": pytest.approx(0.9), "judge_failed": 0.0, "judge_coverage": 1.0}


async def test_a_group_gets_a_list_in_order(served, reward):
    group = [SlimeSample(), SlimeSample(response=FAILING["garbage"] + END), SlimeSample()]
    found = await reward(arguments(served[0], group_rm=True, judge_on_failure=-1), group)
    assert found == pytest.approx([0.9, -1.0, 0.9])
    assert [sample.metadata["judge_result"]["judge_failed"] for sample in group] == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("fault", FAILING)
async def test_a_failed_judge_raises_unless_a_number_is_chosen(served, reward, fault):
    sample = SlimeSample(response=FAILING[fault] + END)
    with pytest.raises(JudgeFailed):
        await reward(arguments(served[0]), sample)
    assert await reward(arguments(served[0], judge_on_failure=0.25), sample) == 0.25
    assert sample.metadata["judge_result"]["failure"] == UNUSABLE[fault]


async def test_neutral_is_the_mean_of_the_group(served, reward):
    group = [SlimeSample(), SlimeSample(response=FAILING["unavailable"] + END)]
    found = await reward(arguments(served[0], group_rm=True, judge_on_failure="neutral"), group)
    assert found == pytest.approx([0.9, 0.9])


async def test_a_group_without_any_reward_has_no_mean(served, reward):
    with pytest.raises(JudgeFailed, match="mean"):
        await reward(
            arguments(served[0], group_rm=True, judge_on_failure="neutral"), [SlimeSample(response=FAILING["garbage"])]
        )


@pytest.mark.parametrize(("policy", "group_rm"), [("drop", False), ("neutral", False), ("drop", True)])
async def test_what_the_trainer_cannot_bear_is_refused(served, reward, policy, group_rm):
    with pytest.raises(BadConfiguration, match=f"cannot bear {policy}"):
        await reward(arguments(served[0], group_rm=group_rm, judge_on_failure=policy), SlimeSample())


async def test_metadata_and_label_say_what_a_row_needs(served, reward):
    other = RUBRIC | {"id": "test/other"}
    by_metadata = SlimeSample(metadata={"rubric": other})
    by_label = SlimeSample(label={"rubric": other, "reference": "Rest."})
    for sample in (by_metadata, by_label):
        assert await reward(arguments(served[0], judge_rubric=None), sample) == pytest.approx(0.9)
