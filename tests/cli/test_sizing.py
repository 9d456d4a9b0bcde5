"""The command that says how large an installation must be."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from judge_server.cli import app
from judge_server.core.engine import EngineLimits
from judge_server.core.judgment import Usage
from judge_server.models.protocol import Completion
from judge_server.sizing.engine import EngineSpeed
from judge_server.sizing.profile import Burst, Measured, Profiler, bursts, simulated, speed_from
from judge_server.sizing.replica import Replica
from judge_server.sizing.step_cost import FrontCost, StepCost
from judge_server.sizing.workload import TrainingStep

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


class _Listener:
    """Answers at once and keeps what it is asked."""

    name = "listener"

    def __init__(self):
        self.asked = []

    async def complete(self, request):
        self.asked.append(request)
        return Completion("Yes", usage=Usage(prompt_tokens=100, completion_tokens=1, calls=1))


async def test_a_text_that_bursts_share_is_split_into_tokens_once_as_a_servers_texts_are():
    """Trusted texts are joined and split anew in every call: that took more than the call itself."""
    listener = _Listener()
    await Profiler(listener).measure((Burst(8, 200, 16),), lambda done, of: None)
    segments = [segment for request in listener.asked for turn in request.prompt.turns for segment in turn.segments]
    assert segments
    assert not any(segment.trusted for segment in segments)


def test_the_costs_of_a_simulated_engine_and_of_asking_it_are_found_from_its_bursts():
    cost = StepCost(step=0.004, token=4e-5, sequence=2e-4, pair=3e-9, context=2e-8, call=3e-4, admitted=2e-7)
    front = FrontCost(call=3e-4, sent=1e-6, new=7e-7, read=5e-5)
    engine = EngineSpeed(name="simulated", cost=cost, front=front, limits=LIMITS, origin="measured")

    def measured(burst) -> Measured:
        known = burst.shared + burst.own - 1 if burst.again else burst.shared
        one = Measured(burst, 1.0, 1.0, burst.shared + burst.own, 40 if burst.answers else 1, known)
        used = front.seconds(*one.exchanged)
        return replace(one, seconds=simulated(one, engine).seconds, processor_seconds=used)

    found = speed_from("simulated", [measured(burst) for burst in bursts(4_096)], LIMITS)
    assert found.error is not None
    assert found.error < 0.03
    assert found.front.model_dump() == pytest.approx(front.model_dump(), rel=1e-3)
    work = TrainingStep(rollouts=40, criteria=12, response_tokens=400, prompt_tokens=200)
    assert Replica(found).judge(work).seconds == pytest.approx(Replica(engine).judge(work).seconds, rel=0.05)
