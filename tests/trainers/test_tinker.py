"""Group rollouts of the Tinker cookbook, and what docs/trainers/tinker.md says of them."""

import itertools
import json
from contextlib import ExitStack

import pytest

from tests.client.adapters.telling import FAILING, RUBRIC, settings, telling
from tests.served import served, settings_of
from tests.trainers.environment import Environment
from tests.trainers.page import example

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(300)]

TINKER = Environment("tinker")
ANSWERS = ["Lie down.", "Drink water.", "See a doctor if it lasts."]
POLICIES = ("raise", "neutral", 0.25)


@pytest.fixture(scope="module")
def results(tiny_checkpoint, tmp_path_factory):
    """All runs in one process."""
    folder = tmp_path_factory.mktemp("tinker")
    (folder / "page.py").write_text(example("tinker", "python", {"ConsultationsBuilder": "ConsultationsBuilder"}))
    with ExitStack() as stack:
        url, judge = stack.enter_context(telling())
        baseline = str(stack.enter_context(served(settings_of())).base_url)

        def run(answers, chosen=None, *, address=url, strategy="fast", **more):
            given = settings(address, on_failure=chosen)
            rubric = given.pop("rubric")
            return {"answers": answers, "strategy": strategy, "fields": {"rubric": rubric, "settings": given, **more}}

        runs = {
            "well": run(ANSWERS),
            "listwise": run(ANSWERS, address=baseline, relative=True, row={"reference": "Rest."}),
            "pairwise": run(ANSWERS, address=baseline, relative={"kind": "pairwise"}),
            "thinking": run(["<think>\nA headache.\n</think>\n\nRest."]),
            "drop": run(ANSWERS, "drop"),
            "unknown rubric": run(ANSWERS, 0.25),
        }
        water = {**RUBRIC, "criteria": [{"id": "water", "statement": "Says to drink water.", "points": 1}]}
        runs["listwise"]["fields"]["rubric"] = runs["pairwise"]["fields"]["rubric"] = water
        runs["unknown rubric"]["fields"]["rubric"] = "medical/consultatoin"
        for (fault, answer), chosen in itertools.product(FAILING.items(), POLICIES):
            runs[f"{fault}, {chosen}"] = run([answer], chosen)
            runs[f"one {fault}, {chosen}"] = run([answer, *ANSWERS[1:]], chosen)
            runs[f"{fault}, {chosen}, retry"] = run([answer], chosen, strategy="retry")
        (folder / "runs.json").write_text(json.dumps(runs))
        TINKER.run(
            "tinker_groups.py",
            *(str(folder / "runs.json"), str(folder / "results.json"), str(tiny_checkpoint)),
            environment={"PYTHONPATH": str(folder), "JUDGE_URL": baseline},
        )
        bodies = [str(body) for body in judge.bodies]
    return {**json.loads((folder / "results.json").read_text()), "bodies": bodies}


def test_the_responses_of_a_group_are_judged_after_its_rollouts(results):
    assert results["well"]["rewards"] == pytest.approx([0.9] * 3)
    for metrics in results["well"]["metrics"]:
        assert metrics["judge/criterion/kind"] == pytest.approx(0.9)
        assert metrics["judge/judge_failed"] == 0.0


@pytest.mark.parametrize("kind", ["listwise", "pairwise"])
def test_the_responses_of_a_group_are_compared(results, kind):
    assert len(results[kind]["rewards"]) == 3
    assert all(0 <= reward <= 1 for reward in results[kind]["rewards"])
    assert results[kind]["rewards"][1] == max(results[kind]["rewards"]) > min(results[kind]["rewards"])


def test_thinking_is_no_part_of_the_answer(results):
    assert results["thinking"]["rewards"] == pytest.approx([0.9] * 3)
    assert not any("<think>" in body for body in results["bodies"])


@pytest.mark.parametrize("fault", FAILING)
def test_a_failed_judge_ends_training_or_costs_the_group_as_the_strategy_says(results, fault):
    assert results[f"{fault}, raise"]["error"].startswith("JudgeFailed: No reward")
    assert results[f"one {fault}, raise"]["error"].startswith("JudgeFailed: No reward")
    assert results[f"{fault}, raise, retry"] is None


@pytest.mark.parametrize("fault", FAILING)
def test_neutral_is_the_mean_of_the_group_and_needs_one(results, fault):
    assert results[f"one {fault}, neutral"]["rewards"] == pytest.approx([0.9] * 3)
    assert results[f"one {fault}, neutral"]["metrics"][0]["judge/judge_substituted"] == 1.0
    assert results[f"{fault}, neutral"]["error"].startswith("JudgeFailed: No reward")


@pytest.mark.parametrize("fault", FAILING)
def test_a_number_that_was_chosen_is_the_reward_and_can_be_seen(results, fault):
    assert results[f"one {fault}, 0.25"]["rewards"] == pytest.approx([0.25, 0.9, 0.9])
    for metrics in results[f"{fault}, 0.25"]["metrics"]:
        assert metrics["judge/judge_failed"] == 1.0
        assert metrics["judge/judge_substituted"] == 1.0


def test_what_tinker_cannot_bear_is_refused(results):
    assert "Tinker cannot bear drop. Choose raise or neutral or a number" in results["drop"]["error"]


def test_a_rubric_that_the_server_does_not_know_is_raised(results):
    assert results["unknown rubric"]["error"].startswith("UnknownRubric")


def test_the_groups_of_the_page_get_rewards(results):
    assert [len(group["rewards"]) for group in results["page"]] == [4, 4]
    assert all(0 < reward <= 1 for group in results["page"] for reward in group["rewards"])
