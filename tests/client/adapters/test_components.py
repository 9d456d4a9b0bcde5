"""Components of a rubric as rewards of their own: TRL's several reward functions, and verl's GDPO keys."""

import pickle

import pytest

from judge_client import BadConfiguration, JudgeFailed
from judge_client.adapters.trl_components import component_rewards
from judge_client.adapters.verl import compute_score
from tests.client.adapters.telling import FAILING, GOOD, MESSAGES, RUBRIC, telling

TAGGED = RUBRIC | {
    "id": "test/tagged",
    "criteria": [
        {"id": "kind", "statement": "Is kind.", "points": 1, "tags": ["tone"]},
        {
            "id": "water",
            "kind": "check",
            "statement": "Names water.",
            "points": 3,
            "tags": ["content"],
            "check": {"kind": "contains", "any": ["water"]},
        },
    ],
}
PROMPTS = [MESSAGES, MESSAGES]


@pytest.fixture(scope="module")
def served():
    with telling() as (url, judge):
        yield url, judge


def rewards(url, components=("tone", "content", "kind"), **more):
    return component_rewards(TAGGED, components, url=url, attempts=1, **more)


def asked(judge):
    return sum("[BEGIN RESPONSE" in str(body) for body in judge.bodies)


def test_each_component_is_a_reward_function_with_a_name_of_its_own(served):
    url, judge = served
    functions, before, completions = rewards(url), asked(judge), [GOOD, f"{GOOD} Drink water."]

    given = {one.__name__: one(PROMPTS, completions) for one in functions}

    assert given["test/tagged/tone"] == pytest.approx([0.9, 0.9])
    assert given["test/tagged/content"] == [0.0, 1.0]
    assert given["test/tagged/kind"] == given["test/tagged/tone"]
    assert asked(judge) - before == 2


def test_the_next_batch_is_judged_anew(served):
    (content,) = rewards(served[0], ["content"])
    assert content(PROMPTS, [GOOD, GOOD]) == [0.0, 0.0]
    assert content(PROMPTS, [f"{GOOD} And water.", GOOD]) == [1.0, 0.0]


def test_a_failed_judge_leaves_no_component_or_the_policy_s_number(served):
    completions = [GOOD, FAILING["garbage"]]
    tone, content = rewards(served[0], ["tone", "content"], on_failure="drop")
    assert tone(PROMPTS, completions) == [pytest.approx(0.9), None]
    assert content(PROMPTS, completions) == [0.0, 0.0]
    (number,) = rewards(served[0], ["tone"], on_failure=-1)
    assert number(PROMPTS, completions) == [pytest.approx(0.9), -1.0]


def test_a_component_that_the_rubric_does_not_have_is_refused_with_those_it_has(served):
    (wrong,) = rewards(served[0], ["tome"])
    with pytest.raises(BadConfiguration, match="Choose of content, kind, tone, water"):
        wrong(PROMPTS, [GOOD, GOOD])
    with pytest.raises(BadConfiguration, match="component_rewards"):
        component_rewards(TAGGED, "tone")


def test_component_rewards_can_be_pickled_and_still_share_a_judgment(served):
    first, second = pickle.loads(pickle.dumps(rewards(served[0], ["tone", "kind"])))
    assert first.judged is second.judged
    assert first(PROMPTS, [GOOD, GOOD]) == pytest.approx([0.9, 0.9])


async def verl(url, response=GOOD, **more):
    given = {"extra_info": {"raw_prompt": MESSAGES}, "rubric": TAGGED, "url": url, "attempts": 1}
    return await compute_score("x", response, "", **given | more)


async def test_verl_gets_components_under_the_keys_of_its_gdpo(served):
    shown = await verl(served[0], f"{GOOD} Water.", components=["tone", "content"])
    assert (shown["component/tone"], shown["component/content"]) == (pytest.approx(0.9), 1.0)


async def test_verl_never_gets_a_component_without_a_number(served):
    fault = FAILING["garbage"]
    await verl(served[0])
    shown = await verl(served[0], fault, components=["tone"], on_failure=0.25)
    assert shown["component/tone"] == 0.25
    skipping = TAGGED | {"missing": {"policy": "skip", "min_coverage": 0.5}}
    with pytest.raises(JudgeFailed, match="verdict: required"):
        await verl(served[0], fault, components=["tone"], rubric=skipping)
