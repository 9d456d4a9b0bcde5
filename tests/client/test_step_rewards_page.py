"""docs/step-rewards.md: its rubric, its JSON and its example are what really happens."""

import json
import os
import re
import subprocess
import sys

import pytest

from examples.tiny_checkpoint import train_tokenizer
from judge_server.authoring.parsing import parse
from judge_server.core.outcome import StepReward
from tests.project.repository import ROOT
from tests.served import judged_by
from tests.stub_judge import labels

PAGE = (ROOT / "docs" / "step-rewards.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def hasty_about_the_flu(body):
    """Yes to every question about the last step, and only to "Follows" about the first."""
    asked = json.dumps(body["messages"])
    about_the_flu = "(step 2)" in asked
    return labels(Yes=0.9, No=0.1) if about_the_flu or "Follows" in asked else labels(Yes=0.2, No=0.8)


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policy")
    train_tokenizer().save_pretrained(folder)
    return folder


@pytest.mark.timeout(180)
def test_the_example_of_the_page_places_the_rewards_of_its_steps(policy, tmp_path):
    program = tmp_path / "steps.py"
    program.write_text(blocks("python")[0], encoding="utf-8")
    with judged_by(hasty_about_the_flu) as (client, _):
        environment = os.environ | {"JUDGE_URL": str(client.base_url), "HF_HUB_OFFLINE": "1"}
        done = subprocess.run(
            [sys.executable, program, policy], capture_output=True, text=True, env=environment, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        (listed,) = client.get("/v1/judgments").json()["judgments"]
        kept = client.get(f"/v1/judgments/{listed['id']}").json()
    first, second, whole = done.stdout.splitlines()
    assert re.fullmatch(r"\+0\.800 on token \d+ of \d+, the last of '39 °C 🤒 for three days needs a doctor\.'", first)
    assert re.fullmatch(r"\+0\.450 on token \d+ of \d+, the last of '\W*It must be the flu\.'", second)
    assert whole == "reward of the whole response: +0.625"
    assert [step["value"] for step in kept["step_rewards"]] == pytest.approx([0.8, 0.45])
    assert [step["span"] for step in kept["step_rewards"]] == [[7, 45], [47, 66]]


def test_the_rubric_of_the_page_is_one():
    assert [leaf.scope for leaf in parse(blocks("yaml")[0]).rubric.leaves] == ["step", "step", "answer"]


def test_the_json_of_the_page_has_the_fields_of_a_step_reward():
    shown = json.loads(blocks("json")[0])
    assert set(shown) == set(StepReward.model_fields)
    StepReward.model_validate(shown)


def test_every_argument_of_the_helper_is_on_the_page():
    for name in ("spread", "on_failure", "trainable", "turns", "origin"):
        assert f"`{name}" in PAGE
