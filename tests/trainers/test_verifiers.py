"""Rollouts of verifiers 0.4, generated through its interception server, and what docs/trainers/verifiers.md says."""

import itertools
import json
import shlex
import tomllib
from contextlib import ExitStack

import pytest

from tests.served import judged_by, served, settings_of
from tests.stub_judge import StubJudge, text
from tests.trainers.conftest import FAULTS
from tests.trainers.environment import PROGRAMS, Environment
from tests.trainers.page import example, examples

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(300)]

VERIFIERS = Environment("verifiers")
POLICIES = ("raise", 0.25)
ANSWER = "Drink water, and see a doctor if it lasts."


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the page's taskset, and one whose task scores itself."""
    folder = tmp_path_factory.mktemp("verifiers")
    taskset, own = examples("verifiers", "python")
    (folder / "consultation.py").write_text(taskset)
    loader = taskset[taskset.index("class ConsultationTaskset") :].replace("ConsultationTask(", "JudgedTask(")
    loader = loader.replace("[ConsultationTask,", "[JudgedTask,")
    (folder / "judged_by_task.py").write_text(f"{own}\nfrom consultation import QUESTIONS\n\n{loader}")
    return folder


def variables(place, **more):
    return {"PYTHONPATH": f"{place}:{PROGRAMS}", **more}


@pytest.fixture(scope="module")
def policy():
    with StubJudge(lambda body: text(ANSWER)) as model:
        yield model


@pytest.fixture(scope="module")
def results(place, policy):
    """All runs in one process."""
    with ExitStack() as stack:
        judge = stack.enter_context(served(settings_of()))
        judges = {name: stack.enter_context(judged_by(behave))[0] for name, behave in FAULTS.items()}

        def plugged(client, **more):
            plan = {"id": "judge-client-verifiers", "name": "consultation", "rubric": "medical/consultation"}
            return {"judges": [{**plan, "url": str(client.base_url), **more}]}

        page = tomllib.loads(example("verifiers", "toml", {"http://127.0.0.1:8000": str(judge.base_url)}))
        runs = {
            "page": page["env"]["taskset"]["task"],
            "dropped": plugged(judge, on_failure="drop"),
            "unknown rubric": plugged(judge, rubric="medical/consultatoin", on_failure=0.25),
        }
        for (name, client), chosen in itertools.product(judges.items(), POLICIES):
            seconds = 0.5 if name == "timeout" else 20.0
            runs[f"{name}, {chosen}"] = plugged(client, on_failure=chosen, deadline_seconds=seconds)
        plan = {name: {"taskset": "consultation", "task": task} for name, task in runs.items()}
        plan["own code"] = {"taskset": "judged_by_task"}
        (place / "runs.json").write_text(json.dumps(plan))
        VERIFIERS.run(
            "verifiers_rollouts.py",
            *(str(place / "runs.json"), str(place / "results.json"), policy.address),
            environment=variables(place, JUDGE_URL=str(judge.base_url)),
        )
    return json.loads((place / "results.json").read_text())


def trace_of(episode):
    (trace,) = episode["traces"]
    return trace


def test_a_plugged_judge_scores_rollouts_that_verifiers_generated(results):
    episodes = results["page"]

    assert len(episodes) == 4
    for episode in episodes:
        trace = trace_of(episode)
        assert episode["ok"]
        assert trace["rewards"]["consultation"]["score"] == episode["total"]
        assert 0 < episode["total"] <= 1
        assert trace["metrics"]["consultation/judge_failed"] == 0.0
        assert trace["metrics"]["consultation/coverage"] == 1.0
        assert trace["info"]["judgments"][0]["judgment"]
        assert trace["nodes"][-1]["message"]["content"] == ANSWER


def test_a_task_asks_the_judge_in_its_own_code(results):
    rewards = [trace_of(episode)["rewards"]["quality"] for episode in results["own code"]]

    assert all(reward["weight"] == 0.5 and 0 < reward["score"] <= 1 for reward in rewards)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_judge_fails_the_trace_and_is_no_reward(results, fault):
    for episode in results[f"{fault}, raise"]:
        trace = trace_of(episode)
        assert not episode["ok"]
        assert not trace["ok"]
        assert trace["rewards"]["consultation"] is None
        assert trace["errors"][-1]["type"] == "TaskError"
        assert "JudgeFailed" in trace["errors"][-1]["message"]
        assert trace["metrics"]["consultation/judge_failed"] == 1.0
        assert trace["info"]["judgments"][0]["failure"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_number_that_was_chosen_is_the_reward_and_can_be_seen(results, fault):
    for episode in results[f"{fault}, 0.25"]:
        trace = trace_of(episode)
        assert episode["ok"]
        assert episode["total"] == 0.25
        assert trace["metrics"]["consultation/judge_failed"] == 1.0
        assert trace["metrics"]["consultation/judge_substituted"] == 1.0
        assert trace["info"]["judgments"][0]["failure"]


@pytest.mark.parametrize(("run", "said"), [("dropped", "cannot bear drop"), ("unknown rubric", "UnknownRubric")])
def test_what_can_never_work_is_an_error_that_says_so(results, run, said):
    for episode in results[run]:
        assert not episode["ok"]
        assert any(said in error["message"] for error in trace_of(episode)["errors"])


def test_the_command_of_the_page_scores_without_a_change_to_the_taskset(place, policy, judge_url):
    """The page's harness starts a program that uv fetches packages for; the tests' harness does its work here."""
    command = next(block for block in examples("verifiers", "sh") if "vf-eval" in block).replace("\\\n", " ")
    exported, _, rest = command.partition("\n")
    given = dict(pair.split("=", 1) for pair in shlex.split(exported)[1:]) | {"JUDGE_URL": judge_url}
    words = [word for word in shlex.split(rest) if not word.startswith("PYTHONPATH=")]
    words[words.index("http://127.0.0.1:9000/v1")] = policy.address
    words[words.index("null")] = "in_process_harness"

    VERIFIERS.command(*words, environment=variables(place, **given), cwd=place)

    (written,) = place.glob("outputs/*/traces.jsonl")
    episodes = [json.loads(line) for line in written.read_text().splitlines()]
    assert len(episodes) == 8
    for episode in episodes:
        trace = trace_of(episode)
        assert episode["ok"]
        assert trace["rewards"]["rubric"]["score"] is not None
        assert trace["metrics"]["rubric/judge_failed"] == 0.0
