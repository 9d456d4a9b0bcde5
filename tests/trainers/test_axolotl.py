"""Axolotl's own GRPO on a CPU, and what docs/trainers/axolotl.md says of it."""

import copy
import itertools
import json
import math
import statistics
from contextlib import ExitStack

import pytest
import yaml

from tests.served import judged_by
from tests.stub_judge import Reply, labels
from tests.trainers.conftest import FAULTS, nobody, once_started
from tests.trainers.environment import Environment
from tests.trainers.page import SMALL, at, example, examples, lay_out

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(600)]

AXOLOTL = Environment("axolotl")
QUIET = {"AXOLOTL_DO_NOT_TRACK": "1"}
QUICK = {"dataset_num_proc": 0, "dataloader_num_workers": 0, "skip_prepare_dataset": True, "save_strategy": "no"}
MODULE = "judge_client.adapters.trl"
POLICIES = ("drop", "raise", "neutral", "0.25")
MAIN, SEVERAL, UNMASKED = map(yaml.safe_load, examples("axolotl", "yaml"))


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


def configuration(checkpoint, *parts):
    """The page's file with the page's fragments put in, for the model that exists here."""
    config = copy.deepcopy(MAIN) | {"base_model": str(checkpoint)}
    for part in parts:
        config["trl"] |= part["trl"]
    return config


def planned(urls, checkpoint):
    def run(url, policy=None, reward="rubric_reward", **trl):
        environment = {"JUDGE_URL": urls[url], "JUDGE_DEADLINE_SECONDS": "30", "JUDGE_ATTEMPTS": "1"}
        if url == "timeout":
            environment["JUDGE_DEADLINE_SECONDS"] = "0.4"
        if policy is not None:
            environment["JUDGE_ON_FAILURE"] = policy
        more = {"max_completion_length": 8, "reward_funcs": [f"{MODULE}.{reward}"], **trl}
        config = configuration(checkpoint, {"trl": more}) | QUICK | {"learning_rate": 1e-3}
        return {"config": config, "environment": environment}

    (unmasked,) = (path.rpartition(".")[2] for path in UNMASKED["trl"]["reward_funcs"])
    producer = {"use_data_producer": True}
    runs = {
        "async": run("varied"),
        "sync": run("varied", reward="sync_rubric_reward"),
        "half": run("half"),
        "half, raise": run("half", "raise"),
        "half, neutral": run("half", "neutral"),
        "half, number": run("half", "0.25"),
        "unknown rubric": run("varied"),
        "producer": run("varied", **producer),
        "producer, half": run("half", **producer),
        "unmasked": run("varied", reward=unmasked, **producer),
        "unmasked, half": run("half", reward=unmasked),
        "unmasked, half, number": run("half", "0.25", reward=unmasked),
        "unmasked, drop": run("varied", "drop", reward=unmasked),
    }
    for fault, policy in itertools.product([*FAULTS, "down"], POLICIES):
        runs[f"{fault}, {policy}"] = run(fault, policy)
    for name, one in runs.items():
        rows = [
            {"prompt": [{"role": "user", "content": question}], "rubric": kindness(name), "facts": {"age": age}}
            for age, question in enumerate(("I have had a headache.", "My child has a fever."))
        ]
        one["rows"] = [{**row, "rubric": None} for row in rows] if name == "unknown rubric" else rows
    runs["unknown rubric"]["environment"]["JUDGE_RUBRIC"] = "medical/consultatoin"
    return runs


@pytest.fixture(scope="module")
def results(tiny_checkpoint, tmp_path_factory):
    """All runs after one import, which takes longer than training."""
    folder = tmp_path_factory.mktemp("axolotl")
    judges = {"varied": varied(), "half": varied(half_fails=True), **FAULTS}
    with ExitStack() as stack:
        clients = {name: stack.enter_context(judged_by(behave))[0] for name, behave in judges.items()}
        urls = {name: str(client.base_url).rstrip("/") for name, client in clients.items()} | {
            "down": stack.enter_context(nobody())
        }
        (folder / "runs.json").write_text(json.dumps(planned(urls, tiny_checkpoint)))
        given = [str(folder / "runs.json"), str(folder / "results.json")]
        AXOLOTL.run("axolotl_runs.py", *given, environment=QUIET, timeout=550)
    return json.loads((folder / "results.json").read_text())


def rewards_and_advantages(result, name="rubric_reward"):
    """Of every group of four: rewards with None where there is none, and the advantages beside them."""
    for step in result["steps"]:
        rewards, advantages = step["rewards"][name], step["advantages"]
        for start in range(0, len(rewards), 4):
            group = [None if math.isnan(reward) else reward for reward in rewards[start : start + 4]]
            yield group, advantages[start : start + 4]


@pytest.mark.parametrize(
    ("name", "reward", "trainer"),
    [
        ("async", "rubric_reward", "AxolotlGRPOTrainer"),
        ("sync", "sync_rubric_reward", "AxolotlGRPOTrainer"),
        ("producer", "rubric_reward", "AxolotlAsyncGRPOTrainer"),
        ("unmasked", "unmasked_rubric_reward", "AxolotlAsyncGRPOTrainer"),
    ],
)
def test_a_policy_learns_from_the_rewards_of_the_server(results, name, reward, trainer):
    result = results[name]

    assert result["error"] is None
    assert result["trainer"] == trainer
    assert result["moved"]
    assert result["finite"]
    for logged in result["log"][:2]:
        assert 0 < logged[f"rewards/{reward}/mean"] < 1
        assert logged["reward_std"] > 0
        assert logged["rubric_reward/criterion/kind"] == pytest.approx(logged["reward"], abs=1e-6)
        assert logged["rubric_reward/judge_failed"] == 0.0


@pytest.mark.parametrize("name", ["half", "producer, half"])
def test_failed_judgments_are_left_out_of_the_baseline(results, name):
    seen = list(rewards_and_advantages(results[name]))

    assert results[name]["moved"]
    for rewards, advantages in seen:
        known = [reward for reward in rewards if reward is not None]
        spread = statistics.stdev(known) if len(known) > 1 else math.nan
        for reward, advantage in zip(rewards, advantages, strict=True):
            expected = 0.0 if reward is None else (reward - statistics.fmean(known)) / (spread + 1e-4)
            assert advantage == pytest.approx(expected, abs=1e-3)
    assert any(None in rewards and len(set(rewards)) > 2 for rewards, _ in seen)


def test_the_share_that_failed_is_logged(results):
    logged, step = results["half"]["log"][0], results["half"]["steps"][0]
    missing = [math.isnan(reward) for reward in step["rewards"]["rubric_reward"]]

    assert 0 < sum(missing) < 8
    assert logged["rubric_reward/judge_failed"] == sum(missing) / 8


def test_neutral_gives_the_mean_of_the_prompt(results):
    result = results["half, neutral"]

    assert result["error"] is None
    assert 0 < result["log"][0]["rubric_reward/judge_substituted"] < 1
    for rewards, _ in rewards_and_advantages(result):
        assert None not in rewards
        assert any(reward == pytest.approx(statistics.fmean(rewards), abs=1e-5) for reward in rewards)


@pytest.mark.parametrize(
    ("name", "reward"), [("half, number", "rubric_reward"), ("unmasked, half, number", "unmasked_rubric_reward")]
)
def test_a_number_counts_as_a_reward_like_any_other(results, name, reward):
    result = results[name]
    put_in = [value == 0.25 for value in result["steps"][0]["rewards"][reward]]

    assert result["error"] is None
    assert result["log"][0]["reward_std"] > 0
    assert 0 < result["log"][0]["rubric_reward/judge_substituted"] == sum(put_in) / 8


FAILURES = {
    "timeout": "timeout",
    "garbage": "unusable_verdict",
    "unavailable": "judge_unavailable",
    "down": "server_unreachable",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_dropping_goes_on_and_learns_nothing(results, fault):
    result = results[f"{fault}, drop"]

    assert result["error"] is None
    assert not result["moved"]
    assert len(result["steps"]) >= 2
    for logged in result["log"][:2]:
        assert logged["reward"] is None
        assert logged["rubric_reward/judge_failed"] == 1.0
    assert all(step["advantages"] == [0.0] * 8 for step in result["steps"])


@pytest.mark.parametrize("fault", FAILURES)
@pytest.mark.parametrize("policy", ["raise", "neutral"])
def test_raising_stops_the_training_and_so_does_neutral_without_a_mean(results, fault, policy):
    result = results[f"{fault}, {policy}"]

    assert result["error"]["type"] == "JudgeFailed"
    assert FAILURES[fault] in result["error"]["detail"]
    assert not result["moved"]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_server_that_nobody_reached_stops_the_training_whatever_the_policy(results, policy):
    result = results[f"down, {policy}"]

    assert result["error"]["type"] == "JudgeFailed"
    assert "No judgment has succeeded yet" in result["error"]["detail"]
    assert not result["moved"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_number_for_all_goes_on_and_learns_nothing(results, fault):
    result = results[f"{fault}, 0.25"]

    assert result["error"] is None
    assert not result["moved"]
    assert [logged["reward"] for logged in result["log"][:2]] == [0.25, 0.25]
    assert result["log"][0]["rubric_reward/judge_substituted"] == 1.0


@pytest.mark.parametrize("name", ["half, raise", "unmasked, half"])
def test_one_failure_among_many_stops_the_training_that_raises(results, name):
    assert results[name]["error"]["type"] == "JudgeFailed"


def test_a_rubric_that_nobody_knows_stops_the_training(results):
    error = results["unknown rubric"]["error"]

    assert error["type"] == "UnknownRubric"
    assert "medical/consultation" in error["detail"]


def test_the_unmasked_reward_refuses_to_drop(results):
    error = results["unmasked, drop"]["error"]

    assert error["type"] == "BadConfiguration"
    assert "counts a missing reward as 0" in error["detail"]


@pytest.fixture
def page_command(tiny_checkpoint, tmp_path):
    """Runs the page's command in a folder with the page's files."""

    def run(url, *parts, environment=None, expect=0):
        lay_out("axolotl", tmp_path, tiny_checkpoint)
        if parts:
            (tmp_path / "grpo.yaml").write_text(yaml.safe_dump(configuration(SMALL, *parts)))
        command = at(example("axolotl", "sh", {"axolotl train": "axolotl train"}), url)
        given = QUIET | (environment or {})
        return AXOLOTL.command("bash", "-e", "-c", command, environment=given, cwd=tmp_path, expect=expect)

    return run


def test_the_command_of_the_page_trains(judge_url, page_command):
    done = page_command(judge_url)

    assert "'rewards/rubric_reward/mean'" in done.stdout
    assert "'medical/consultation/judge_failed': '0'" in done.stdout


def test_the_several_rubrics_of_the_page_train(judge_url, page_command):
    done = page_command(judge_url, SEVERAL)

    for rubric in ("medical/consultation", "safety/over_refusal"):
        assert f"'rewards/{rubric}/mean'" in done.stdout


def test_the_command_of_the_page_ends_with_status_1_where_a_failed_judge_is_to_stop_it(serving, page_command):
    with serving("garbage") as url:
        done = page_command(url, environment={"JUDGE_ON_FAILURE": "raise"}, expect=1)

    assert "JudgeFailed" in done.stderr
    assert "unusable_verdict" in done.stderr
