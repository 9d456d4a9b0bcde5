"""``calibrate tune`` with a real model: SmolLM2 learns K-QA's labels in TRL's environment, and vLLM serves the adapter.

What it changes is written down, and not demanded: a model this small is no judge.
"""

import csv
import json
import sys

import pytest

from tests.calibration.measured import DATA
from tests.command import judge_server
from tests.real_model import real_model
from tests.trainers.environment import Environment

pytestmark = [pytest.mark.engine, pytest.mark.longest, pytest.mark.real_model, pytest.mark.timeout(3_600)]

RUBRIC = """\
id: kqa/entails
version: 1.0.0
title: Whether an answer says what a claim says
criteria:
  - {id: entailment, statement: The response says what the reference says., reference: required}
"""
ENGINE = 'engine = {dtype = "float32", kv_cache_gib = 1, max_model_len = 4096, max_num_seqs = 32}'
LONGEST_ANSWER = 1_000  # characters: 289 claims about 38 questions
HOUR = 3_600


@pytest.fixture
def folder(tmp_path):
    source = DATA / "kqa_nli_physicians.csv"
    if not source.exists():
        pytest.skip("kqa_nli_physicians.csv is not beside the repository")
    with source.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if len(row["answer"]) <= LONGEST_ANSWER]
    with (tmp_path / "kqa.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["item", "criterion", "annotator", "role", "label", "prompt", "response", "reference"])
        for number, row in enumerate(rows):
            met = "met" if row["majority_label"] == "Entailment" else "unmet"
            texts = [row["Question"], row["answer"], row["claim"]]
            table.writerow([f"claim-{number}", "entailment", "majority", "human", met, *texts])
    (tmp_path / "entails.yaml").write_text(RUBRIC)
    model = f'[judges.small]\nmodel = "vllm:{real_model()}"\nmin_label_mass = 0.0\n{ENGINE}\n'
    (tmp_path / "judges.toml").write_text(model)
    return tmp_path


def test_a_real_adapter_is_trained_served_and_compared_on_held_out_prompts(folder):
    trl = Environment("trl")
    trl.install()
    split = judge_server("calibrate", "import", "kqa.csv", "--test-share", 0.2, "--out", "split.csv", cwd=folder)
    assert split.returncode == 0, split.stderr
    words = ("calibrate", "tune", "split.csv", "--rubric", "entails.yaml", "--config", "judges.toml", "--json")
    size = ("--epochs", 1, "--batch", 4, "--learning-rate", 0.0005, "--minutes", 4, "--checkpoint-steps", 4)
    done = judge_server(*words, *size, "--python", trl.python, "--out", "tuned", cwd=folder, timeout=HOUR)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    sys.stdout.write(f"{found['held_out']} {found['trained']}\n")  # pytest -s: what one wants to read
    assert found["trained"]["steps"] >= 1
    assert found["held_out"]["test"]["ratings"] > 30
    assert found["held_out"]["silent_after"] == 0
    assert (folder / "tuned" / "adapter" / "adapter_model.safetensors").exists()
    again = judge_server(*words, *size, "--python", trl.python, "--out", "tuned", cwd=folder, timeout=HOUR)
    assert json.loads(again.stdout) == found
