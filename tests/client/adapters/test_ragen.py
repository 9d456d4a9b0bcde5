"""Called as RAGEN does at 5eb79b82 (``ragen/llm_agent/es_manager.py``: environments made by type and configuration,
``reset`` with a seed and a mode, ``render``, ``step``; numbers of ``info`` become metrics.
``ragen/llm_agent/ctx_manager.py``: a configuration of nothing but defaults, answers cut out of their tags).
"""

import importlib
import json
import re
import sys
from dataclasses import asdict

import pytest
import yaml

from judge_client import BadConfiguration, JudgeFailed
from judge_client.errors import UnknownRubric
from tests.client.adapters.foreign import importable
from tests.client.adapters.telling import FAILING, GOOD, QUESTION, RUBRIC, settings, telling
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


def actions_in(response, separator="||"):
    """``ContextManager._parse_response`` where thinking is on, which is the default."""
    found = re.search(r"<think>(.*?)</think>\s*<answer>(.*?)</answer>", response, re.DOTALL)
    return [one.strip() for one in found[2].split(separator) if one.strip()] if found else []


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
        played(made(dataset, **settings(served[0], fault)), FAILING[fault])

    _, reward, _, info = played(made(dataset, **settings(served[0], fault, on_failure=0.25)), FAILING[fault])

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


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"prompt": "a"}\n{"prompt": ', r"line 2 is no JSON: .* Write lines of"),
        ('{"prompt": "a", "facts": {"age": NaN}}', r"line 1 is no JSON: NaN is not JSON\. Write lines of"),
        ('{"question": "a"}', r"line 1 has no prompt\. Write lines of"),
        ('["a"]', r"line 1 has no prompt\. Write lines of"),
        (None, r"No such file.*Name a file of JSON lines"),
    ],
)
def test_a_file_that_holds_something_else_is_told(registered, tmp_path, text, told):
    if text is not None:
        (tmp_path / "rows.jsonl").write_text(text)

    with pytest.raises(BadConfiguration, match=told):
        made(str(tmp_path / "rows.jsonl"))


def test_ragen_reads_the_defaults_before_it_reads_the_configuration(registered):
    assert asdict(CONFIGURATIONS["rubric"]()) == {"dataset": "", "rubric": None, "success_from": 0.5, "settings": {}}


def test_an_environment_without_a_data_set_is_refused_when_it_is_made(registered):
    with pytest.raises(BadConfiguration, match="dataset"):
        made("")


def test_the_file_is_read_once_for_all_environments(registered, dataset):
    first, second = (made(dataset, rubric="a/b") for _ in range(2))

    assert first.rows is second.rows


def test_the_example_of_the_page_plays_an_episode(registered, served, tmp_path):
    """As ``_init_env_instances`` makes environments of ``custom_envs``, and ``_execute_actions`` steps them."""
    (tmp_path / "consultations.jsonl").write_text(examples("ragen", "json")[0])
    (told,) = yaml.safe_load(examples("ragen", "yaml")[0]).values()
    config = told["env_config"] | {"dataset": str(tmp_path / "consultations.jsonl"), "rubric": None}
    config["settings"] |= {"url": served[0], "rubric": RUBRIC}
    env = ENVIRONMENTS[told["env_type"]](CONFIGURATIONS[told["env_type"]](**config))
    env.reset(seed=7, mode="train")

    (action,) = actions_in(f"<think> Hm. </think> <answer> {GOOD} </answer>")[: told["max_actions_per_traj"]]
    _, reward, done, _ = env.step(action)

    assert (reward, done) == (pytest.approx(0.9), True)
    assert GOOD in str(served[1].bodies[-1])
    assert "Hm." not in str(served[1].bodies[-1])
