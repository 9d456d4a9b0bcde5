"""The command that says how large an installation must be."""

import json

import pytest
from typer.testing import CliRunner

from judge_server.cli import app
from judge_server.core.engine import EngineLimits
from judge_server.sizing.engine import EngineSpeed
from judge_server.sizing.profile import Measured, bursts, speed_from, work_of
from judge_server.sizing.step_cost import StepCost

WORK = ["size", "--rollouts", "64", "--criteria", "3", "--tokens", "300"]
CARD = ["--model", "Qwen3-8B", "--gpu", "H100"]
LIMITS = EngineLimits(step_tokens=2_048, sequences=64, kv_tokens=100_000, block_tokens=16)


def size(*arguments: str):
    return CliRunner().invoke(app, [*WORK, *arguments])


def test_the_plan_names_engines_time_and_what_was_not_measured():
    done = size(*CARD, "--step-seconds", "20", "--gpu-hour", "3")
    assert done.exit_code == 0
    assert "engines" in done.stdout
    assert "Nothing of it was measured." in " ".join(done.stdout.split())
    assert "dollars" in done.stdout


def test_a_written_profile_is_read_back(tmp_path):
    file = tmp_path / "engine.json"
    speed = EngineSpeed(name="mine", cost=StepCost(step=0.01), limits=LIMITS, origin="measured", error=0.05)
    file.write_text(speed.model_dump_json())
    made = json.loads(size("--profile", str(file), "--engines", "2", "--server-ms", "0", "--json").stdout)
    assert made["engine"]["name"] == "mine"
    assert made["fleet"]["engines"] == 2
    assert made["fleet"]["seconds"] == pytest.approx(0.01 * made["fleet"]["steps"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--profile FILE"),
        ([*CARD], "--step-seconds"),
        (["--model", "Nobody/Knows-9B", "--gpu", "H100", "--engines", "1"], "config.json"),
        (["--model", "Qwen3-8B", "--gpu", "abacus", "--engines", "1"], "data sheet"),
        (["--model", "Llama-3.1-70B", "--gpu", "L4", "--engines", "1"], "--tensor-parallel"),
        ([*CARD, "--seconds", "0.001"], "Allow more time"),
    ],
)
def test_what_cannot_be_sized_is_said_with_the_remedy(arguments, said):
    done = size(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_file_that_is_no_profile_is_refused(tmp_path):
    file = tmp_path / "engine.json"
    file.write_text('{"name": 1}')
    done = size("--profile", str(file), "--engines", "1")
    assert done.exit_code == 2
    assert "doctor --profile" in done.stderr


def test_a_judge_without_an_engine_in_this_process_cannot_be_measured(tmp_path):
    done = CliRunner().invoke(app, ["doctor", "--model", "baseline", "--profile", str(tmp_path / "engine.json")])
    assert done.exit_code == 2
    assert "vllm:" in done.stderr


def test_the_cost_of_a_simulated_engine_is_found_from_its_bursts():
    cost = StepCost(step=0.004, token=4e-5, sequence=2e-4, pair=3e-9, context=2e-8)

    def measured(burst) -> Measured:
        known = burst.shared + burst.own - 1 if burst.again else burst.shared
        one = Measured(burst, 1.0, burst.shared + burst.own, 40 if burst.answers else 1, known)
        work = work_of(one, LIMITS)
        seconds = cost.seconds(work) + cost.step * (work.steps - 1)
        return Measured(burst, seconds, one.prompt_tokens, one.answer_tokens, one.known_tokens)

    found = speed_from("simulated", [measured(burst) for burst in bursts(4_096)], LIMITS)
    assert found.error is not None
    assert found.error < 1e-6
    assert found.cost.token == pytest.approx(cost.token, rel=1e-3)
