"""Called as AReaL 1.0.4 does: a reward function through the process pool of ``AsyncRewardWrapper``
(``areal/api/reward_api.py``), an agent as ``experimental/openai/proxy/workflow.py`` runs one.

``pooled`` does what the wrapper does with a call: arguments and function are pickled, a spawned process runs them.
"""

import importlib
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import ClassVar

import pytest

from judge_client import BadConfiguration, JudgeFailed
from judge_client.adapters.areal import JudgedAgent, RubricReward, reward_fn
from tests.client.adapters.foreign import importable
from tests.client.adapters.telling import (
    END,
    FAILING,
    GOOD,
    MESSAGES,
    QUESTION,
    RENDERED,
    RUBRIC,
    of_the_page,
    settings,
    telling,
)
from tests.client.conftest import environment
from tests.stub_judge import StubJudge, text
from tests.trainers.page import added, example, examples
from tests.yardstick import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def served():
    with telling() as (url, judge):
        yield url, judge


@pytest.fixture(scope="module")
def pooled():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield lambda function, *args, **row: pool.submit(partial(function, *args, **row)).result(PATIENCE_SECONDS)


def within(url, fault=None, **more):
    """AReaL allows no deadline of more than 14 seconds."""
    told = settings(url, fault, **more)
    return told | {"deadline_seconds": min(told["deadline_seconds"], 14.0)}


def row(**more):
    """What ``RLVRWorkflow`` hands over: the data set's row by its columns."""
    return {"messages": MESSAGES, "answer": "Rest."} | more


def test_a_reward_comes_from_the_pool(served, pooled):
    reward = RubricReward(**within(served[0]))
    assert pooled(reward, RENDERED, GOOD + END, [1], [2], **row()) == pytest.approx(0.9)


def test_without_messages_the_decoded_prompt_is_taken_apart(served):
    url, judge = served
    reward = RubricReward(**within(url))
    assert reward(RENDERED, GOOD + END, [1], [2], answer="", rubric=RUBRIC | {"title": "T"}) == pytest.approx(0.9)
    assert QUESTION in str(judge.bodies[-1])
    assert "im_start" not in str(judge.bodies[-1])


def test_the_dotted_path_is_configured_by_the_environment(served):
    with environment(JUDGE_URL=served[0], JUDGE_DEADLINE_SECONDS="14"):
        assert reward_fn(RENDERED, GOOD + END, [1], [2], **row(rubric=RUBRIC), judge=None) == pytest.approx(0.9)


@pytest.mark.parametrize("fault", FAILING)
def test_a_failed_judge_raises_across_the_pool_unless_a_number_is_chosen(served, pooled, fault):
    with pytest.raises(JudgeFailed):
        pooled(RubricReward(**within(served[0], fault)), RENDERED, FAILING[fault] + END, [1], [2], **row())
    number = RubricReward(**within(served[0], fault, on_failure=0.25))
    assert pooled(number, RENDERED, FAILING[fault] + END, [1], [2], **row()) == 0.25


def test_the_judge_has_to_fail_before_areal_takes_0(served):
    assert RubricReward(url=served[0], rubric=RUBRIC).settings["deadline_seconds"] == 12.0
    with pytest.raises(BadConfiguration, match="AReaL waits 15 seconds and then takes 0, so 20 are too many"):
        RubricReward(deadline_seconds=20)


@pytest.mark.parametrize("policy", ["drop", "neutral"])
def test_what_areal_cannot_bear_is_refused_at_once(policy):
    for kind in (RubricReward, JudgedAgent):
        with pytest.raises(BadConfiguration, match=f"cannot bear {policy}"):
            kind("a/b", on_failure=policy)


async def test_an_agent_plays_a_turn_and_has_it_judged(served):
    agent = pickle.loads(pickle.dumps(JudgedAgent(sampling={"temperature": 0.5}, **settings(served[0]))))
    with StubJudge(lambda body: text(GOOD)) as policy:
        assert await agent.run(row(), base_url=policy.address, api_key="key", http_client=None) == pytest.approx(0.9)
    assert policy.bodies == [{"model": "default", "messages": MESSAGES, "temperature": 0.5}]
    assert policy.headers[0]["Authorization"] == "Bearer key"


async def test_the_agent_of_the_page_plays_a_turn_and_has_it_judged(served):
    """AREaL imports the workflow by its path and makes it with its arguments."""
    lines = added(example("areal", "diff", {"JudgedAgent": "JudgedAgent"}))
    given = eval(f"dict({' '.join(lines)})")
    module, _, name = given["workflow"].rpartition(".")
    with environment(JUDGE_URL=served[0]), StubJudge(lambda body: text(GOOD)) as policy:
        agent = getattr(importlib.import_module(module), name)(**given["workflow_kwargs"])
        reward = await agent.run(row(), base_url=policy.address)
    assert reward == pytest.approx(of_the_page(served[0]))
    assert policy.bodies[0]["temperature"] == 1.0


@pytest.mark.parametrize("fault", FAILING)
async def test_an_agent_whose_judge_failed_raises_so_that_areal_rejects_the_trajectory(served, fault):
    with StubJudge(lambda body: text(FAILING[fault])) as policy:
        with pytest.raises(JudgeFailed):
            await JudgedAgent(**settings(served[0], fault)).run(row(), base_url=policy.address)
        chosen = JudgedAgent(**settings(served[0], fault, on_failure=0.25))
        assert await chosen.run(row(), base_url=policy.address) == 0.25


class PPOTrainer:
    """Has one completion of each row rewarded, as ``RLVRWorkflow`` calls a function that it imports by its path."""

    rewards: ClassVar[list[float]] = []

    def __init__(self, config, *, train_dataset, valid_dataset):
        self.rows = train_dataset

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def train(self, *, workflow, eval_workflow, workflow_kwargs, eval_workflow_kwargs):
        assert workflow_kwargs == eval_workflow_kwargs
        module, _, name = workflow_kwargs["reward_fn"].rpartition(".")
        function = getattr(importlib.import_module(module), name)
        self.rewards.extend(function(RENDERED, GOOD + END, [1], [2], **row) for row in self.rows)


AREAL = {
    "areal": {"PPOTrainer": PPOTrainer},
    "areal.api.cli_args": {
        "GRPOConfig": object,
        "load_expr_config": lambda words, kind: (SimpleNamespace(gconfig=None, tokenizer_path="t"), ""),
    },
    "datasets": {"Dataset": SimpleNamespace(from_list=list)},
}


def test_the_program_of_the_page_has_its_rows_rewarded(served):
    with importable(AREAL), environment(JUDGE_URL=served[0]):
        exec(examples("areal", "python")[0], {})

    assert PPOTrainer.rewards == pytest.approx([of_the_page(served[0])] * 2)
