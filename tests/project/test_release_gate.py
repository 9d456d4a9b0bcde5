"""The benchmark gate fails if a verdict costs more than at the base, and says so if nothing could be compared."""

import subprocess
import sys

import pytest

from benchmarks.release_gate import DEARER, ENOUGH, NOT_COMPARED, Comparison, Ratio, compared, status
from tests.project.repository import ROOT


def figures(*cpu: float, rate: float = 1_000.0) -> list[dict[str, float]]:
    return [{"cpu_milliseconds": one, "verdicts_per_second": rate} for one in cpu]


def test_ratios_are_taken_round_by_round_so_that_a_slow_minute_counts_for_neither():
    found = compared(figures(0.2, 2.0, 0.2), figures(0.25, 2.5, 0.25, rate=800.0))
    assert (found.processor_time.median, found.throughput.median) == (pytest.approx(0.8), pytest.approx(0.8))


def test_one_disturbed_round_decides_nothing():
    assert compared(figures(0.2, 0.2, 0.2), figures(0.2, 0.2, 9.0)).processor_time.median == 1


def test_the_lowest_and_the_highest_round_are_the_interval():
    found = compared(figures(0.2, 0.3, 0.4), figures(0.2, 0.2, 0.2)).processor_time
    assert str(found) == "1.500 (1.000 to 2.000)"


@pytest.mark.parametrize(("ratio", "ended"), [(0.89, DEARER), (0.9, ENOUGH), (1.4, ENOUGH)])
def test_below_the_bound_the_gate_fails(ratio, ended):
    assert status(Comparison(Ratio.of([ratio]), Ratio.of([2.0])), 0.9) == ended


@pytest.mark.parametrize("this", [[], figures(0.1)])
def test_without_equal_rounds_there_is_no_ratio(this):
    with pytest.raises(ValueError, match="rounds"):
        compared(figures(0.1, 0.1) if this else [], this)


def test_a_base_that_does_not_exist_is_no_pass():
    command = [sys.executable, "-m", "benchmarks.release_gate", "--base", "no-such-commit"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == NOT_COMPARED
    assert "no-such-commit is no commit here" in done.stderr
