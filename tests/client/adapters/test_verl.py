"""The function alone, called as verl 0.9.1 does (``experimental/reward_loop/reward_manager/naive.py``).

verl's own reward loop runs in tests/trainers/test_verl.py.
"""

import pytest

from judge_client import BadConfiguration, JudgeFailed
from judge_client.adapters.verl import compute_score
from judge_client.errors import UnknownRubric
from tests.client.adapters.telling import FAILING, GOOD, MESSAGES, QUESTION, settings, telling


@pytest.fixture(scope="module")
def served():
    with telling() as (url, judge):
        yield url, judge


async def score(url, response=GOOD, extra_info=None, fault=None, **more):
    told = {"raw_prompt": MESSAGES, "num_turns": 2, "rollout_reward_scores": {}} | (extra_info or {})
    return await compute_score(
        data_source="x", solution_str=response, ground_truth="", extra_info=told, **settings(url, fault, **more)
    )


async def test_the_judge_reads_the_conversation_of_the_agent_loop(served):
    url, judge = served
    assert await score(url) == pytest.approx({"score": 0.9, "judge_failed": 0.0, "judge_coverage": 1.0})
    assert QUESTION in str(judge.bodies[-1])


@pytest.mark.parametrize("fault", FAILING)
async def test_a_failed_judge_raises_or_is_the_number_under_the_same_names(served, fault):
    url, _ = served
    with pytest.raises(JudgeFailed):
        await score(url, FAILING[fault], fault=fault)
    failed = await score(url, FAILING[fault], fault=fault, on_failure=0.25, criteria=["kind"])
    well = await score(url, on_failure=0.25, criteria=["kind"])
    assert list(failed) == list(well)
    assert failed == {"score": 0.25, "judge_failed": 1.0, "judge_coverage": None, "criterion/kind": None}


async def test_a_server_that_nobody_reached_stops_the_run_whatever_the_policy():
    with pytest.raises(JudgeFailed, match="server_unreachable"):
        await score("http://127.0.0.1:9", on_failure=0.25)


@pytest.mark.parametrize("policy", ["drop", "neutral"])
async def test_what_verl_cannot_bear_is_refused(served, policy):
    with pytest.raises(BadConfiguration, match=rf"verl cannot bear {policy}\. Choose raise or a number"):
        await score(served[0], on_failure=policy)


async def test_a_misspelt_rubric_stops_the_run_whatever_the_policy(served):
    with pytest.raises(UnknownRubric):
        await score(served[0], on_failure=0, rubric="medical/consultatoin")


async def test_a_misspelt_setting_is_an_error(served):
    with pytest.raises(BadConfiguration, match="Did you mean rubric"):
        await score(served[0], rubrik="a/b")


async def test_a_row_brings_its_own_rubric(served):
    whole = settings("")["rubric"] | {"id": "test/other"}
    shown = await score(served[0], extra_info={"rubric": whole}, rubric=None)
    assert shown["score"] == pytest.approx(0.9)
