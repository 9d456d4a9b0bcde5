"""Tasks of Trinity-RFT, and what docs/trainers/trinity.md says of them."""

import itertools
import json
from contextlib import ExitStack

import pytest
import yaml

from tests.client.adapters.telling import FAILING, GOOD, QUESTION, settings, telling
from tests.served import served, settings_of
from tests.trainers.environment import Environment
from tests.trainers.page import example, examples

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(300)]

TRINITY = Environment("trinity")
POLICIES = ("raise", "neutral", 0.25)
FORMAT = {"prompt_key": "question", "response_key": "answer"}
WORKFLOW = {"default_workflow_type": "judge_client.adapters.trinity.RubricWorkflow"}
FUNCTION = {
    "default_workflow_type": "async_simple_workflow",
    "default_reward_fn_type": "judge_client.adapters.trinity.RubricReward",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """All runs in one process."""
    folder = tmp_path_factory.mktemp("trinity")
    with ExitStack() as stack:
        url, judge = stack.enter_context(telling())
        baseline = str(stack.enter_context(served(settings_of())).base_url)

        def run(kind, answers, chosen=None, *, form=FORMAT, answer="Rest.", **more):
            given = {
                name: value for name, value in settings(url, on_failure=chosen, **more).items() if value is not None
            }
            row = {"question": QUESTION, "answer": answer}
            return {"taskset": {**kind, "format": form, "reward_fn_args": given}, "row": row, "answers": answers}

        page = yaml.safe_load(example("trinity", "yaml", {"http://127.0.0.1:8000": baseline}))
        row, enveloped = (json.loads(text) for text in examples("trinity", "json"))
        envelope = json.dumps({"prompt": QUESTION})
        runs = {
            "page": {"taskset": page, "row": row, "answers": ["Drink water and rest.", "See a doctor."]},
            "well": run(WORKFLOW, [GOOD, "Rest."]),
            "prefixed": run(WORKFLOW, ["rest."], form={**FORMAT, "system_prompt": "Be kind.", "reply_prefix": "Now "}),
            "function": run(FUNCTION, [GOOD, "Rest."], answer=enveloped["answer"]),
            "no prompt": run(FUNCTION, [GOOD]),
            "drop": run(WORKFLOW, [GOOD], "drop"),
            "unknown rubric": run(WORKFLOW, [GOOD], 0.25, rubric="medical/consultatoin"),
        }
        for (fault, answer), chosen in itertools.product(FAILING.items(), POLICIES):
            runs[f"{fault}, {chosen}"] = run(WORKFLOW, [answer], chosen)
            runs[f"one {fault}, {chosen}"] = run(WORKFLOW, [answer, GOOD], chosen)
            runs[f"{fault}, {chosen}, function"] = run(FUNCTION, [answer], chosen, answer=envelope)
        (folder / "runs.json").write_text(json.dumps(runs))
        TRINITY.run("trinity_tasks.py", str(folder / "runs.json"), str(folder / "results.json"))
        bodies = [str(body) for body in judge.bodies]
    return {**json.loads((folder / "results.json").read_text()), "bodies": bodies}


def rewards(result):
    return [one["reward"] for one in result]


def test_all_responses_to_a_task_get_their_rewards_and_metrics(results):
    assert rewards(results["well"]) == pytest.approx([0.9, 0.9])
    assert [one["run"] for one in results["well"]] == [0, 1]
    for one in results["well"]:
        assert one["metrics"]["rubric"] == one["reward"]
        assert one["metrics"]["rubric/criterion/kind"] == pytest.approx(0.9)
        assert one["metrics"]["rubric/judge_failed"] == 0.0


def test_the_conversation_of_the_workflow_is_judged(results):
    (asked,) = [body for body in results["bodies"] if "Now rest." in body]
    assert rewards(results["prefixed"]) == pytest.approx([0.9])
    assert asked.index("Be kind.") < asked.index(QUESTION) < asked.index("Now rest.")


def test_a_reward_function_of_trinitys_own_workflow_returns_one_value(results):
    assert rewards(results["function"]) == pytest.approx([0.9, 0.9])
    assert all(one["metrics"].keys() == {"rubric"} for one in results["function"])


def test_a_truth_without_the_prompt_is_told(results):
    assert results["no prompt"]["error"].startswith("BadSample: The sample has no prompt. Put it into the label")


@pytest.mark.parametrize("fault", FAILING)
@pytest.mark.parametrize(
    "run", ["{}, raise", "one {}, raise", "{}, neutral", "{}, raise, function", "{}, neutral, function"]
)
def test_a_failed_judge_fails_the_task(results, fault, run):
    assert results[run.format(fault)]["error"].startswith("JudgeFailed: No reward")


@pytest.mark.parametrize("fault", FAILING)
def test_neutral_is_the_mean_of_the_tasks_other_responses(results, fault):
    assert rewards(results[f"one {fault}, neutral"]) == pytest.approx([0.9, 0.9])
    assert results[f"one {fault}, neutral"][0]["metrics"]["rubric/judge_substituted"] == 1.0


@pytest.mark.parametrize("fault", FAILING)
def test_a_number_that_was_chosen_is_the_reward_and_can_be_seen(results, fault):
    assert rewards(results[f"one {fault}, 0.25"]) == pytest.approx([0.25, 0.9])
    assert rewards(results[f"{fault}, 0.25, function"]) == [0.25]
    failed = results[f"one {fault}, 0.25"][0]["metrics"]
    assert (failed["rubric/judge_failed"], failed["rubric/judge_substituted"]) == (1.0, 1.0)


def test_what_trinity_cannot_bear_is_refused(results):
    assert "Trinity-RFT cannot bear drop. Choose raise or neutral or a number" in results["drop"]["error"]


def test_a_rubric_that_the_server_does_not_know_is_raised(results):
    assert results["unknown rubric"]["error"].startswith("UnknownRubric")


def test_the_configuration_and_the_row_of_the_page_give_rewards(results):
    assert all(0 < reward <= 1 for reward in rewards(results["page"]))
    assert len(results["page"]) == 2
