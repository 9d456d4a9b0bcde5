"""What judge_client.adapters.trl makes of the TRL beside it; tests/trainers/test_trl.py trains."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from judge_client.adapters.trl import SyncRubricReward
from tests.served import served, settings_of

PROGRAM = """
from judge_client.adapters import trl
from judge_client.errors import BadConfiguration

print("default", trl.RubricReward("test/listed").rewarder.on_failure)
try:
    print("drop", trl.SyncRubricReward("test/listed", on_failure="drop").rewarder.on_failure)
except BadConfiguration as refusal:
    print("refused", refusal)
"""


def told(tmp_path, version):
    """What the program prints in an environment where TRL says it is of this version."""
    metadata = tmp_path / f"trl-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: trl\nVersion: {version}\n")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


@pytest.mark.parametrize("version", ["0.18.2", "1.5.1"])
def test_a_trl_that_counts_a_missing_reward_as_0_is_never_given_one(tmp_path, version):
    said = told(tmp_path, version)

    assert "default raise" in said
    assert "refused on_failure: TRL before 1.6, which counts a missing reward as 0, cannot bear drop" in said


@pytest.mark.parametrize("version", ["1.6.0", "1.16.0", "1.7.0.dev0", "2.0.0"])
def test_a_trl_that_masks_missing_rewards_is_given_them(tmp_path, version):
    assert told(tmp_path, version) == "default drop\ndrop drop\n"


def test_a_judgment_has_the_step_under_which_trl_logs_its_reward():
    """TRL logs a step when it is done: while the rewards of its first step are computed, ``global_step`` is 0."""
    with served(settings_of()) as client:
        url = str(client.base_url).rstrip("/")
        reward = SyncRubricReward("medical/consultation", url=url, run="night-7")
        for done in (0, 6):
            reward(["I cough."], [f"Rest for {done} days."], trainer_state=SimpleNamespace(global_step=done))
        reward(["I cough."], ["Rest."])
        listed = client.get("/v1/judgments", params={"run": "night-7"}).json()["judgments"]
    assert [one["submission"]["step"] for one in listed] == [None, 7, 1]
