"""How many files one scored submission passes: the path must stay short enough to read."""

import json
import subprocess
import sys

from tests.project.repository import ROOT

MOST_FILES = 60
MOST_HOPS = 127


def test_a_scored_submission_passes_few_files_and_few_hops_between_them():
    command = [sys.executable, "-m", "benchmarks.path_trace", "--json"]
    traced = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert traced.returncode == 0, traced.stderr[-2_000:]
    found = json.loads(traced.stdout)
    assert found["files"] <= MOST_FILES
    assert found["hops"] <= MOST_HOPS
