"""The example of reward hacking says that it was caught only if an alarm said so, and not if something failed."""

import os
import subprocess

import pytest

from tests.project.repository import ROOT
from tests.yardstick import PATIENCE_SECONDS

SERVER = """#!/bin/sh
[ "$1" = monitor ] && exit ${MONITOR:-0}
exec sleep 1000
"""
TRAINER = """#!/bin/sh
case "$1" in
*train.py) exit ${TRAINING:-0} ;;
*alarms.py) exit ${ALARMS:-0} ;;
esac
"""
"""The server and the trainer's Python, as far as the script sees them: each ends with the status that it is told."""


@pytest.fixture
def ended(tmp_path):
    """``ended(ALARMS="10")``: the script's exit status if its programs end so."""
    programs = {"JUDGE_SERVER": SERVER, "TRAINER_PYTHON": TRAINER}
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    given = {name: str(tmp_path / name) for name in programs} | {"CHECKPOINT": str(tmp_path)}

    def ended(**statuses):
        done = subprocess.run(
            ["bash", ROOT / "examples" / "reward_hacking" / "run.sh", "--out", tmp_path / "out"],
            env=os.environ | given | statuses,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return done.returncode

    return ended


@pytest.mark.parametrize("statuses", [{"ALARMS": "10"}, {"MONITOR": "1"}, {"ALARMS": "10", "MONITOR": "1"}])
def test_an_alarm_of_the_texts_or_of_the_monitors_caught_it(ended, statuses):
    assert ended(**statuses) == 0


def test_a_run_without_an_alarm_is_told_apart(ended):
    assert ended() == 3


@pytest.mark.parametrize(
    "statuses", [{"TRAINING": "1"}, {"ALARMS": "1"}, {"MONITOR": "2"}, {"ALARMS": "10", "MONITOR": "2"}], ids=str
)
def test_what_failed_has_caught_nothing(ended, statuses):
    assert ended(**statuses) not in (0, 3)
