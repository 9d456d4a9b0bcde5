"""Rollouts that NeMo Gym collects, and what docs/trainers/nemo-gym.md says of them."""

import itertools
import json
from contextlib import ExitStack

import pytest
import yaml

from tests.served import judged_by
from tests.stub_judge import faithful
from tests.trainers.conftest import FAULTS
from tests.trainers.environment import Environment
from tests.trainers.page import example, examples, lay_out

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(300)]

GYM = Environment("nemo_gym")
RUBRIC = {
    "id": "test/kindness",
    "version": "1.0.0",
    "title": "Kindness",
    "criteria": [{"id": "kind", "statement": "Is kind.", "points": 1}],
}
SAID = ("Rest, and drink enough.", "Where is the pharmacy?")
ASKED = ("I am tired.", "I need tablets.")
ROWS = [
    {"responses_create_params": {"input": [{"role": "user", "content": asked}]}, "rubric": RUBRIC, "reference": "Rest."}
    for asked in ASKED
]
POLICIES = {"drop": "", "raise": "&on_error=raise", "number": "&on_error=0.25"}


@pytest.fixture(scope="module")
def asked():
    """What the judge was asked, text by text."""
    return []


@pytest.fixture(scope="module")
def results(asked, tmp_path_factory):
    (app,) = examples("nemo-gym", "python")
    config = yaml.safe_load(examples("nemo-gym", "yaml")[0])
    folder = tmp_path_factory.mktemp("nemo-gym")
    with ExitStack() as stack:
        well, judge = stack.enter_context(judged_by(faithful(0.8)))
        judges = {name: stack.enter_context(judged_by(behave))[0] for name, behave in FAULTS.items()}

        def run(base, app=app, query="?deadline_seconds=120"):
            url = f"{str(base).rstrip('/')}/trainers/nemo-gym/-"
            return {"app": app, "config": config, "url": url, "query": query, "rows": ROWS}

        runs = {"app": run(well.base_url), "proxy": run(well.base_url, None)}
        runs["unreachable"] = run("http://127.0.0.1:9")
        for (name, client), (policy, query) in itertools.product(judges.items(), POLICIES.items()):
            seconds = 1 if name == "timeout" else 120
            runs[f"{name}, {policy}"] = run(client.base_url, query=f"?deadline_seconds={seconds}{query}")
        (folder / "runs.json").write_text(json.dumps(runs))
        GYM.run("nemo_gym_rollouts.py", str(folder / "runs.json"), str(folder / "results.json"), timeout=240)
        asked.extend(str(body) for body in judge.bodies)
    return json.loads((folder / "results.json").read_text())


@pytest.mark.parametrize("way", ["app", "proxy"])
def test_rollouts_are_rewarded_by_either_way_of_the_page(results, way):
    found = sorted(results[way]["rollouts"], key=lambda one: one["_ng_task_index"])
    assert [one["reward"] for one in found] == pytest.approx([0.8, 0.8])
    assert [one["judge_failed"] for one in found] == [0.0, 0.0]
    assert [sum(one["reward_components"].values()) for one in found] == [one["reward"] for one in found]
    assert results[way]["failures"] == []
    assert results[way]["metrics"]["mean/reward"] == pytest.approx(0.8)
    assert results[way]["metrics"]["mean/judge_failed"] == 0.0


def test_the_policys_words_are_judged(results, asked):
    assert all(any(said in one for one in asked) for said in SAID)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_judge_costs_the_rollout_and_no_metric(results, fault):
    found = results[f"{fault}, drop"]
    assert found["rollouts"] == []
    assert {one["_ng_failure_class"] for one in found["failures"]} == {"judge_failed"}
    assert all(one["instance_config"]["mask_sample"] is True for one in found["failures"])
    assert len(found["failures"]) == len(ROWS)
    assert found["metrics"] == {}


@pytest.mark.parametrize("fault", FAULTS)
def test_raise_ends_the_collecting(results, fault):
    assert "500" in results[f"{fault}, raise"]["raised"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_number_that_was_chosen_is_the_reward_and_can_be_seen(results, fault):
    found = results[f"{fault}, number"]
    assert [(one["reward"], one["judge_failed"]) for one in found["rollouts"]] == [(0.25, 1.0)] * len(ROWS)
    assert found["failures"] == []
    assert found["metrics"]["mean/judge_failed"] == 1.0


def test_a_server_that_cannot_be_reached_ends_the_collecting(results):
    assert "500" in results["unreachable"]["raised"]


def test_the_command_of_the_page_has_a_configuration_that_nemo_gym_accepts(tmp_path):
    """It is validated by NeMo Gym itself; starting it would install an environment for each server."""
    lay_out("nemo-gym", tmp_path, tmp_path)
    command = example("nemo-gym", "sh", {"gym env start": "gym env validate"})

    assert "Config is valid" in GYM.command("bash", "-e", "-c", command, cwd=tmp_path).stdout
