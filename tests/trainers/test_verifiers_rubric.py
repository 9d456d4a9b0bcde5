"""Generations of verifiers 0.3, and what docs/trainers/verifiers-rubric.md says of them."""

import ast
import itertools
import json
import math
import re
import statistics
from collections import defaultdict
from contextlib import ExitStack

import pytest

from tests.served import judged_by
from tests.stub_judge import StubJudge, labels, text
from tests.trainers.conftest import FAULTS
from tests.trainers.environment import Environment
from tests.trainers.page import example

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(300)]

VERIFIERS = Environment("verifiers_rubric")
QUESTION = re.compile("headache|fever")
POLICIES = ("raise", "drop", "neutral", 0.25)
RUBRIC = {
    "id": "test/kindness",
    "version": "1.0.0",
    "title": "Kindness",
    "criteria": [{"id": "kind", "statement": "Is kind.", "points": 1}],
}


def answers_in_turn():
    """Every question gets its own numbers, from 0 on."""
    numbers = defaultdict(itertools.count)
    return lambda body: text(f"Drink water and rest for {next(numbers[str(body['messages'])])} days.")


def varied():
    number = itertools.count()
    return lambda body: labels(Yes=(yes := 0.2 + 0.1 * (next(number) % 6)), No=1 - yes)


def one_fails():
    """Of two answers in a row to a question the judge understands one."""
    well = varied()
    return lambda body: text("Well.") if re.search(r"for \d*[13579] days", str(body)) else well(body)


def the_first_fail():
    """Four responses cannot be judged; those that come after them can."""
    well, seen = varied(), {}

    def behave(body):
        found = re.search(r"for \d+ days", str(body))
        place = seen.setdefault((found[0], QUESTION.search(str(body))[0]), len(seen)) if found else 4
        return text("Well.") if place < 4 else well(body)

    return behave


@pytest.fixture(scope="module")
def policy():
    with StubJudge(answers_in_turn()) as model:
        yield model


@pytest.fixture(scope="module")
def results(policy, tmp_path_factory):
    """All runs in one process."""
    folder = tmp_path_factory.mktemp("verifiers_rubric")
    judges = {"varied": varied(), "one fails": one_fails(), "the first fail": the_first_fail(), **FAULTS}
    with ExitStack() as stack:
        urls = {name: str(stack.enter_context(judged_by(behave))[0].base_url) for name, behave in judges.items()}

        def run(judge, chosen=None, **more):
            options = {"rubric": RUBRIC, "url": urls[judge], "on_failure": chosen}
            options["deadline_seconds"] = 0.5 if judge == "timeout" else 20.0
            return {"options": options, **more}

        runs = {
            "varied": run("varied"),
            "independent": run("varied", independent=True),
            "group": run("varied", beside=True),
            "function": {"function": True},
            "one fails, drop": run("one fails", "drop"),
            "one fails, neutral": run("one fails", "neutral"),
            "retried": run("the first fail", "drop", max_retries=1, independent=True),
            "unknown rubric": run("varied", 0.25),
        }
        runs["unknown rubric"]["options"]["rubric"] = "medical/consultatoin"
        for fault, chosen in itertools.product(FAULTS, POLICIES):
            runs[f"{fault}, {chosen}"] = run(fault, chosen)
        (folder / "runs.json").write_text(json.dumps(runs))
        VERIFIERS.run(
            "verifiers_generations.py", *(str(folder / "runs.json"), str(folder / "results.json"), policy.address)
        )
    return json.loads((folder / "results.json").read_text())


def groups(outputs):
    for _, members in itertools.groupby(outputs, key=lambda output: output["example_id"]):
        yield list(members)


def turn_of(output):
    (turn,) = output["trajectory"]
    return turn


@pytest.mark.parametrize("run", ["varied", "independent"])
def test_rollouts_that_verifiers_generated_are_scored(results, run):
    outputs = results[run]["outputs"]

    assert len(outputs) == 4
    for output in outputs:
        assert output["error"] is None
        assert 0 < output["reward"] < 1
        assert output["metrics"]["rubric"] == output["reward"]
        assert output["metrics"]["rubric/criterion/kind"] == pytest.approx(output["reward"])
        assert output["metrics"]["rubric/judge_failed"] == 0.0
    assert results[run]["avg_reward"] == pytest.approx(statistics.fmean(output["reward"] for output in outputs))


def test_the_rollouts_of_an_example_are_centred_on_their_mean(results):
    for group in groups(results["varied"]["outputs"]):
        centre = statistics.fmean(output["reward"] for output in group)
        assert [turn_of(output)["advantage"] for output in group] == pytest.approx(
            [output["reward"] - centre for output in group]
        )


def test_a_group_of_rubrics_adds_up(results):
    for output in results["group"]["outputs"]:
        assert output["reward"] == pytest.approx(1.0 + output["metrics"]["rubric"])


def test_verifiers_turns_what_a_function_raises_into_zero(results):
    """Why the adapter is a Rubric."""
    assert [output["reward"] for output in results["function"]["outputs"]] == [0.0] * 4


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("policy_name", ["raise", "neutral"])
def test_a_failed_judge_ends_the_generation(results, fault, policy_name):
    assert results[f"{fault}, {policy_name}"]["error"].startswith("JudgeFailed: No reward")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_dropped_rollout_is_an_error_without_a_reward(results, fault):
    for output in results[f"{fault}, drop"]["outputs"]:
        assert math.isnan(output["reward"])
        assert math.isnan(turn_of(output)["advantage"])
        assert output["error"]["error"] == "InfraError"
        assert output["metrics"]["rubric/judge_failed"] == 1.0
        assert "rubric" not in output["metrics"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_number_that_was_chosen_is_the_reward_and_can_be_seen(results, fault):
    for output in results[f"{fault}, 0.25"]["outputs"]:
        assert output["error"] is None
        assert output["reward"] == 0.25
        assert output["metrics"]["rubric/judge_failed"] == 1.0
        assert output["metrics"]["rubric/judge_substituted"] == 1.0


def test_what_is_dropped_does_not_move_the_others(results):
    outputs = results["one fails, drop"]["outputs"]

    assert 0 < sum(output["error"] is None for output in outputs) < 4
    for group in groups(outputs):
        known = [output for output in group if output["error"] is None]
        centre = statistics.fmean(output["reward"] for output in known)
        assert [turn_of(output)["advantage"] for output in known] == pytest.approx(
            [output["reward"] - centre for output in known]
        )
        for failed in (output for output in group if output["error"]):
            assert "rubric/criterion/kind" not in failed["metrics"]


def test_max_retries_plays_a_dropped_rollout_again(results):
    assert all(output["error"] is None for output in results["retried"]["outputs"])


def test_neutral_is_the_mean_of_the_example(results):
    for group in groups(results["one fails, neutral"]["outputs"]):
        own = [one["reward"] for one in group if not one["metrics"]["rubric/judge_substituted"]]
        put_in = [one["reward"] for one in group if one["metrics"]["rubric/judge_substituted"]]
        assert put_in == pytest.approx([statistics.fmean(own)] * len(put_in))


def test_a_rubric_that_the_server_does_not_know_ends_the_generation(results):
    assert results["unknown rubric"]["error"].startswith("UnknownRubric")


def test_the_example_of_the_page_prints_rewards(policy, judge_url, tmp_path):
    program = tmp_path / "page.py"
    program.write_text(example("verifiers-rubric", "python", {"http://127.0.0.1:9000/v1": policy.address}))

    done = VERIFIERS.run(program, environment={"JUDGE_URL": judge_url, "POLICY_API_KEY": "none"})

    rows = [line.split(" ", 2) for line in done.stdout.splitlines() if line.startswith(("0 ", "1 "))]
    assert len(rows) == 8
    assert all(float(reward) == ast.literal_eval(metrics)["rubric"] for _, reward, metrics in rows)
