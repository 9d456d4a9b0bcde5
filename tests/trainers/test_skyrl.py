"""Episodes of skyrl-gym, and what docs/trainers/skyrl.md says of them."""

import ast
import itertools
import json
from contextlib import ExitStack

import pytest

from tests.served import judged_by
from tests.stub_judge import faithful
from tests.trainers.conftest import FAULTS
from tests.trainers.environment import Environment
from tests.trainers.page import example, examples

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(300)]

SKYRL = Environment("skyrl")
RUBRIC = {
    "id": "test/kindness",
    "version": "1.0.0",
    "title": "Kindness",
    "criteria": [{"id": "kind", "statement": "Is kind.", "points": 1}],
}


@pytest.fixture(scope="module")
def asked():
    """What the judge was asked, text by text."""
    return []


@pytest.fixture(scope="module")
def results(asked, tmp_path_factory):
    folder = tmp_path_factory.mktemp("skyrl")
    (folder / "two_turns.py").write_text(examples("skyrl", "python")[1])
    with ExitStack() as stack:
        client, judge = stack.enter_context(judged_by(faithful(0.8)))
        judges = {name: stack.enter_context(judged_by(behave))[0] for name, behave in FAULTS.items()}
        well = {"rubric": RUBRIC, "url": str(client.base_url)}
        envelope = json.dumps({"reference": "Enveloped.", "rubric": {**RUBRIC, "id": "test/enveloped"}})
        runs = {
            "well": {"settings": well},
            "configured": {"config": well},
            "enveloped": {"settings": well, "extras": {"reward_spec": {"ground_truth": envelope}}},
            "two turns": {"settings": well, "env": "two_turns:TwoTurns", "actions": ["Drink water.", "See a doctor."]},
            "unknown rubric": {"settings": {**well, "rubric": "medical/consultatoin", "on_failure": 0.25}},
            "drop": {"settings": {**well, "on_failure": "drop"}},
            "neutral": {"settings": {**well, "on_failure": "neutral"}},
        }
        for (name, served), policy in itertools.product(judges.items(), ("raise", 0.25)):
            seconds = 0.5 if name == "timeout" else 20.0
            settings = {"rubric": RUBRIC, "url": str(served.base_url), "deadline_seconds": seconds}
            runs[f"{name}, {policy}"] = {"settings": {**settings, "on_failure": policy}}
        (folder / "runs.json").write_text(json.dumps(runs))
        SKYRL.run(
            "skyrl_episodes.py",
            *(str(folder / "runs.json"), str(folder / "results.json")),
            environment={"PYTHONPATH": str(folder)},
        )
        asked.extend(str(body) for body in judge.bodies)
    return json.loads((folder / "results.json").read_text())


@pytest.mark.parametrize("run", ["well", "configured", "enveloped"])
def test_an_episode_is_scored_and_its_criteria_are_averaged(results, run):
    (step,) = results[run]["steps"]

    assert step["reward"] == pytest.approx(0.8)
    assert step["done"]
    assert step["metadata"]["judgment"]
    assert results[run]["metrics"]["judge/criterion/kind"] == pytest.approx(0.8)
    assert results[run]["metrics"]["judge/judge_failed"] == 0.0


def test_an_environment_of_several_turns_is_judged_at_its_end(results, asked):
    first, last = results["two turns"]["steps"]

    assert (first["reward"], first["done"]) == (0.0, False)
    assert (last["reward"], last["done"]) == (pytest.approx(0.8), True)
    (question,) = [text for text in asked if "See a doctor." in text]
    assert question.index("Drink water.") < question.index("[BEGIN RESPONSE") < question.index("See a doctor.")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_judge_ends_the_generation(results, fault):
    assert results[f"{fault}, raise"]["error"].startswith("JudgeFailed: No reward")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_number_that_was_chosen_is_the_reward_and_can_be_seen(results, fault):
    result = results[f"{fault}, 0.25"]

    assert result["steps"][0]["reward"] == 0.25
    assert result["steps"][0]["metadata"]["failure"]
    assert result["metrics"]["judge/judge_failed"] == 1.0
    assert result["metrics"]["judge/judge_substituted"] == 1.0


@pytest.mark.parametrize("policy", ["drop", "neutral"])
def test_what_skyrl_cannot_bear_is_refused(results, policy):
    assert f"SkyRL cannot bear {policy}. Choose raise or a number" in results[policy]["error"]


def test_a_rubric_that_the_server_does_not_know_is_raised(results):
    assert results["unknown rubric"]["error"].startswith("UnknownRubric")


def test_the_example_of_the_page_prints_a_reward(judge_url, tmp_path):
    program = tmp_path / "page.py"
    program.write_text(example("skyrl", "python", {"skyrl_gym.make": "skyrl_gym.make"}))

    reward, done, metrics = SKYRL.run(program, environment={"JUDGE_URL": judge_url}).stdout.split(" ", 2)

    assert 0 < float(reward) <= 1
    assert done == "True"
    assert ast.literal_eval(metrics)["judge/coverage"] == 1.0
