"""The file that ``--reward.remote_url`` names, called as OpenRLHF 0.11.2 does; its own client is in tests/trainers."""

import importlib.util

import pytest

from judge_client import BadConfiguration, Client, JudgeFailed
from judge_client.adapters import openrlhf
from judge_client.errors import UnknownRubric
from tests.client.adapters.telling import FAILING, GOOD, QUESTION, RENDERED, RUBRIC, seconds_for, telling
from tests.client.conftest import environment


@pytest.fixture(scope="module")
def served():
    with telling() as (url, judge):
        yield url, judge


def loaded():
    """As OpenRLHF loads it: a file, run under this name."""
    specification = importlib.util.spec_from_file_location("reward_func", openrlhf.__file__)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.reward_func


def test_its_path_can_be_asked_for_without_any_setting():
    assert openrlhf.__file__.endswith("openrlhf.py")


def test_a_run_without_a_chosen_number_ends_when_the_file_is_loaded():
    with pytest.raises(BadConfiguration, match=r"OpenRLHF cannot bear raise\. Choose a number \(JUDGE_ON_FAILURE\)"):
        loaded()
    with environment(JUDGE_ON_FAILURE="drop"), pytest.raises(BadConfiguration, match="cannot bear drop"):
        loaded()


def test_rewards_and_faults_come_as_finite_numbers(served):
    url, judge = served
    found = []
    for fault, response in {None: GOOD, **FAILING}.items():
        seconds = str(seconds_for(fault))
        with environment(JUDGE_URL=url, JUDGE_ON_FAILURE="-0.5", JUDGE_DEADLINE_SECONDS=seconds):
            query = [f"{RENDERED}{response}<|im_end|>"]
            found.append(loaded()(query, prompts=[RENDERED], labels=[{"rubric": RUBRIC}]))
    assert [one["rewards"] for one in found] == [[pytest.approx(0.9)], [-0.5], [-0.5], [-0.5]]
    assert all(one["scores"] == one["rewards"] for one in found)
    assert [one["extra_logs"]["judge_failed"] for one in found] == [[0.0], [1.0], [1.0], [1.0]]
    assert {tuple(one["extra_logs"]) for one in found} == {("judge_failed", "judge_coverage")}
    assert any(QUESTION in str(body) for body in judge.bodies)  # beside those of the start
    assert not any("im_start" in str(body) for body in judge.bodies)


def test_a_server_that_nobody_reached_gives_no_number():
    """OpenRLHF makes a reward of None of the error, and stops later."""
    told = {"JUDGE_URL": "http://127.0.0.1:9", "JUDGE_ON_FAILURE": "-0.5", "JUDGE_PATIENCE_SECONDS": "0.3"}
    with environment(**told), pytest.raises(JudgeFailed, match="server_unreachable"):
        loaded()([RENDERED + GOOD], prompts=[RENDERED], labels=[{"rubric": RUBRIC}])


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ('{"reference": "x"', "envelope cannot be read"),
        ({"rubric": RUBRIC | {"criteria": [RUBRIC["criteria"][0] | {"reference": "required"}]}}, "reference"),
        ({"rubric": "medical/consultatoin"}, "Did you mean medical/consultation"),
    ],
)
def test_the_first_sample_gets_no_number_if_it_can_never_be_judged(served, label, told):
    """Also where an earlier run of the same URL had rewards, so that the server would answer the number."""
    with environment(JUDGE_URL=served[0], JUDGE_ON_FAILURE="-0.5"):
        loaded()([RENDERED + GOOD], prompts=[RENDERED], labels=[{"rubric": RUBRIC}])
        with pytest.raises(JudgeFailed, match=f"{told}.*No judgment has succeeded yet"):
            loaded()([RENDERED + GOOD], prompts=[RENDERED], labels=[label])


def test_the_run_of_the_environment_is_kept_with_the_judgment(served):
    with environment(JUDGE_URL=served[0], JUDGE_ON_FAILURE="-0.5", JUDGE_RUN="night-7"):
        loaded()([RENDERED + GOOD], prompts=[RENDERED], labels=[{"rubric": RUBRIC}])
    with Client(served[0]) as client:
        assert len(client.judgments(run="night-7").judgments) == 1


def test_a_misspelt_rubric_is_no_number(served):
    told = {"JUDGE_URL": served[0], "JUDGE_ON_FAILURE": "-0.5", "JUDGE_RUBRIC": "medical/consultatoin"}
    with environment(**told), pytest.raises(UnknownRubric):
        loaded()([RENDERED + GOOD], prompts=[RENDERED], labels=[""])
