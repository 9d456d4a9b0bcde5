"""The example of docs/trainers/unsloth.md on a CPU, where Unsloth leaves TRL's trainer as it is."""

import pytest

from tests.trainers.environment import Environment
from tests.trainers.page import example, lay_out

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(600)]

UNSLOTH = Environment("unsloth")
END = "trainer.train()\n"
AND_TELL = """
import math

told = [step for step in trainer.state.log_history if "reward" in step]
print("TRAINER", type(trainer).__module__, "MODEL", type(model.get_base_model()).__name__)
print("REWARDS", [step["reward"] for step in told], [step["medical/consultation/judge_failed"] for step in told])
learned = sum(weight.abs().sum().item() for name, weight in model.named_parameters() if "lora_B" in name)
print("LEARNED", learned > 0 and math.isfinite(learned))
"""
SHORTER = {"max_completion_length=64": "max_completion_length=8", END: END + AND_TELL}


@pytest.fixture
def train(tiny_checkpoint, tmp_path):
    """Runs the page's example, which then tells what became of it."""

    def run(url, policy="", expect=0):
        lay_out("unsloth", tmp_path, tiny_checkpoint)
        (tmp_path / "example.py").write_text(example("unsloth", "python", SHORTER))
        environment = {"JUDGE_URL": url, "JUDGE_ON_FAILURE": policy, "UNSLOTH_DISABLE_STATISTICS": "1"}
        return UNSLOTH.run(tmp_path / "example.py", environment=environment, cwd=tmp_path, expect=expect)

    return run


def test_the_example_of_the_page_trains(judge_url, train):
    done = train(judge_url)

    assert "TRAINER trl.trainer.grpo_trainer MODEL Qwen3ForCausalLM" in done.stdout
    assert "[0.0, 0.0]\n" in done.stdout.partition("REWARDS")[2]
    assert "LEARNED True" in done.stdout


def test_a_failed_judge_teaches_nothing(serving, train):
    with serving("garbage") as url:
        done = train(url)

    assert "REWARDS [None, None] [1.0, 1.0]" in done.stdout
    assert "LEARNED False" in done.stdout


def test_a_failed_judge_stops_the_training_where_it_is_to(serving, train):
    with serving("unavailable") as url:
        done = train(url, "raise", expect=1)

    assert "JudgeFailed" in done.stderr
    assert "TRAINER" not in done.stdout
