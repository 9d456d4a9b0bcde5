"""Called as slime 624b824a8 and miles 31f1ca961 do (``async_rm`` and ``batched_async_rm`` of ``rollout/rm_hub``).

``SlimeSample`` has the members of ``slime.utils.types.Sample`` that a reward function sees.
"""

import importlib
import json
import shlex
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import yaml

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
    of_the_page,
    seconds_for,
    telling,
)
from tests.client.conftest import environment
from tests.trainers.page import added, example, examples
from tests.yardstick import PATIENCE_SECONDS

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


def arguments(url, fault=None, **more):
    """As argparse and ``--custom-config-path`` leave them."""
    usual = {"judge_url": url, "judge_rubric": RUBRIC, "judge_deadline_seconds": seconds_for(fault), "reward_key": None}
    return Namespace(**usual | {"group_rm": False} | more)


async def test_one_sample_gets_a_number(served, reward):
    url, judge = served
    sample = SlimeSample()
    assert await reward(arguments(url), sample) == pytest.approx(0.9)
    told = sample.metadata["judge_result"]
    assert told.pop("judgment").startswith("jdg_")
    assert told == {"judge_failed": 0.0, "judge_coverage": 1.0, "failure": None}
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
        await reward(arguments(served[0], fault), sample)
    assert await reward(arguments(served[0], fault, judge_on_failure=0.25), sample) == 0.25
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


def commanded(page):
    """The page's arguments as slime's own parser takes them: the ones of rewards."""
    (command,) = [block for block in examples(page, "sh") if "train.py" in block]
    parser = ArgumentParser()
    for flag in ("--rm-type", "--rm-url", "--reward-key", "--custom-rm-path", "--input-key", "--label-key"):
        parser.add_argument(flag)
    parser.add_argument("--group-rm", action="store_true")
    words = shlex.split(command, comments=True)
    exported = dict(word.split("=", 1) for word in words if word.startswith("JUDGE_"))
    return parser.parse_known_args(words)[0], exported


async def test_the_function_of_the_page_rewards_a_sample(served, reward):
    """slime and miles import it by its path."""
    (line,) = added(example("slime", "diff", {"--custom-rm-path": "--custom-rm-path"}))
    module, _, name = shlex.split(line.rstrip("\\"))[1].rpartition(".")
    found = await getattr(importlib.import_module(module), name)(arguments(served[0]), SlimeSample())
    assert found == pytest.approx(0.9)


def test_the_url_of_the_page_answers_what_slime_takes_out_of_it(served):
    """As ``remote_rm`` asks; slime reads ``reward[args.reward_key]``."""
    args, _ = commanded("slime")
    assert args.rm_type == "remote_rm"
    for line in examples("slime", "json")[0].splitlines():
        row = json.loads(line)
        told = {"prompt": row[args.input_key], "response": GOOD + END, "label": row[args.label_key]}
        answer = httpx.post(
            args.rm_url.replace("http://127.0.0.1:8000", served[0]), json=told, timeout=PATIENCE_SECONDS
        )
        assert answer.status_code == 200
        assert answer.json()[args.reward_key] == pytest.approx(of_the_page(served[0]))


async def test_the_configuration_file_of_the_page_is_read(served):
    (told,) = examples("slime", "yaml")
    config = yaml.safe_load(told) | {"judge_url": served[0]}
    assert set(config) == {"judge_url", "judge_rubric", "judge_on_failure", "judge_deadline_seconds"}
    found = await slime.reward(Namespace(**config, reward_key=None, group_rm=False), SlimeSample())
    assert found == pytest.approx(of_the_page(served[0]))


async def test_the_command_of_miles_page_rewards_a_group(served):
    args, exported = commanded("miles")
    module, _, name = args.custom_rm_path.rpartition(".")
    with environment(**exported | {"JUDGE_URL": served[0]}):
        found = await getattr(importlib.import_module(module), name)(args, [SlimeSample(), SlimeSample()])
    assert args.group_rm
    assert found == pytest.approx([of_the_page(served[0])] * 2)
