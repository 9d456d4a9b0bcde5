"""A tuning killed with SIGKILL while judge and adapter are asked: what was answered is not asked again."""

import subprocess
import sys

import pytest

from judge_server.calibration.tune_run import ROWS, TRAINED
from tests.project.repository import ROOT

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


def tune(out, *point):
    return subprocess.run(
        [sys.executable, "-m", "tests.calibration.killed_tuning", out, *map(str, point)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_nothing_is_asked_twice_wherever_it_is_killed(tmp_path):
    """Three kills while the judge answers, and two while the adapter does."""
    out = tmp_path / "out"
    done = tune(out)
    assert done.returncode == 0, done.stderr
    once = (tmp_path / "asked.txt").read_text().splitlines()
    assert len(once) == len(set(once))
    half = len(once) // 2
    killed = tmp_path / "killed"
    killed.mkdir()
    for point in (1, half // 2, half - 1, half + 3, len(once) - 2):
        ended = tune(killed / "out", point)
        assert ended.returncode == -9, ended.stderr
        assert (killed / "out" / TRAINED).exists() == (point > half)
    again = tune(killed / "out")
    assert again.returncode == 0, again.stderr
    assert again.stdout == done.stdout
    assert sorted((killed / "asked.txt").read_text().splitlines()) == sorted(once)
    assert (killed / "trained.txt").read_text() == "begun\n"
    assert (killed / "out" / ROWS).read_text() == (out / ROWS).read_text()
