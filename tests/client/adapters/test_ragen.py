"""Called as RAGEN does at 5eb79b82 (``ragen/llm_agent/es_manager.py``: environments made by type and configuration,
``reset`` with a seed and a mode, ``render``, ``step``; numbers of ``info`` become metrics).
"""

import importlib
import json
import sys

import pytest

from judge_client import BadConfiguration, JudgeFailed
from judge_client.errors import UnknownRubric
from tests.client.adapters.foreign import importable
from tests.client.adapters.telling import FAILING, GOOD, QUESTION, settings, telling
from tests.trainers.page import examples


class BaseLanguageBasedEnv:
    pass


ENVIRONMENTS: dict[str, type] = {}
CONFIGURATIONS: dict[str, type] = {}
RAGEN = {
    "ragen.env": {"REGISTERED_ENVS": ENVIRONMENTS, "REGISTERED_ENV_CONFIGS": CONFIGURATIONS},
    "ragen.env.base": {"BaseLanguageBasedEnv": BaseLanguageBasedEnv},
}
ROWS = [{"prompt": QUESTION, "reference": "Rest."}, {"prompt": "My child has a fever.", "facts": {"age": 4}}]


@pytest.fixture(scope="module")
def registered():
    """After the line of the page."""
    with importable(RAGEN):
        exec(examples("ragen", "python")[0])
        yield importlib.import_module("judge_client.adapters.ragen")
        del sys.modules["judge_client.adapters.ragen"]


@pytest.fixture(scope="module")
def served():
    with telling() as (url, judge):
        yield url, judge


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    file = tmp_path_factory.mktemp("ragen") / "questions.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in ROWS))
    return str(file)


def made(dataset, **given):
    return ENVIRONMENTS["rubric"](CONFIGURATIONS["rubric"](dataset=dataset, settings=given))


def played(env, answer, seed=1):
    env.reset(seed=seed, mode="train")
    question = env.render()
    _, reward, done, info = env.step(answer)
    return question, reward, done, {name: float(value) for name, value in info.items()}


def test_an_answer_is_judged_and_ends_the_episode(registered, served, dataset):
    question, reward, done, info = played(made(dataset, **settings(served[0])), GOOD)

    assert question in {row["prompt"] for row in ROWS}
    assert (reward, done) == (pytest.approx(0.9), True)
    assert info["success"] == info["action_is_valid"] == 1.0
    assert info["judge/criterion/kind"] == pytest.approx(0.9)
    assert info["judge/judge_failed"] == 0.0


def test_the_environments_of_a_group_ask_the_same_question(registered, served, dataset):
    first, second = (made(dataset, **settings(served[0])) for _ in range(2))

    assert [first.reset(seed=seed) for seed in range(20)] == [second.reset(seed=seed) for seed in range(20)]
    assert len({first.reset(seed=seed) for seed in range(20)}) == 2


@pytest.mark.parametrize("fault", FAILING)
def test_a_failed_judge_raises_unless_a_number_is_chosen(registered, served, dataset, fault):
    with pytest.raises(JudgeFailed):
        played(made(dataset, **settings(served[0])), FAILING[fault])

    _, reward, _, info = played(made(dataset, **settings(served[0], on_failure=0.25)), FAILING[fault])

    assert reward == 0.25
    assert (info["judge/judge_failed"], info["judge/judge_substituted"], info["success"]) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize("policy", ["drop", "neutral"])
def test_what_ragen_cannot_bear_is_refused_at_once(registered, dataset, policy):
    with pytest.raises(BadConfiguration, match=f"RAGEN cannot bear {policy}. Choose raise or a number"):
        made(dataset, on_failure=policy)


def test_a_rubric_that_the_server_does_not_know_is_raised(registered, served, dataset):
    with pytest.raises(UnknownRubric):
        played(made(dataset, **settings(served[0], rubric="medical/consultatoin", on_failure=0.25)), GOOD)


def test_a_file_without_questions_is_told(registered, tmp_path):
    (tmp_path / "none.jsonl").write_text("\n")

    with pytest.raises(BadConfiguration, match="is empty"):
        made(str(tmp_path / "none.jsonl")).reset(seed=1)
