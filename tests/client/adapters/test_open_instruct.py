"""Called as open-instruct does at e6c3044a (``open_instruct/ground_truth_utils.py``): ``build_all_verifiers`` makes one
of each direct subclass, ``apply_verifiable_reward`` gathers their answers and adds them up.
"""

import asyncio
import importlib
import json
import pickle
import shlex
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass

import pytest

from judge_client import BadConfiguration, JudgeFailed
from judge_client.errors import UnknownRubric
from tests.client.adapters.foreign import importable
from tests.client.adapters.telling import (
    END,
    FAILING,
    GOOD,
    QUESTION,
    RENDERED,
    RUBRIC,
    of_the_page,
    seconds_for,
    telling,
)
from tests.client.conftest import environment
from tests.trainers.page import examples


class VerifierConfig:
    pass


@dataclass
class VerificationResult:
    score: float
    cost: float = 0.0
    reasoning: str | None = None


class VerifierFunction(ABC):
    def __init__(self, name, weight=1.0, verifier_config=None):
        self.name = name
        self.weight = weight
        self.verifier_config = verifier_config

    @abstractmethod
    def __call__(self, tokenized_prediction, prediction, label, query=None, rollout_state=None): ...


UTILITIES = "open_instruct.ground_truth_utils"
OPEN_INSTRUCT = {
    UTILITIES: {
        "VerifierConfig": VerifierConfig,
        "VerificationResult": VerificationResult,
        "VerifierFunction": VerifierFunction,
    }
}
LABEL = json.dumps({"reference": "Rest.", "rubric": RUBRIC})


@pytest.fixture(scope="module")
def built():
    """What ``build_all_verifiers`` finds after the page's line."""
    (line,) = examples("open-instruct", "python")
    with importable(OPEN_INSTRUCT):
        exec(line)
        yield {kind: lambda kind=kind: kind(VerifierConfig()) for kind in VerifierFunction.__subclasses__()}
        del sys.modules["judge_client.adapters.open_instruct"]


@pytest.fixture(scope="module")
def verifier(built):
    (made,) = built.values()
    return made


@pytest.fixture(scope="module")
def served():
    with telling() as (url, judge):
        yield url, judge


def around(served, fault=None, **more):
    return environment(JUDGE_URL=served[0], JUDGE_DEADLINE_SECONDS=str(seconds_for(fault)), **more)


async def summed(verifier, predictions, label=LABEL, query=f"user: {QUESTION}"):
    """One call for each prediction, all at once; weights and what is added up as there."""
    calls = [
        verifier.async_call(tokenized_prediction=[1], prediction=one, label=label, query=query, rollout_state=None)
        for one in predictions
    ]
    return [10.0 * result.score * verifier.weight for result in await asyncio.gather(*calls)]


def test_importing_the_adapter_adds_a_verifier(verifier, served):
    with around(served):
        found = verifier()

    assert found.name == "judge_server"
    assert found.weight == 1.0


async def test_predictions_are_scored(verifier, served):
    with around(served):
        assert await summed(verifier(), [GOOD, f"Sit down.{END}"]) == pytest.approx([9.0, 9.0])

    assert QUESTION in str(served[1].bodies[-1])


async def test_a_rendered_query_is_taken_apart(verifier, served):
    with around(served):
        assert await summed(verifier(), [f"Stay in bed.{END}"], query=RENDERED) == pytest.approx([9.0])

    assert "im_start" not in str(served[1].bodies[-1])


def test_the_blocking_call_says_the_same(verifier, served):
    with around(served):
        assert verifier()([1], GOOD, LABEL, QUESTION).score == pytest.approx(0.9)


@pytest.mark.parametrize("fault", FAILING)
async def test_a_failed_judge_ends_training(verifier, served, fault):
    with around(served, fault), pytest.raises(JudgeFailed):
        await summed(verifier(), [GOOD, FAILING[fault]])


@pytest.mark.parametrize("fault", FAILING)
async def test_a_number_that_was_chosen_is_the_score_with_the_reason_beside_it(verifier, served, fault):
    with around(served, fault, JUDGE_ON_FAILURE="0.25"):
        result = await verifier().async_call([1], FAILING[fault], LABEL, QUESTION)

    assert result.score == 0.25
    assert result.reasoning.startswith("No reward (")


@pytest.mark.parametrize("policy", ["drop", "neutral"])
def test_what_open_instruct_cannot_bear_is_refused_at_once(verifier, served, policy):
    with around(served, JUDGE_ON_FAILURE=policy), pytest.raises(BadConfiguration, match=f"cannot bear {policy}"):
        verifier()


async def test_a_rubric_that_the_server_does_not_know_is_raised(verifier, served):
    with around(served, JUDGE_RUBRIC="medical/consultatoin", JUDGE_ON_FAILURE="0.25"), pytest.raises(UnknownRubric):
        await summed(verifier(), [GOOD], label="Rest.")


def test_the_module_is_the_one_of_the_page(built):
    assert importlib.import_module(UTILITIES).VerifierFunction is VerifierFunction


async def test_the_row_and_the_settings_of_the_page_give_a_score(verifier, served):
    """``rlvr_tokenize_v3`` writes the messages as lines of role and content; the verifier is found by ``dataset``."""
    row = json.loads(examples("open-instruct", "json")[0])
    (command,) = [block for block in examples("open-instruct", "sh") if "grpo_fast" in block]
    exported = dict(word.split("=", 1) for word in shlex.split(command) if word.startswith("JUDGE_"))
    with environment(**exported | {"JUDGE_URL": served[0]}):
        found = verifier()
        query = "\n".join(f"{message['role']}: {message['content']}" for message in row["messages"])
        scores = await summed(found, [GOOD], label=row["ground_truth"], query=query)

    assert row["dataset"] == found.name.lower()
    assert scores == pytest.approx([10 * of_the_page(served[0])])


async def test_a_verifier_that_ray_carries_elsewhere_keeps_the_settings_of_where_it_was_made(verifier, served):
    with around(served):
        carried = pickle.loads(pickle.dumps(verifier()))

    assert await summed(carried, [GOOD]) == pytest.approx([9.0])
