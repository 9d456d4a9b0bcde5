"""Called as EasyR1 b44b311 does (``verl/workers/reward/function.py``: ``AutoRewardManager``, reward type batch)."""

import importlib.util
import json
import subprocess
import sys
from functools import partial

import pytest

from judge_client import BadConfiguration, BadSample, JudgeFailed
from judge_client.adapters import easyr1
from tests.client.adapters.telling import ANSWERED, FAILING, GOOD, QUESTION, settings, telling
from tests.trainers.page import examples


@pytest.fixture(scope="module")
def served():
    with telling() as (url, _):
        yield url


def loaded(**kwargs):
    """The file, run by its path as EasyR1 runs it."""
    specification = importlib.util.spec_from_file_location("custom_reward_fn", easyr1.__file__)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert module.REWARD_TYPE == "batch"
    return partial(module.main, **kwargs)


def given(response, prompt=QUESTION):
    return {"response": response, "response_length": 9, "ground_truth": {"prompt": prompt, "reference": "Rest."}}


def test_every_response_gets_an_overall_score(served):
    found = loaded(**settings(served))([given(GOOD), given(GOOD)])
    assert [one["overall"] for one in found] == pytest.approx([0.9, 0.9])
    assert found[0] == pytest.approx(
        {"overall": 0.9, "judge_failed": 0.0, "judge_coverage": 1.0, "criterion/kind": 0.9}
    )


@pytest.mark.parametrize("fault", ANSWERED)
def test_a_failed_judge_raises_or_is_what_was_chosen(served, fault):
    batch = [given(GOOD), given(ANSWERED[fault])]
    with pytest.raises(JudgeFailed):
        loaded(**settings(served))(batch)
    numbers = loaded(**settings(served, on_failure=-1))(batch)
    assert [one["overall"] for one in numbers] == pytest.approx([0.9, -1.0])
    assert [one["judge_failed"] for one in numbers] == [0.0, 1.0]
    neutral = loaded(**settings(served, on_failure="neutral"))(batch)
    assert [one["overall"] for one in neutral] == pytest.approx([0.9, 0.9])


def test_neutral_takes_no_mean_of_another_prompt(served):
    with pytest.raises(JudgeFailed):
        loaded(**settings(served, on_failure="neutral"))([given(GOOD), given(FAILING["garbage"], "Another prompt.")])


def test_drop_is_refused(served):
    with pytest.raises(BadConfiguration, match="EasyR1 cannot bear drop"):
        loaded(**settings(served, on_failure="drop"))([given(GOOD)])


def test_a_ground_truth_without_prompt_names_the_remedy(served):
    with pytest.raises(BadSample, match="The sample has no prompt"):
        loaded(**settings(served))([{"response": GOOD, "response_length": 9, "ground_truth": "Rest."}])


def test_the_page_s_rows_are_what_the_function_takes(served, tmp_path):
    (program,) = examples("easyr1", "python")
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    rows = [json.loads(line) for line in (tmp_path / "prompts.jsonl").read_text().splitlines()]
    batch = [{"response": GOOD, "response_length": 9, "ground_truth": row["answer"]} for row in rows]
    assert [one["overall"] for one in loaded(**settings(served))(batch)] == pytest.approx([0.9, 0.9])


def test_the_page_s_command_prints_the_file_and_the_function():
    (command,) = [block for block in examples("easyr1", "sh") if block.startswith("python -c")]
    told = subprocess.run(
        ["bash", "-euc", command.replace("python", sys.executable, 1)], check=True, capture_output=True, text=True
    )
    path, _, name = told.stdout.strip().rpartition(":")
    assert (path, name) == (easyr1.__file__, "main")
