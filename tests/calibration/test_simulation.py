"""The simulation behind ``make simulate``: every cell draws, truth is exact, and a run can be continued."""

import numpy as np
import pytest

from benchmarks.simulation.__main__ import read, simulated, write
from benchmarks.simulation.cell import Cell, Demand, Outcome, lines
from benchmarks.simulation.cells import CELLS
from benchmarks.simulation.comparing import EqualJudges, claimed
from benchmarks.simulation.coverage import Coverage
from benchmarks.simulation.draw import Raters, Steps
from benchmarks.simulation.gates import BORDER, BOTH_WAYS, MOSTLY_MISSES

QUICK = [cell for cell in CELLS if not cell.name.startswith(("maps", "alarms: six", "12 criteria", "power", "ladder"))]


@pytest.mark.parametrize("cell", QUICK, ids=[cell.name for cell in QUICK])
def test_every_cell_draws_a_set_and_counts_what_it_names(cell):
    (drawn,) = cell.drawn(seed=1, first=0, last=1)
    assert set(drawn) >= set(cell.demands)
    assert (drawn, *cell.drawn(1, 1, 2)) == tuple(cell.drawn(1, 0, 2))


def test_the_quick_comparison_decides_as_compare_does():
    design = EqualJudges(30, 1, 0.2, 0.0)
    found = [design(np.random.default_rng(seed))["any claim"].value for seed in range(400)]
    claims, none = found.index(1.0), found.index(0.0)
    for seed in (claims, none):
        assert claimed(*design.judged(np.random.default_rng(seed))) == bool(found[seed])


def test_names_of_cells_are_unique():
    assert len({cell.name for cell in CELLS}) == len(CELLS)


def test_the_truth_is_that_of_the_textbook():
    plain = Coverage(Raters(10, (1, 1), 0.3, 0.2), ("accuracy", "cohen_kappa", "youden_j", "gwet_ac1")).truth
    said = 0.3 * 0.8 + 0.7 * 0.2
    chance = 0.3 * said + 0.7 * (1 - said)
    assert plain["accuracy"] == pytest.approx(0.8)
    assert plain["cohen_kappa"] == pytest.approx((0.8 - chance) / (1 - chance))
    assert plain["youden_j"] == pytest.approx(0.6)
    several = Coverage(
        Raters(10, (1, 1), 0.5, 0.1, 0.0, 3, 0.2, 0.5), ("cohen_kappa_pairwise",), ("fleiss_kappa",)
    ).truth
    assert several["cohen_kappa_pairwise"] == pytest.approx(2 * (0.9 * 0.8 + 0.1 * 0.2) - 1)
    assert several["people: fleiss_kappa"] == pytest.approx(2 * (0.8**2 + 0.2**2) - 1)


def test_large_sets_come_close_to_the_truth():
    random = np.random.default_rng(3)
    for design in (Raters(4_000, (2, 4), 0.2, 0.15, 0.4, 3, 0.1, 0.7), Steps(4_000, 3)):
        found = Coverage(design, ("cohen_kappa",))
        (evidence, metrics), *_ = found.tasks(design.panel(random))
        assert float(metrics[0].value(evidence.total())[0]) == pytest.approx(found.truth["cohen_kappa"], abs=0.03)


def test_the_judges_of_the_gates_have_the_kappa_that_their_cells_name():
    assert BORDER.kappa(0.5) == pytest.approx(0.4)
    assert BOTH_WAYS.kappa(0.5) == MOSTLY_MISSES.kappa(0.5) == pytest.approx(0.75)


def test_a_demand_is_missed_only_beyond_the_error_of_the_simulation():
    cell = Cell("c", {"held": Demand(least=0.93), "passed": Demand(most=0.03), "seen": Demand()}, dict)
    drawn = [
        {"held": Outcome(float(n >= 30), 0.5), "passed": Outcome.of(n < 4), "seen": Outcome(None)} for n in range(200)
    ]
    held, passed, seen = lines(cell, drawn)
    assert (held.share, held.met, held.width) == (0.85, False, 0.5)
    assert held.error == pytest.approx(2 * np.sqrt(0.85 * 0.15 / 200))
    assert (passed.share, passed.met) == (0.02, True)
    assert (seen.share, seen.counted) == (None, 0)
    assert "**missed**" in str(held)
    assert "(200 without)" not in str(held)


def test_no_event_in_any_set_is_no_certainty():
    (line,) = lines(Cell("c", {"passed": Demand(most=0)}, dict), [{"passed": Outcome.of(False)}] * 100)
    assert line.share == 0
    assert 0.015 < line.error < 0.025


def test_a_run_continues_from_what_was_kept(tmp_path):
    place = next(number for number, cell in enumerate(CELLS) if cell.name.startswith("queue"))
    ((_, first),) = simulated([place], 30, 0, 1, tmp_path)
    (path,) = tmp_path.iterdir()
    before = path.read_text()
    ((_, again),) = simulated([place], 30, 0, 1, tmp_path)
    assert path.read_text() == before
    assert again == first
    assert len(first) == 30
    ((_, more),) = simulated([place], 60, 0, 1, tmp_path)
    assert more[:30] == first
    assert len(more) == 60
    write(tmp_path / "some.jsonl", 0, [{"a": Outcome(1.0, 0.5)}])
    assert read(tmp_path / "some.jsonl") == {0: [{"a": Outcome(1.0, 0.5)}]}
