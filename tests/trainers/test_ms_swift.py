"""ms-swift's own GRPO on a CPU, and what docs/trainers/ms-swift.md says of it."""

import itertools
import json
from contextlib import ExitStack

import pytest

from tests.served import judged_by
from tests.stub_judge import Reply, labels
from tests.trainers.conftest import FAULTS, once_started
from tests.trainers.environment import Environment
from tests.trainers.page import at, example, examples, lay_out

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(600)]

MS_SWIFT = Environment("ms_swift")
QUIET = {"USE_HF": "1", "TRL_EXPERIMENTAL_SILENCE": "1"}
FAILURES = {"timeout": "timeout", "garbage": "unusable_verdict", "unavailable": "judge_unavailable"}
REWARD = "rewards/RubricReward/mean"


def varied(*, half_fails=False):
    """A judge whose every answer has another probability."""
    number = itertools.count()

    def behave(body):
        place = next(number)
        yes = 0.1 + 0.07 * (place % 12)
        return Reply(503) if half_fails and place % 2 else labels(Yes=yes, No=1 - yes)

    return once_started(behave)


def kindness(run):
    """A rubric of one criterion, worded anew for every run: no answer comes from the cache of another."""
    criteria = [{"id": "kind", "statement": f"Is kind in run {run!r}.", "points": 1}]
    return json.dumps({"id": "test/kindness", "version": "1.0.0", "title": "Kindness", "criteria": criteria})


def planned(urls, folder):
    def run(url, policy=None, reward="rubric"):
        environment = {"JUDGE_URL": urls[url], "JUDGE_DEADLINE_SECONDS": "0.4" if url == "timeout" else "30"}
        return {"reward": reward, "environment": environment | ({"JUDGE_ON_FAILURE": policy} if policy else {})}

    runs = {
        "async": run("varied"),
        "sync": run("varied", reward="rubric_sync"),
        "half, neutral": run("half", "neutral"),
        "half, number": run("half", "0.25"),
        "half, raise": run("half"),
        "drop": run("varied", "drop"),
    }
    for fault, policy in itertools.product(FAULTS, ("raise", "neutral", "0.25")):
        runs[f"{fault}, {policy}"] = run(fault, policy)
    for name, one in runs.items():
        rows = [
            {"messages": [{"role": "user", "content": question}], "rubric": kindness(name), "facts": {"age": age}}
            for age, question in enumerate(("I have had a headache.", "My child has a fever."))
        ]
        one["dataset"] = str(folder / f"{name}.jsonl")
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return runs


@pytest.fixture(scope="module")
def results(tiny_checkpoint, tmp_path_factory):
    """All runs in one process: importing takes longer than training."""
    folder = tmp_path_factory.mktemp("swift")
    plugin = folder / "plugin.py"
    plugin.write_text("import judge_client.adapters.ms_swift\n")
    judges = {"varied": varied(), "half": varied(half_fails=True), **FAULTS}
    with ExitStack() as stack:
        urls = {
            name: str(stack.enter_context(judged_by(behave))[0].base_url).rstrip("/") for name, behave in judges.items()
        }
        (folder / "runs.json").write_text(json.dumps(planned(urls, folder)))
        given = [str(folder / "runs.json"), str(folder / "results.json"), str(tiny_checkpoint), str(plugin)]
        MS_SWIFT.run("ms_swift_runs.py", *given, environment=QUIET, timeout=500)
    return json.loads((folder / "results.json").read_text())


@pytest.mark.parametrize(("name", "reward"), [("async", "RubricReward"), ("sync", "SyncRubricReward")])
def test_a_policy_learns_from_the_rewards_of_the_server(results, name, reward):
    assert results[name]["error"] is None
    assert len(results[name]["log"]) == 2
    for step in results[name]["log"]:
        assert 0 < step[f"rewards/{reward}/mean"] < 1
        assert step["reward_std"] > 0
        assert step["grad_norm"] > 0


def test_neutral_goes_on_with_the_mean_of_the_prompt(results):
    assert results["half, neutral"]["error"] is None
    assert all(0.1 <= step[REWARD] <= 0.9 for step in results["half, neutral"]["log"])


def test_a_number_counts_as_a_reward_like_any_other(results):
    assert results["half, number"]["error"] is None
    assert results["half, number"]["log"][0]["reward_std"] > 0


@pytest.mark.parametrize(
    "run", ["half, raise", *(f"{fault}, {policy}" for fault in FAILURES for policy in ("raise", "neutral"))]
)
def test_a_failed_judge_stops_the_training(results, run):
    error = results[run]["error"]

    assert error["type"] == "JudgeFailed"
    assert FAILURES.get(run.partition(",")[0], "judge_unavailable") in error["detail"]


@pytest.mark.parametrize("fault", FAILURES)
def test_a_number_for_all_goes_on_and_learns_nothing(results, fault):
    result = results[f"{fault}, 0.25"]

    assert result["error"] is None
    assert [step[REWARD] for step in result["log"]] == [0.25, 0.25]
    assert [step["reward_std"] for step in result["log"]] == [0, 0]


def test_dropping_is_refused_because_a_missing_reward_would_count_as_0(results):
    error = results["drop"]["error"]

    assert error["type"] == "BadConfiguration"
    assert "counts a missing reward as 0" in error["detail"]
    assert "JUDGE_ON_FAILURE" in error["detail"]


def test_the_command_of_the_page_trains(judge_url, tiny_checkpoint, tmp_path):
    lay_out("ms-swift", tmp_path, tiny_checkpoint, "Qwen/Qwen3-0.6B")
    offline = "swift rlhf --check_model false"  # the check asks a model hub
    command = at(example("ms-swift", "sh", {"swift rlhf": offline}), judge_url)

    done = MS_SWIFT.command("bash", "-e", "-c", command, environment=QUIET, cwd=tmp_path)

    assert REWARD in done.stdout


def test_the_class_of_the_page_is_a_reward_function():
    (block,) = examples("ms-swift", "python")
    check = "print(orms['safety']().rewarder.terms.rubric)"

    assert MS_SWIFT.command(str(MS_SWIFT.python), "-c", block + check).stdout.split()[-1] == "safety/over_refusal"
