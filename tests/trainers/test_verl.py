"""verl's own reward loop on local Ray, and what docs/trainers/verl.md says of it."""

import json
import math
import shlex
import sys

import pytest

from tests.served import judged_by
from tests.stub_judge import labels
from tests.trainers.conftest import FAULTS, once_started
from tests.trainers.environment import ROOT, Environment
from tests.trainers.page import example

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(1_200)]

VERL = Environment("verl")
EXAMPLE = ROOT / "examples" / "verl_reward_loop"
FORMS = {
    "function": ("custom_reward_function", "+reward.custom_reward_function.reward_kwargs"),
    "manager": ("JudgeRewardManager", "+reward.reward_kwargs.judge"),
}
RUBRIC = {
    "id": "test/kindness",
    "version": "1.0.0",
    "title": "Kindness",
    "criteria": [
        {"id": "kind", "statement": "Is kind.", "points": 1, "tags": ["axis:accuracy", "axis:communication"]},
    ],
}
QUESTION = [{"role": "user", "content": "I have had a headache since yesterday. Where is the pharmacy?"}]
ANSWERED = [fault for fault in FAULTS if fault != "timeout"]


def rollout(response):
    return {"messages": QUESTION, "response": response, "ground_truth": "", "extra_info": {"rubric": RUBRIC}}


def meeting(fault):
    return rollout(f"This answer meets {fault}.")


ROLLOUTS = [rollout("Rest, and drink enough."), *map(meeting, ANSWERED)]
KEYS = {"score", "judge_failed", "judge_coverage", "criterion/kind"}


@once_started
def failing_as_told(body):
    """Each response says what becomes of the judge that reads it."""
    for fault, behave in FAULTS.items():
        if f"This answer meets {fault}." in str(body):
            return behave(body)
    return labels(Yes=0.9, No=0.1)


def overrides(form, url, **settings):
    """The page's own, with this server and these settings."""
    word, prefix = FORMS[form]
    command = example("verl", "sh", {word: word, "http://127.0.0.1:8000": url})
    told = [part for part in shlex.split(command) if part.lstrip("+").startswith("reward.")]
    named = {"deadline_seconds": 120.0, "attempts": 1, "criteria": "[kind]"} | settings
    return [*told, *(f"{prefix}.{name}={value}" for name, value in named.items())]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verl")
    with judged_by(failing_as_told) as (client, judge):
        url = str(client.base_url).rstrip("/")
        runs = {f"{form}/raise": {"overrides": overrides(form, url), "apart": True} for form in FORMS}
        runs |= {f"{form}/-0.5": {"overrides": overrides(form, url, on_failure=-0.5)} for form in FORMS}
        late = {"rollouts": [meeting("timeout")], "in_process": True}
        for form in FORMS:  # apart from the others, whom a slow machine would find late as well
            runs[f"{form}/late"] = {"overrides": overrides(form, url, deadline_seconds=0.5), **late}
            number = overrides(form, url, deadline_seconds=0.5, on_failure=-0.5)
            runs[f"{form}/late, -0.5"] = {"overrides": number, **late}
        runs |= {
            f"{form}/{policy}": {"overrides": overrides(form, url, on_failure=policy), "in_process": True}
            for form in FORMS
            for policy in ("drop", "neutral")
        }
        gdpo = shlex.split(example("verl", "sh", {"gdpo": "gdpo"}))
        told = [part for part in gdpo if part.lstrip("+").startswith(("reward.", "algorithm."))]
        kwargs = FORMS["function"][1]
        ours = [f"{kwargs}.{setting}" for setting in (f"url={url}", "attempts=1", "on_failure=-0.5")]
        runs["gdpo"] = {"overrides": [*told, *ours]}
        (folder / "plan.json").write_text(json.dumps({"runs": runs, "rollouts": ROLLOUTS}))
        VERL.run(
            "verl_rewards.py", str(EXAMPLE), str(folder / "plan.json"), str(folder / "results.json"), timeout=1_100
        )
        found = json.loads((folder / "results.json").read_text())
    # without the known texts by which a judge of thin responses is tried
    about = [body for body in judge.bodies if "capital of France" not in str(body)]
    return found | {"asked": [body for body in about if "[BEGIN RESPONSE" in str(body)]}


@pytest.mark.parametrize("form", FORMS)
def test_the_page_s_command_gives_the_judge_s_reward_on_the_last_token(results, form):
    well = results[f"{form}/raise"][0]
    assert well["rewards"] == pytest.approx([0.9], abs=1e-6)
    assert well["sums"] == well["rewards"]
    assert set(well["extra"]) == KEYS
    assert well["extra"]["judge_failed"] == [0.0]
    assert well["extra"]["criterion/kind"] == pytest.approx([0.9])


def test_the_judge_reads_the_conversation_and_the_response_without_special_tokens(results):
    assert all("Where is the pharmacy?" in str(body) for body in results["asked"])
    assert not any("<|" in str(body) for body in results["asked"])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_judge_stops_the_run_by_default(results, form, fault):
    failed = results[f"{form}/late"][0] if fault == "timeout" else results[f"{form}/raise"][1 + ANSWERED.index(fault)]
    assert "JudgeFailed" in failed["error"] + failed["text"]


@pytest.mark.parametrize("form", FORMS)
def test_a_chosen_number_stands_in_and_is_seen(results, form):
    (batch,) = results[f"{form}/-0.5"]
    assert batch["rewards"] == pytest.approx([0.9, -0.5, -0.5])
    assert set(batch["extra"]) == KEYS
    assert batch["extra"]["judge_failed"] == [0.0, 1.0, 1.0]
    assert batch["extra"]["criterion/kind"] == [pytest.approx(0.9), None, None]
    assert results[f"{form}/late, -0.5"][0]["rewards"] == [-0.5]


def test_the_components_of_the_page_s_gdpo_are_numbers_under_its_keys(results):
    (batch,) = results["gdpo"]
    for axis in ("accuracy", "communication"):
        assert batch["extra"][f"component/axis:{axis}"] == pytest.approx([0.9, -0.5, -0.5])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("policy", ["drop", "neutral"])
def test_what_verl_cannot_bear_is_refused_with_the_remedy(results, form, policy):
    (refused,) = results[f"{form}/{policy}"]
    assert refused["error"] == "BadConfiguration"
    assert f"verl cannot bear {policy}. Choose raise or a number (JUDGE_ON_FAILURE)." in refused["text"]


def test_verl_itself_crashes_on_none_and_lets_nan_in(results):
    """The page says so; it is why the adapter refuses to drop."""
    assert results["without_policy"]["none"]["error"] == "TypeError"
    assert math.isnan(results["without_policy"]["nan"]["sums"][0])


def test_the_example_prints_what_its_readme_shows():
    """With a server of its own, as the README's command starts it."""
    done = VERL.command(sys.executable, str(EXAMPLE / "run.py"), str(VERL.python))
    shown = (EXAMPLE / "README.md").read_text().split("```text\n")[1].split("```")[0]
    table = done.stdout[done.stdout.index(shown.splitlines()[0]) :]
    assert [line.rstrip() for line in table.splitlines()[:5]] == shown.splitlines()


ROWS = """
import asyncio
from judge_client.adapters.verl import compute_score
rows = pandas.read_parquet("prompts.parquet").to_dict("records")
for row in rows:
    told = {**row["extra_info"], "raw_prompt": row["prompt"]}
    scored = asyncio.run(compute_score(row["data_source"], "Rest.", row["reward_model"]["ground_truth"], told))
    print("SCORE", scored["score"])
"""


def test_the_rows_of_the_page_are_what_the_function_reads(tmp_path):
    """Through the parquet file, whose columns come back as arrays of numpy."""
    program = tmp_path / "rows.py"
    program.write_text(example("verl", "python", {"to_parquet": "to_parquet"}) + ROWS)
    with judged_by(failing_as_told) as (client, _):
        around = {"JUDGE_URL": str(client.base_url), "JUDGE_RUBRIC": "medical/consultation"}
        done = VERL.run(program, environment=around, cwd=tmp_path)
    scores = [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("SCORE")]
    assert len(scores) == 2
    assert all(-1 <= score <= 1 for score in scores)
