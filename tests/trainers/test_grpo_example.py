"""The example of GRPO on a CPU, shortened: its reward curve rises."""

import json
import socket
import statistics
import sys
from pathlib import Path

import pytest

from tests.trainers.environment import ROOT, Environment

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(600)]

EXAMPLE = ROOT / "examples" / "grpo_trl"
TRL = Environment("trl")


def free_port() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def test_the_reward_curve_of_the_example_rises(tmp_path):
    TRL.install()
    chosen = {
        "JUDGE_SERVER": str(Path(sys.executable).with_name("judge-server")),
        "TRAINER_PYTHON": str(TRL.python),
        "PORT": free_port(),
    }

    done = TRL.command("bash", str(EXAMPLE / "run.sh"), "--steps", "28", "--out", str(tmp_path), environment=chosen)

    rewards = [step["reward"] for step in json.loads((tmp_path / "run.json").read_text())["steps"]]
    assert len(rewards) == 28
    assert statistics.fmean(rewards[-7:]) > statistics.fmean(rewards[:7]) + 0.1
    assert (tmp_path / "reward.png").read_bytes().startswith(b"\x89PNG")
    assert "▃" in done.stdout
