"""All cells of the simulation."""

from benchmarks.simulation import alarms, comparing, coverage, gates, ladder, maps, unseen
from benchmarks.simulation.cell import Cell

CELLS: tuple[Cell, ...] = (
    *coverage.CELLS,
    *unseen.CELLS,
    *gates.CELLS,
    *maps.CELLS,
    *alarms.CELLS,
    *comparing.CELLS,
    *ladder.CELLS,
)
