"""Called as torchforge does at 6e77f0b3 (``apps/grpo/main.py``: ``RewardActor.evaluate_response``): every function in
turn, with the rendered prompt, the response's text and the target; their mean is the reward. An exception of the
actor is what the caller gets in place of it (``src/forge/controller/service/replica.py``).
"""

import json
import pickle

import pytest
import torch

from judge_client import BadConfiguration, JudgeFailed
from judge_client.adapters.torchforge import RubricReward
from judge_client.errors import UnknownRubric
from tests.client.adapters.telling import END, FAILING, GOOD, QUESTION, RENDERED, RUBRIC, settings, telling
from tests.client.conftest import environment
from tests.trainers.page import examples


@pytest.fixture(scope="module")
def served():
    with telling() as (url, judge):
        yield url, judge


def evaluate(functions, response, target="Rest."):
    functions = pickle.loads(pickle.dumps(functions))  # the actor lives in a process of its own
    rewards = {one.__name__: one(RENDERED, response, target) for one in functions}
    return sum(rewards.values()) / len(rewards), rewards


def test_a_reward_among_others(served):
    mean, rewards = evaluate(
        [RubricReward(**settings(served[0])), RubricReward(name="other", **settings(served[0]))], GOOD
    )

    assert mean == pytest.approx(0.9)
    assert rewards.keys() == {"rubric", "other"}


def test_the_rendered_prompt_is_taken_apart(served):
    url, judge = served

    evaluate([RubricReward(**settings(url))], f"Stay in bed.{END}", json.dumps({"rubric": {**RUBRIC, "title": "T"}}))

    assert QUESTION in str(judge.bodies[-1])
    assert "im_start" not in str(judge.bodies[-1])


@pytest.mark.parametrize("fault", FAILING)
def test_a_failed_judge_raises_unless_a_number_is_chosen(served, fault):
    with pytest.raises(JudgeFailed):
        evaluate([RubricReward(**settings(served[0], fault))], FAILING[fault])
    assert evaluate([RubricReward(**settings(served[0], fault, on_failure=0.25))], FAILING[fault])[0] == 0.25


@pytest.mark.parametrize("policy", ["drop", "neutral"])
def test_what_torchforge_cannot_bear_is_refused_at_once(policy):
    with pytest.raises(BadConfiguration, match=f"torchforge cannot bear {policy}. Choose raise or a number"):
        RubricReward("a/b", on_failure=policy)


def test_a_rubric_that_the_server_does_not_know_is_raised(served):
    with pytest.raises(UnknownRubric):
        evaluate([RubricReward(**settings(served[0], rubric="medical/consultatoin", on_failure=0.25))], GOOD)


def test_the_example_of_the_page_is_a_list_of_functions(served):
    found = {}
    with environment(JUDGE_URL=served[0], JUDGE_DEADLINE_SECONDS="120"):
        exec(examples("torchforge", "python")[0], found)
        envelope = json.dumps({"rubric": RUBRIC})
        assert evaluate(found["reward_functions"], GOOD, envelope)[0] == pytest.approx(0.9)


def service(functions, response):
    """``Replica._process_single_request``: pickled out of the actor's process, an exception is set as the result."""
    try:
        return evaluate(functions, response)[0]
    except JudgeFailed as error:
        return pickle.loads(pickle.dumps(error))


def test_a_failed_judge_ends_the_rollout_thread_because_no_advantage_is_made_of_it(served):
    functions = [RubricReward(**settings(served[0]))]
    rewards = [service(functions, GOOD), service(functions, FAILING["unavailable"])]

    assert isinstance(rewards[1], JudgeFailed)
    with pytest.raises((TypeError, RuntimeError, ValueError)):
        torch.tensor([rewards])  # ComputeAdvantages.compute


def test_a_reward_that_is_sent_to_an_actor_keeps_the_settings_of_where_it_was_made(served):
    with environment(JUDGE_URL=served[0], JUDGE_DEADLINE_SECONDS="120"):
        functions = [RubricReward(RUBRIC)]

    assert evaluate(functions, GOOD)[0] == pytest.approx(0.9)
