"""Called as rLLM 0.3 does at 9beb6e0f (``rllm/engine/agentflow_engine.py``: ``_finish_episode``; types as in
``rllm/types.py`` and ``rllm/eval/types.py``; ``rllm/eval/_resolution.py`` makes an evaluator of a class by its path).
"""

import asyncio
import importlib
import pickle
import sys
import tomllib
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from judge_client import BadConfiguration, JudgeFailed
from judge_client.errors import UnknownRubric
from tests.client.adapters.foreign import importable
from tests.client.adapters.telling import FAILING, GOOD, MESSAGES, QUESTION, RUBRIC, of_the_page, settings, telling
from tests.client.conftest import environment
from tests.stub_judge import StubJudge, text
from tests.trainers.page import example, examples


@dataclass
class Task:
    id: str
    instruction: Any
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass
class Step:
    output: Any = None
    model_response: str = ""
    chat_completions: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Trajectory:
    steps: list[Step] = field(default_factory=list)
    output: Any = None


@dataclass
class Episode:
    trajectories: list[Trajectory] = field(default_factory=list)
    artifacts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Signal:
    name: str
    value: float


@dataclass
class EvalOutput:
    reward: float
    is_correct: bool
    signals: list[Signal] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)


RLLM = {
    "rllm.types": {"Task": Task, "Episode": Episode},
    "rllm.eval.types": {"EvalOutput": EvalOutput, "Signal": Signal},
}


@pytest.fixture
def adapter():
    with importable(RLLM):
        yield importlib.import_module("judge_client.adapters.rllm")
        del sys.modules["judge_client.adapters.rllm"]


@pytest.fixture(scope="module")
def served():
    with telling() as (url, judge):
        yield url, judge


def recorded(response):
    """As the gateway's traces are written into an episode."""
    said = [*MESSAGES, {"role": "assistant", "content": response, "reasoning": None}]
    return Episode([Trajectory([Step(chat_completions=said)])])


TASK = Task("0", QUESTION, {"ground_truth": "Rest."})


def test_the_last_conversation_of_an_episode_is_judged_and_its_criteria_are_signals(adapter, served):
    url, judge = served

    output = adapter.RubricEvaluator(**settings(url)).evaluate(TASK, recorded(GOOD))

    assert output.reward == pytest.approx(0.9)
    assert output.is_correct is True
    assert {signal.name: signal.value for signal in output.signals}["judge/criterion/kind"] == pytest.approx(0.9)
    assert "Be kind." in str(judge.bodies[-1])


@pytest.mark.parametrize(
    "episode",
    [
        Episode([Trajectory(output=GOOD)]),
        Episode([Trajectory([Step(output=GOOD)])]),
        Episode([Trajectory([Step(model_response=GOOD)])]),
        Episode([Trajectory()], {"answer": GOOD}),
        Episode([], {"answer": GOOD}),
    ],
)
def test_without_traces_the_agents_own_text_is_judged(adapter, served, episode):
    output = adapter.RubricEvaluator(**settings(served[0])).evaluate(TASK, episode)

    assert output.reward == pytest.approx(0.9)


def test_a_row_of_an_older_evaluator_serves_as_well(adapter, served):
    evaluator = adapter.RubricEvaluator(correct_from=0.95, **settings(served[0]))

    output = evaluator.evaluate({"question": QUESTION, "facts": {"age": 4}}, Episode([Trajectory(output=GOOD)]))

    assert (output.reward, output.is_correct) == (pytest.approx(0.9), False)


def test_the_class_by_its_path_is_configured_by_the_environment(adapter, served):
    row = {"ground_truth": "Rest.", "rubric": RUBRIC}
    with environment(JUDGE_URL=served[0], JUDGE_DEADLINE_SECONDS="120"):
        output = adapter.RubricEvaluator().evaluate(Task("0", QUESTION, row), recorded(GOOD))

    assert output.reward == pytest.approx(0.9)


@pytest.mark.parametrize("fault", FAILING)
def test_a_failed_judge_raises_so_that_rllm_tries_again(adapter, served, fault):
    with pytest.raises(JudgeFailed):
        adapter.RubricEvaluator(**settings(served[0], fault)).evaluate(TASK, recorded(FAILING[fault]))


@pytest.mark.parametrize("fault", FAILING)
def test_a_number_that_was_chosen_is_the_reward_and_can_be_seen(adapter, served, fault):
    chosen = adapter.RubricEvaluator(**settings(served[0], fault, on_failure=0.25))

    output = chosen.evaluate(TASK, recorded(FAILING[fault]))

    signals = {signal.name: signal.value for signal in output.signals}
    assert output.reward == 0.25
    assert (signals["judge/judge_failed"], signals["judge/judge_substituted"]) == (1.0, 1.0)


@pytest.mark.parametrize("policy", ["drop", "neutral"])
def test_what_rllm_cannot_bear_is_refused_at_once(adapter, policy):
    with pytest.raises(BadConfiguration, match=f"rLLM cannot bear {policy}. Choose raise or a number"):
        adapter.RubricEvaluator("a/b", on_failure=policy)


def test_a_rubric_that_the_server_does_not_know_is_raised(adapter, served):
    misspelt = adapter.RubricEvaluator(**settings(served[0], rubric="medical/consultatoin", on_failure=0.25))

    with pytest.raises(UnknownRubric):
        misspelt.evaluate(TASK, recorded(GOOD))


def test_an_evaluator_that_is_sent_to_a_trainers_process_keeps_the_settings_of_where_it_was_made(adapter, served):
    with environment(JUDGE_URL=served[0], JUDGE_DEADLINE_SECONDS="120"):
        evaluator = adapter.RubricEvaluator(RUBRIC)

    sent = pickle.loads(pickle.dumps(evaluator))

    assert sent.evaluate(TASK, recorded(GOOD)).reward == pytest.approx(0.9)


class AgentTrainer:
    """Plays one episode of each row and has it scored, as ``AgentFlowEngine._run_single`` does."""

    def __init__(self, *, backend, agent_flow, evaluator, config, train_dataset):
        self.agent_flow, self.evaluator, self.config, self.rows = agent_flow, evaluator, config, train_dataset

    def train(self):
        outputs = [self.played(Task(str(place), row["question"], row)) for place, row in enumerate(self.rows)]
        self.config.outputs.extend(outputs)

    def played(self, task):
        asyncio.run(self.agent_flow(task, self.config))
        (said,) = self.config.policy.bodies[-1]["messages"]
        answer = {"role": "assistant", "content": GOOD}
        trace = Trajectory([Step(chat_completions=[said, answer], model_response=GOOD, output=GOOD)])
        return self.evaluator.evaluate(task, Episode([trace]))


PROGRAM = {
    "hydra": {"main": lambda **_told: lambda function: function},
    "rllm": {"rollout": lambda name: lambda function: function},
    "rllm.data.dataset": {"Dataset": list},
    "rllm.trainer": {"AgentTrainer": AgentTrainer},
}


def test_the_toml_of_the_page_names_an_evaluator(adapter, served):
    """``rllm/eval/_resolution.py`` makes one of ``module:Class``."""
    told = tomllib.loads(example("rllm", "toml", {"import_path": "import_path"}))
    module, _, name = told["verifier"]["import_path"].partition(":")
    with environment(JUDGE_URL=served[0], JUDGE_RUBRIC="medical/consultation"):
        evaluator = getattr(importlib.import_module(module), name)()
        output = evaluator.evaluate({"question": QUESTION}, recorded(GOOD))
    assert output.reward == pytest.approx(of_the_page(served[0]))


def test_the_example_of_the_page_plays_judged_episodes(served):
    found: dict[str, Any] = {"__name__": "train"}
    outputs: list[EvalOutput] = []
    types = {**RLLM["rllm.types"], "AgentConfig": SimpleNamespace}
    with StubJudge(lambda body: text(GOOD)) as policy, environment(JUDGE_URL=served[0]):
        config = SimpleNamespace(base_url=policy.address, model="m", policy=policy, outputs=outputs, rllm={})
        with importable({**RLLM, **PROGRAM, "rllm.types": types}):
            exec(examples("rllm", "python")[0], found)
            found["main"](config)
            del sys.modules["judge_client.adapters.rllm"]

    assert [output.reward for output in outputs] == pytest.approx([of_the_page(served[0])] * 2)
