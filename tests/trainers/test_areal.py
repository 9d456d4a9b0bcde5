"""AReaL's own reward wrapper, and what docs/trainers/areal.md says of it."""

import json

import pytest

from tests.client.adapters.telling import FAILING, GOOD, MESSAGES, RENDERED, RUBRIC, settings, telling
from tests.client.adapters.test_areal import within
from tests.trainers.environment import Environment

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(300)]

AREAL = Environment("areal")


def run(response, told, **more):
    row = {"messages": MESSAGES, "answer": "", "rubric": RUBRIC}
    return {"prompt": RENDERED, "response": f"{response}<|im_end|>", "row": row, "settings": told, **more}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("areal")
    with telling() as (url, _):
        runs = {"well": run(GOOD, within(url)), "by path": run(GOOD, None)}
        for fault, response in FAILING.items():
            runs[f"{fault}/raise"] = run(response, within(url, fault))
            runs[f"{fault}/0.25"] = run(response, within(url, fault, on_failure=0.25))
        runs["impatient"] = run(FAILING["timeout"], settings(url, deadline_seconds=2), patience=0.3)
        (folder / "runs.json").write_text(json.dumps(runs))
        AREAL.run(
            "areal_rewards.py",
            *(str(folder / name) for name in ("runs.json", "results.json")),
            environment={"JUDGE_URL": url},
        )
    return json.loads((folder / "results.json").read_text())


def test_a_reward_comes_through_the_process_pool(results):
    assert results["well"]["reward"] == pytest.approx(0.9)
    assert results["by path"]["reward"] == pytest.approx(0.9)


@pytest.mark.parametrize("fault", FAILING)
def test_a_failed_judge_raises_or_is_the_chosen_number(results, fault):
    assert results[f"{fault}/raise"]["error"] == "JudgeFailed"
    assert results[f"{fault}/0.25"]["reward"] == 0.25


def test_areal_itself_takes_0_when_its_patience_ends(results):
    """The page says so; it is why a deadline beyond AReaL's patience is refused."""
    assert results["impatient"]["reward"] == 0
