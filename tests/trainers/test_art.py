"""Trajectories that ART gathers, and what docs/trainers/art.md says of them."""

import ast
import itertools
import json
import re
import statistics
from collections import defaultdict
from contextlib import ExitStack

import pytest

from tests.served import judged_by, served, settings_of
from tests.stub_judge import StubJudge, labels, text
from tests.trainers.conftest import FAULTS
from tests.trainers.environment import Environment
from tests.trainers.page import example

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(300)]

ART = Environment("art")
POLICIES = ("drop", "raise", "neutral", 0.25)
RUBRIC = {
    "id": "test/kindness",
    "version": "1.0.0",
    "title": "Kindness",
    "criteria": [{"id": "kind", "statement": "Is kind.", "points": 1}],
}


def answers_in_turn():
    """Every question gets its own numbers, from 0 on."""
    numbers = defaultdict(itertools.count)
    return lambda body: text(f"Drink water and rest for {next(numbers[body['messages'][0]['content']])} days.")


def varied():
    number = itertools.count()
    return lambda body: labels(Yes=(yes := 0.2 + 0.1 * (next(number) % 6)), No=1 - yes)


def every_third_fails():
    """Of three answers in a row to a question the judge does not understand one."""
    well = varied()

    def behave(body):
        days = re.search(r"for (\d+) days", str(body))
        return text("Well.") if days and int(days[1]) % 3 == 0 else well(body)

    return behave


@pytest.fixture(scope="module")
def policy():
    with StubJudge(answers_in_turn()) as model:
        yield model


@pytest.fixture(scope="module")
def results(policy, tmp_path_factory):
    """All runs in one process."""
    folder = tmp_path_factory.mktemp("art")
    judges = {"varied": varied(), "third": every_third_fails(), **FAULTS}
    with ExitStack() as stack:
        urls = {name: str(stack.enter_context(judged_by(behave))[0].base_url) for name, behave in judges.items()}
        urls["baseline"] = str(stack.enter_context(served(settings_of())).base_url)

        def run(judge, chosen=None, relative=False, **more):
            options = {"rubric": RUBRIC, "url": urls[judge], "on_failure": chosen, "relative": relative}
            options["deadline_seconds"] = 0.5 if judge == "timeout" else 20.0
            return {"options": options, **more}

        reference = {"reference": "Rest for 2 days.", "facts": '{"age": 4}'}
        runs = {
            "varied": run("varied", metadata=reference),
            "turns": run("varied", turns=2),
            "listwise": run("baseline", relative=True, metadata=reference),
            "pairwise": run("baseline", relative={"kind": "pairwise"}),
            "compared turns": run("baseline", relative=True, turns=2),
            "unknown rubric": run("varied", 0.25),
            **{f"third, {chosen}": run("third", chosen) for chosen in POLICIES},
        }
        runs["unknown rubric"]["options"]["rubric"] = "medical/consultatoin"
        for fault, chosen in itertools.product(FAULTS, POLICIES):
            runs[f"{fault}, {chosen}"] = run(fault, chosen)
        for fault, chosen in itertools.product(FAULTS, ("drop", "raise")):
            runs[f"{fault}, {chosen}, relative"] = run(fault, chosen, relative=True)
        (folder / "runs.json").write_text(json.dumps(runs))
        ART.run("art_gatherings.py", *(str(folder / "runs.json"), str(folder / "results.json"), policy.address))
    return json.loads((folder / "results.json").read_text())


@pytest.mark.parametrize("run", ["varied", "turns"])
def test_every_trajectory_of_a_group_is_scored(results, run):
    assert len(results[run]["groups"]) == 2
    for group in results[run]["groups"]:
        assert len(group["trajectories"]) == 3
        assert group["metrics"]["judge/dropped"] == 0
        for trajectory in group["trajectories"]:
            assert 0 < trajectory["reward"] < 1
            assert trajectory["metrics"]["judge/criterion/kind"] == pytest.approx(trajectory["reward"])
            assert trajectory["metrics"]["judge/judge_failed"] == 0.0


@pytest.mark.parametrize("kind", ["listwise", "pairwise"])
def test_trajectories_are_compared_with_each_other(results, kind):
    for group in results[kind]["groups"]:
        assert len(group["trajectories"]) == 3
        assert all(0 <= trajectory["reward"] <= 1 for trajectory in group["trajectories"])


def test_conversations_with_other_pasts_are_not_compared(results):
    assert "Trajectories are compared of one prompt" in results["compared turns"]["error"]


def test_a_trajectory_whose_judge_failed_leaves_its_group(results):
    for group in results["third, drop"]["groups"]:
        assert len(group["trajectories"]) == 2
        assert group["metrics"]["judge/dropped"] == 1
        assert "JudgeFailed" in group["exceptions"][0]["type"]
        assert all(trajectory["metrics"]["judge/judge_failed"] == 0.0 for trajectory in group["trajectories"])


def test_neutral_is_the_mean_of_the_group(results):
    for group in results["third, neutral"]["groups"]:
        own = [one["reward"] for one in group["trajectories"] if not one["metrics"]["judge/judge_substituted"]]
        put_in = [one["reward"] for one in group["trajectories"] if one["metrics"]["judge/judge_substituted"]]
        assert put_in == pytest.approx([statistics.fmean(own)])


def test_one_failure_ends_the_gathering_where_the_policy_says_so(results):
    assert results["third, raise"]["error"].startswith("JudgeFailed: No reward")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["", ", relative"])
def test_groups_without_rewards_are_dropped(results, fault, kind):
    assert results[f"{fault}, drop{kind}"] == {"groups": []}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("policy_name", ["raise", "neutral", "raise, relative"])
def test_a_failed_judge_ends_the_gathering(results, fault, policy_name):
    assert results[f"{fault}, {policy_name}"]["error"].startswith("JudgeFailed: No reward")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_number_that_was_chosen_is_the_reward_and_can_be_seen(results, fault):
    for group in results[f"{fault}, 0.25"]["groups"]:
        assert [trajectory["reward"] for trajectory in group["trajectories"]] == [0.25] * 3
        assert all(trajectory["metrics"]["judge/judge_failed"] == 1.0 for trajectory in group["trajectories"])
        assert all(trajectory["metrics"]["judge/judge_substituted"] == 1.0 for trajectory in group["trajectories"])


def test_a_rubric_that_the_server_does_not_know_ends_the_gathering(results):
    assert results["unknown rubric"]["error"].startswith("UnknownRubric")


def test_the_example_of_the_page_prints_rewards(policy, judge_url, tmp_path):
    program = tmp_path / "page.py"
    program.write_text(example("art", "python", {"http://127.0.0.1:9000/v1": policy.address}))

    done = ART.run(program, environment={"JUDGE_URL": judge_url})

    groups = [ast.literal_eval(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert [len(rewards) for rewards in groups] == [4, 4]
    assert all(0 < reward <= 1 for rewards in groups for reward in rewards)


def test_the_relative_reward_of_the_page_compares_a_group(policy, judge_url, tmp_path):
    compared = example("art", "python", {"relative={": "relative={"})
    own = {
        "http://127.0.0.1:9000/v1": policy.address,
        'after_each=RubricReward("medical/consultation")': "after_each=reward",
    }
    program = tmp_path / "page.py"
    program.write_text(compared + example("art", "python", own))

    done = ART.run(program, environment={"JUDGE_URL": judge_url})

    groups = [ast.literal_eval(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert [len(rewards) for rewards in groups] == [4, 4]
    assert all(0 <= reward <= 1 for rewards in groups for reward in rewards)
